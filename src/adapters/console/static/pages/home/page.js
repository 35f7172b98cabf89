// The start: what runs here, how it stands, and what to do next.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { ROOT, read } from '../../api.js';
import { href } from '../../router.js';
import { can, state } from '../../session.js';
import { Badge, Copy, Loading, Page, ProblemBox, Time } from '../../parts/basics.js';
import { bytes, number } from '../../parts/format.js';
import { useLoad } from '../../parts/load.js';
import { Sample } from './sample.js';

export default function Home() {
  const node = useLoad(async (signal) => (can('ops:read') ? (await read('/node', {}, { signal })).data : null), [can('ops:read')]);
  const counts = useLoad(async (signal) => ({
    levels: can('stock:read') ? (await read('/stock/current', { limit: 1 }, { signal })).data.items.length : null,
    products: can('catalogue:read') ? (await read('/products', { limit: 1 }, { signal })).data.items.length : null,
    alerts: can('stock:read') ? (await read('/alerts', { limit: 1000 }, { signal })).data.items.length : null,
  }), []);
  const [sample, setSample] = useState(false);
  const isEmpty = counts.data !== null && counts.data.levels === 0 && counts.data.products === 0;
  const docs = (/** @type {string} */ path) => new URL(path, ROOT).href;

  return h(Page, { title: 'Start', about: 'A stock ledger: it never sells what is not there, never loses a change it has acknowledged, and '
    + 'can show why every number is what it is.' },
    (node.error || counts.error) && h(ProblemBox, { error: /** @type {Error} */ (node.error ?? counts.error),
      retry: () => { node.reload(); counts.reload(); } }),
    counts.data === null && !counts.error && h(Loading, null),
    isEmpty && can('import:run') && can('catalogue:write') && h('section', { class: 'panel' },
      h('h2', null, 'There is no stock yet'),
      h('p', null, 'Load a sample to look around: four stores, thirty products and two weeks of deliveries, sales and returns, made up by '
        + 'this page. ',
        'It is written into this node’s log like everything else, and cannot be taken out again; use a directory that you can throw away.'),
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'primary', onClick: () => setSample(true) }, 'Load the sample history'),
        h('a', { class: 'button', href: href('imports') }, 'Import a CSV file'))),
    sample && h(Sample, { onClose: () => { setSample(false); counts.reload(); } }),
    h('div', { class: 'panels' },
      !isEmpty && counts.data && can('stock:read') && h('section', { class: 'panel' }, h('h2', null, 'Stock'),
        h('p', null, counts.data.alerts === 0
          ? h(Badge, { kind: 'ok', icon: 'ok' }, 'nothing is low')
          : h('a', { href: href('alerts') }, h(Badge, { kind: 'low', icon: 'low' },
            `${number(counts.data.alerts ?? 0)}${counts.data.alerts === 1000 ? ' or more' : ''} low`))),
        h('p', null, h('a', { href: href('stock') }, 'Watch the stock of all stores'))),
      node.data && h('section', { class: 'panel' }, h('h2', null, 'What runs here'),
        h('dl', { class: 'facts' },
          h('dt', null, 'Version'), h('dd', null, `Onhand ${node.data.version}`),
          h('dt', null, 'Data'), h('dd', null, h('code', null, node.data.dataDir ?? 'not known')),
          node.data.disk && h('dt', null, 'Disk'), node.data.disk && h('dd', null, `${bytes(node.data.disk.freeBytes)} free of `
            + `${bytes(node.data.disk.totalBytes)}`),
          h('dt', null, 'Last change'),
          h('dd', null, node.data.durableSequence === 0 ? 'none yet' : `sequence ${number(node.data.durableSequence)}`),
          node.data.startedAt && h('dt', null, 'Started'), node.data.startedAt && h('dd', null, h(Time, { at: node.data.startedAt }))),
        h('p', null, h('a', { href: href('node') }, 'Settings and where they come from'))),
      state.value === 'open' && h('section', { class: 'panel' }, h('h2', null, 'Nobody has to log in'),
        h('p', null, 'Everybody who reaches this address from this machine may do everything. The first administrator changes that; run on '
          + 'its machine:'),
        h(Command, { text: `onhand user add ada --admin --data-dir ${node.data?.dataDir ?? 'data'}` })),
      h('section', { class: 'panel' }, h('h2', null, 'Read on'),
        h('ul', { class: 'links' },
          h('li', null, h('a', { href: docs('docs/guide/getting-started') }, 'Getting started'), ' in a shell, five minutes'),
          h('li', null, h('a', { href: docs('docs/guide') }, 'Guides'), ': sales, imports, several stores, who may do what'),
          h('li', null, h('a', { href: docs('docs') }, 'The API'), ', to try it in the browser'),
          h('li', null, h('a', { href: docs('problems') }, 'What refusals mean'), ' and what to do')))));
}

/** A line for a shell. @param {{ text: string }} props */
function Command({ text }) {
  return h('div', { class: 'code' }, h('pre', { tabIndex: 0 }, text), h(Copy, { text }));
}
