// The start page: the node, its stock, and the next steps.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { ROOT, read } from '../../api.js';
import { href } from '../../router.js';
import { can, canEverywhere, state } from '../../session.js';
import { Badge, Code, Loading, Page, ProblemBox, Time } from '../../parts/basics.js';
import { bytes, number } from '../../parts/format.js';
import { useLoad } from '../../parts/load.js';
import { READS_ALERTS } from '../list.js';
import { Sample } from './sample.js';

export default function Home() {
  const seesNode = canEverywhere('ops:read');
  const readsAlerts = READS_ALERTS.some((permission) => can(permission));
  const node = useLoad(async (signal) => (seesNode ? (await read('/node', {}, { signal })).data : null), [seesNode]);
  const counts = useLoad(async (signal) => ({
    levels: can('stock:read') ? (await read('/stock/current', { limit: 1 }, { signal })).data.items.length : null,
    products: can('catalogue:read') ? (await read('/products', { limit: 1 }, { signal })).data.items.length : null,
    alerts: readsAlerts ? (await read('/alerts', { limit: 1000 }, { signal })).data.items.length : null,
  }), []);
  const [sample, setSample] = useState(false);
  const isEmpty = counts.data !== null && counts.data.levels === 0 && counts.data.products === 0;
  const docs = (/** @type {string} */ path) => new URL(path, ROOT).href;

  return h(Page, { title: 'Start', about: 'A stock ledger without overselling: acknowledged changes are durable, and the history explains '
    + 'every number.' },
    (node.error || counts.error) && h(ProblemBox, { error: /** @type {Error} */ (node.error ?? counts.error),
      retry: () => { node.reload(); counts.reload(); } }),
    counts.data === null && !counts.error && h(Loading, null),
    isEmpty && can('import:run') && can('catalogue:write') && h('section', { class: 'panel' },
      h('h2', null, 'There is no stock yet'),
      h('p', null, 'The sample has four stores, thirty products and two weeks of deliveries, sales and returns. '
        + 'It becomes part of the log of this node and cannot be removed. Use a data directory that you can delete.'),
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'primary', onClick: () => setSample(true) }, 'Load the sample history'),
        h('a', { class: 'button', href: href('imports') }, 'Import a CSV file'))),
    sample && h(Sample, { onClose: () => { setSample(false); counts.reload(); } }),
    h('div', { class: 'panels' },
      !isEmpty && counts.data && can('stock:read') && h('section', { class: 'panel' }, h('h2', null, 'Stock'),
        counts.data.alerts !== null && h('p', null, counts.data.alerts === 0
          ? h(Badge, { kind: 'ok', icon: 'ok' }, 'No level is low')
          : h('a', { href: href('alerts') }, h(Badge, { kind: 'low', icon: 'low' },
            `${number(counts.data.alerts)}${counts.data.alerts === 1000 ? ' or more' : ''} low`))),
        h('p', null, h('a', { href: href('stock') }, 'Show the stock of all stores'))),
      (can('orders:read') || can('orders:ship')) && h('section', { class: 'panel' }, h('h2', null, 'Orders'),
        can('orders:read') && h('p', null, h('a', { href: href('orders') }, 'Show the orders')),
        can('orders:ship') && h('p', null, h('a', { href: href('shipments') }, 'Show what a store has to send'))),
      node.data && h('section', { class: 'panel' }, h('h2', null, 'Node'),
        h('dl', { class: 'facts' },
          h('dt', null, 'Version'), h('dd', null, `Onhand ${node.data.version}`),
          h('dt', null, 'Data directory'), h('dd', null, h('code', null, node.data.dataDir ?? 'unknown')),
          node.data.disk && h('dt', null, 'Disk'), node.data.disk && h('dd', null, `${bytes(node.data.disk.freeBytes)} free of `
            + `${bytes(node.data.disk.totalBytes)}`),
          h('dt', null, 'Last change'),
          h('dd', null, node.data.durableSequence === 0 ? 'none yet' : `sequence ${number(node.data.durableSequence)}`),
          node.data.startedAt && h('dt', null, 'Started'), node.data.startedAt && h('dd', null, h(Time, { at: node.data.startedAt }))),
        h('p', null, h('a', { href: href('node') }, 'Settings and commands'))),
      h('div', { class: 'stack' },
        state.value === 'open' && h('section', { class: 'panel' }, h('h2', null, 'No login is required'),
          h('p', null, 'Every user of this machine has all permissions. After the first administrator is added, every user has to log in. '
            + 'Run on the machine of the node:'),
          h(Code, { text: `onhand user add ada --admin --data-dir ${node.data?.dataDir ?? 'data'}` })),
        h('section', { class: 'panel' }, h('h2', null, 'Documentation'),
          h('ul', { class: 'links' },
            h('li', null, h('a', { href: docs('docs/guide/getting-started') }, 'Getting started'), ' in a shell, five minutes'),
            h('li', null, h('a', { href: docs('docs/guide') }, 'Guides'), ': sales, imports, several stores, permissions'),
            h('li', null, h('a', { href: docs('docs') }, 'API reference'), ', with requests from the browser'),
            h('li', null, h('a', { href: docs('problems') }, 'Error codes'), ', with the action for each'))))));
}
