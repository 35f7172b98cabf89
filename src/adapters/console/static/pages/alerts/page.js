// The active alerts, live, and the alerts that were cleared while the page was open.

import { h } from '../../vendor/preact.js';
import { ROOT, read, readPages } from '../../api.js';
import { href, place, refine } from '../../router.js';
import { can } from '../../session.js';
import { Badge, Empty, Loading, Long, Page, ProblemBox, say, Time } from '../../parts/basics.js';
import { Field } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useLive, useLoad } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { keyOf, note, SellableNow } from './levels.js';

/** @typedef {import("../../api.js").Schemas["Alert"]} Alert */
/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */
/** @typedef {import("./levels.js").Level} Level */
/** @typedef {{ storeId: string, sku: string, name?: string, qty: number, threshold?: number, sequence: number, at: string }} Cleared */
/** @typedef {{ raised: Map<string, Alert>, cleared: Cleared[], levels: Map<string, Level> }} Shown */

const CLEARED_MAX = 50;

/** @returns {Promise<{ data: Shown, sequence: number | null }>} */
async function readAlerts(/** @type {AbortSignal} */ signal) {
  /** @type {Map<string, Alert>} */
  const raised = new Map();
  const sequence = await readPages('/alerts', { limit: 1000 }, (/** @type {Alert[]} */ alerts) => {
    for (const alert of alerts) raised.set(keyOf(alert), alert);
  }, { signal });
  return { data: { raised, cleared: [], levels: new Map() }, sequence };
}

/** @returns {Shown} */
function apply(/** @type {Shown} */ shown, /** @type {FeedEvent[]} */ events) {
  const raised = new Map(shown.raised);
  let cleared = shown.cleared;
  for (const { type, payload, after, ts, sequence } of events) {
    if (type !== 'ALERT') {
      if (typeof after?.qty === 'number' && raised.has(keyOf(payload))) note(shown.levels, keyOf(payload), after);
      continue;
    }
    const key = keyOf(payload);
    const before = raised.get(key);
    if (before && before.version >= after.version) continue;
    const { storeId, sku, qty, threshold } = payload;
    if (payload.raised) raised.set(key, { storeId, sku, name: before?.name, qty, threshold, version: after.version, raisedAt: ts });
    else {
      raised.delete(key);
      cleared = [{ storeId, sku, name: before?.name, qty, threshold, sequence, at: ts }, ...cleared].slice(0, CLEARED_MAX);
    }
    say(`${sku} in ${storeId} is ${payload.raised ? 'low' : 'no longer low'}`);
  }
  return { raised, cleared, levels: shown.levels };
}

/** The sort orders of the table. @type {Record<string, (one: Alert, other: Alert) => number>} */
const ORDERS = {
  since: (one, other) => one.raisedAt.localeCompare(other.raisedAt),
  store: (one, other) => one.storeId.localeCompare(other.storeId) || one.sku.localeCompare(other.sku),
  sku: (one, other) => one.sku.localeCompare(other.sku) || one.storeId.localeCompare(other.storeId),
  threshold: (one, other) => one.threshold - other.threshold,
};

export default function Alerts() {
  const alerts = useLive(readAlerts, apply, []);
  const { params } = place.value;
  const [store, sku] = [params.get('store') ?? '', params.get('sku') ?? ''];
  const sort = { by: params.get('sort') ?? 'since',
    descending: params.get('order') ? params.get('order') === 'down' : !params.get('sort') };
  const { data } = alerts;
  const wanted = (/** @type {{ storeId: string, sku: string, name?: string }} */ row) => (store === '' || row.storeId === store)
    && [row.sku, row.name ?? ''].some((text) => text.toLocaleLowerCase().includes(sku.toLocaleLowerCase()));
  const raised = data ? [...data.raised.values()] : [];
  const order = ORDERS[sort.by] ?? ORDERS.since;
  const rows = raised.filter(wanted).sort((one, other) => (sort.descending ? order(other, one) : order(one, other)));
  const cleared = data?.cleared.filter(wanted) ?? [];
  const stores = [...new Set([...raised.map(({ storeId }) => storeId), ...(store === '' ? [] : [store])])].sort();

  return h(Page, { title: 'Alerts', about: 'Levels whose sellable quantity is at or below their threshold.' },
    h('div', { class: 'filters', role: 'search', 'aria-label': 'Alerts' },
      h(Field, { label: 'Store', value: store, onInput: (text) => refine({ store: text }),
        options: [['', 'All stores'], ...stores.map((id) => /** @type {[string, string]} */ ([id, id]))] }),
      h(Field, { label: 'SKU or name', type: 'search', value: sku, onInput: (text) => refine({ sku: text }) })),
    alerts.error && h(ProblemBox, { error: alerts.error, retry: alerts.reload }),
    !data && alerts.loading && h(Loading, null),
    raised.length > 0 && h('p', { class: 'bar', role: 'status' }, rows.length > 0
      && h(Badge, { kind: 'low', icon: 'low' }, `${number(rows.length)} low`),
    rows.length < raised.length && h('span', { class: 'soft' }, `${number(raised.length - rows.length)} more do not match the filter`)),
    data && rows.length === 0 && (raised.length === 0 ? h(Nothing, null) : h(Empty, { title: 'No alert matches the filter' },
      h('button', { type: 'button', onClick: () => refine({ store: '', sku: '' }) }, 'Show all'))),
    data && rows.length > 0 && h(Table, {
      label: 'Alerts', count: rows.length, row: (index) => rows[index], keyOf: (row) => `${keyOf(row)}/${row.version}`, sort,
      fit: cleared.length > 0,
      onSort: (by, descending) => refine({ sort: by, order: descending ? 'down' : 'up' }),
      columns: [
        { id: 'store', title: 'Store', sortable: true, cell: (row) => h(Long, { text: row.storeId }) },
        { id: 'sku', title: 'SKU', sortable: true, head: true, cell: (row) => h(SkuLink, row) },
        { id: 'name', title: 'Name', wide: true, width: '26%', cell: (row) => h(Name, { key: keyOf(row), alert: row }) },
        { id: 'now', title: 'Sellable now', num: true, width: '9.5rem',
          cell: (row) => h(SellableNow, { alert: row, levels: data.levels, live: data.levels.get(keyOf(row)) }) },
        { id: 'threshold', title: 'Threshold', sortable: true, num: true, wide: true, width: '7.5rem',
          cell: (row) => number(row.threshold) },
        { id: 'since', title: 'Since', sortable: true, wide: true, width: '14rem', cell: (row) => h(Time, { at: row.raisedAt }) },
      ],
    }),
    cleared.length > 0 && h('section', { class: 'stack', 'aria-label': 'Cleared' }, h('h2', null, 'Cleared while this page was open'),
      h(Table, {
        label: 'Cleared alerts', count: cleared.length, row: (index) => cleared[index], keyOf: (row) => row.sequence, fit: true,
        columns: [
          { id: 'store', title: 'Store', cell: (row) => h(Long, { text: row.storeId }) },
          { id: 'sku', title: 'SKU', head: true, cell: (row) => h(SkuLink, row) },
          { id: 'name', title: 'Name', wide: true, width: '26%', cell: (row) => h(Long, { text: row.name ?? '' }) },
          { id: 'now', title: 'Sellable then', num: true, width: '9.5rem',
            cell: (row) => h('span', { class: 'pair' }, h(Badge, { kind: 'ok', icon: 'ok' }, 'Cleared'), number(row.qty)) },
          { id: 'threshold', title: 'Threshold', num: true, wide: true, width: '7.5rem',
            cell: (row) => (row.threshold === undefined ? 'none' : number(row.threshold)) },
          { id: 'since', title: 'Cleared at', wide: true, width: '14rem', cell: (row) => h(Time, { at: row.at }) },
        ],
      })));
}

/** @param {{ storeId: string, sku: string }} props */
function SkuLink({ storeId, sku }) {
  return h('a', { href: href('sku', { sku, store: storeId }) }, h(Long, { text: sku }));
}

/** The name of the product. Events do not have it, so it is loaded for a new alert. @param {{ alert: Alert }} props */
function Name({ alert }) {
  const loaded = useLoad(async (signal) => {
    if (alert.name !== undefined) return;
    const { storeId, sku } = alert;
    alert.name = (await read('/alerts', { storeId, sku, limit: 1 }, { signal })).data.items[0]?.name;
  }, [alert.version]);
  return h(Long, { text: alert.name ?? (loaded.loading ? '…' : '') });
}

/** The empty state. */
function Nothing() {
  return h(Empty, { title: 'No level is low' },
    h('p', null, 'A change raises an alert when the sellable quantity falls to the threshold or below it. A change above the threshold ' +
      'clears it. ',
      'The threshold is the ', h('code', null, 'lowStockThreshold'), ' of the product or of the store.'),
    h('p', null, can('stock:read') && h('a', { href: href('stock') }, 'Select a SKU to set its threshold'), ' · ',
      h('a', { href: new URL('docs/guide/low-stock-alerts', ROOT).href }, 'How thresholds and alerts work')));
}
