// One SKU: its product, its levels, and the history of the selected level.

import { h } from '../../vendor/preact.js';
import { useCallback, useEffect, useState } from '../../vendor/hooks.js';
import { ApiError, read, readPages } from '../../api.js';
import { MOVEMENTS } from '../../feed.js';
import { go, href, place, refine } from '../../router.js';
import { can } from '../../session.js';
import { Badge, Curl, Empty, Icon, Loading, Long, Page, ProblemBox, StockBadge, Time } from '../../parts/basics.js';
import { Field } from '../../parts/form.js';
import { useFlash } from '../../parts/flash.js';
import { number } from '../../parts/format.js';
import { useLive, useLoad } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { ActionDialog } from './actions.js';
import { History, Holds, useHistory } from './history.js';

/** @typedef {import("./actions.js").Level & { updatedAt?: string, name?: string }} Level */
/** @typedef {import("./actions.js").Action} Action */
/** @typedef {import("../../api.js").Schemas["Product"]} Product */

export default function Sku() {
  const sku = place.value.params.get('sku') ?? '';
  return sku === '' ? h(Choose, null) : h(OneSku, { key: sku, sku });
}

/** Without a SKU in the address. */
function Choose() {
  const [sku, setSku] = useState('');
  const [adding, setAdding] = useState(false);
  return h(Page, {
    title: 'SKU', about: 'The levels of one SKU in all stores, and their history.',
    actions: can('stock:adjust') && h('button', { type: 'button', onClick: () => setAdding(true) }, h(Icon, { name: 'plus' }), 'Add stock'),
  },
  h('form', { class: 'filters',
    onSubmit: (/** @type {Event} */ event) => { event.preventDefault(); if (sku.trim() !== '') go(href('sku', { sku: sku.trim() })); } },
    h(Field, { label: 'SKU', type: 'search', value: sku, onInput: setSku, required: true, maxLength: 64, autoFocus: true }),
    h('button', { type: 'submit', class: 'primary' }, 'Show')),
  h('p', { class: 'soft' }, 'Or select a row of ', h('a', { href: href('stock') }, 'the stock of all stores'), '.'),
  adding && h(ActionDialog, { action: { kind: 'add', sku: '', stores: [] }, now: undefined, onClose: () => setAdding(false) }));
}

/** The product of a SKU; null if the catalogue has none. @returns {Promise<Product | null>} */
async function readProduct(/** @type {string} */ sku, /** @type {AbortSignal} */ signal) {
  if (!can('catalogue:read')) return null;
  try {
    return (await read(`/products/${encodeURIComponent(sku)}`, {}, { signal, quiet: true })).data;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** @param {{ sku: string }} props */
function OneSku({ sku }) {
  const [, draw] = useState(0);
  const redraw = useCallback(() => draw((turn) => turn + 1), []);
  const flash = useFlash(redraw);
  const loaded = useLive(async (signal) => {
    /** @type {Level[]} */
    const levels = [];
    const sequence = await readPages('/stock/current', { sku, limit: 1000 }, (/** @type {Level[]} */ items) => { levels.push(...items); },
      { signal });
    // A level includes the name of its product. Levels without a name have no product.
    const isDescribed = levels.length === 0 || levels.some(({ name }) => name !== undefined);
    return { data: { levels, product: isDescribed ? await readProduct(sku, signal) : null }, sequence };
  }, (shown, events) => {
    const levels = new Map(shown.levels.map((level) => [level.storeId, level]));
    for (const { type, payload, after, ts } of events) {
      const about = payload.sku ?? (payload.level ?? payload.product ?? payload.threshold)?.sku;
      if (about !== sku) continue;
      // These events do not have the effective threshold or the new level. Load the data again.
      if (type === 'PRODUCT' || type === 'THRESHOLD' || type === 'TAKE') return null;
      if (!MOVEMENTS.has(type)) continue;
      const before = levels.get(payload.storeId);
      if (before && after.version <= before.version) continue;
      if (!before) return null;
      levels.set(payload.storeId, { ...before, ...after, updatedAt: ts });
      flash.mark([payload.storeId]);
    }
    return { ...shown, levels: [...levels.values()] };
  }, [sku]);
  const { data, error, reload } = loaded;
  const stores = useLoad(async (signal) => (can('stores:read')
    ? (await read('/stores', { limit: 1000 }, { signal })).data.items.map((/** @type {{ storeId: string }} */ store) => store.storeId)
      : []), []);
  const [action, setAction] = useState(/** @type {Action | null} */ (null));

  const levels = data?.levels ?? [];
  const sellableOnly = levels.length > 0 && levels[0].version === undefined;
  const storeId = place.value.params.get('store') ?? '';
  const level = levels.find((one) => one.storeId === storeId);
  const about = action && 'level' in action ? action.level : null;
  const name = data?.product?.name ?? levels.find((one) => one.name)?.name;
  useEffect(() => { document.title = `${sku} · Onhand`; });

  return h(Page, {
    title: sku, about: name && h('span', { dir: 'auto' }, name),
    actions: [
      h('a', { key: 'all', class: 'button', href: href('stock', { q: sku }) }, 'Show in stock table'),
      can('stock:adjust') && data && h('button', {
        key: 'add', type: 'button', onClick: () => setAction({ kind: 'add', sku, stores: stores.data ?? [] }),
      }, h(Icon, { name: 'plus' }), 'Add stock'),
    ],
  },
  error && h(ProblemBox, { error, retry: reload }),
  !data && !error && h(Loading, null),
  data && data.product && h(Facts, { product: data.product }),
  data && (levels.length === 0
    ? h(Empty, { title: 'No store has a level of this SKU' },
      data.product ? 'The product is in the catalogue. The first delivery creates a level.'
      : ['It is not in the catalogue either. ', h('a', { href: href('stock') }, 'Search the stock of all stores'), '.'])
    : h('section', { class: 'panel', 'aria-label': 'Levels' }, h('h2', null, 'Levels'),
      h(Table, {
        label: `Levels of ${sku}`, fit: true, columns: columnsOf(sku, storeId, sellableOnly), count: levels.length,
        row: (/** @type {number} */ index) => levels[index], keyOf: (/** @type {Level} */ one) => one.storeId,
        rowClass: (/** @type {Level} */ one) => `${flash.classOf(one.storeId)} ${one.storeId === storeId ? 'chosen' : ''}`,
      }),
      h(Curl, { method: 'GET', path: '/stock/current', query: { sku } }))),
  data && !sellableOnly && levels.length > 0 && storeId === ''
    && h('p', { class: 'soft' }, 'Select a store to show its history and to change its stock.'),
  data && !sellableOnly && storeId !== '' && h(OneLevel, { key: storeId, storeId, sku, level, onAct: setAction }),
  action && h(ActionDialog, {
    action, now: about ? levels.find((one) => one.storeId === about.storeId) : undefined, onClose: () => setAction(null),
  }));
}

/**
 * The columns of the levels. A customer sees the sellable quantity alone.
 *
 * @param {string} sku
 * @param {string} chosen The store whose history is shown.
 * @param {boolean} sellableOnly
 * @returns {import("../../parts/table.js").Column<Level>[]}
 */
function columnsOf(sku, chosen, sellableOnly) {
  /** @type {import("../../parts/table.js").Column<Level>[]} */
  const columns = [
    { id: 'store', title: 'Store', head: true, cell: ({ storeId }) => (sellableOnly ? h(Long, { text: storeId })
      : h('a', { href: href('sku', { sku, store: storeId }), 'aria-current': storeId === chosen ? 'true' : undefined },
        h(Long, { text: storeId }))) },
    { id: 'status', title: 'Status', width: '7.6rem',
      cell: ({ qty, lowStockThreshold }) => h(StockBadge, { qty, threshold: lowStockThreshold }) },
    { id: 'qty', title: 'Sellable', num: true, width: '5.6rem', cell: ({ qty }) => number(qty) },
  ];
  return sellableOnly ? columns : [
    ...columns,
    { id: 'reserved', title: 'Reserved', num: true, wide: true, width: '6.5rem', cell: ({ reserved }) => number(reserved) },
    { id: 'onHand', title: 'On hand', num: true, width: '5.6rem', cell: ({ onHand }) => number(onHand) },
    { id: 'threshold', title: 'Threshold', num: true, wide: true, width: '7rem',
      cell: ({ lowStockThreshold }) => (lowStockThreshold === undefined ? '–' : number(lowStockThreshold)) },
    { id: 'version', title: 'Version', num: true, wide: true, width: '6rem', cell: ({ version }) => number(version) },
    { id: 'updated', title: 'Updated', wide: true, width: '13rem', cell: ({ updatedAt }) => updatedAt && h(Time, { at: updatedAt }) },
  ];
}

/** @param {{ product: Product }} props */
function Facts({ product }) {
  const { category, unitPrice, barcode, lowStockThreshold, active } = product;
  const fact = (/** @type {string} */ title, /** @type {import("preact").ComponentChildren} */ value) =>
    value !== undefined && h('div', { key: title }, h('dt', null, title), h('dd', null, value));
  return h('dl', { class: 'fact-row', 'aria-label': 'Product' },
    fact('State', active ? h(Badge, { kind: 'ok', icon: 'ok' }, 'Active') : h(Badge, { kind: 'out', icon: 'out' }, 'Inactive')),
    fact('Category', category && h(Long, { text: category })),
    fact('Price', unitPrice && price(unitPrice)),
    fact('Barcode', barcode && h(Long, { text: barcode, code: true })),
    fact('Threshold', lowStockThreshold === undefined ? undefined : number(lowStockThreshold)),
    fact('Changed', h(Time, { at: product.updatedAt, short: true })));
}

function price(/** @type {{ amountMinor: number, currency: string }} */ { amountMinor, currency }) {
  try {
    const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
    return format.format(amountMinor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${number(amountMinor)} ${currency}`;
  }
}

/** @param {{ storeId: string, sku: string, level: Level | undefined, onAct: (action: Action) => void }} props */
function OneLevel({ storeId, sku, level, onAct }) {
  const history = useHistory(storeId, sku, level !== undefined);
  const button = (/** @type {"adjust" | "count" | "reserve" | "threshold"} */ kind, /** @type {string} */ title,
    /** @type {string} */ permission) =>
    level && can(permission, storeId) && h('button', { key: kind, type: 'button', onClick: () => onAct({ kind, level }) }, title);
  return h('div', { class: 'stack' },
    h('div', { class: 'page-head' },
      h('div', null, h('h2', null, h(Long, { text: storeId })),
        level && h('p', { class: 'about' },
          `${number(level.qty)} sellable, ${number(level.reserved)} reserved, ${number(level.onHand)} on hand; `
          + (level.lowStockThreshold === undefined ? 'no threshold.' : `threshold ${number(level.lowStockThreshold)}.`))),
      h('div', { class: 'actions' },
        button('adjust', 'Adjust', 'stock:adjust'), button('count', 'Count', 'stock:count'), button('reserve', 'Reserve', 'stock:reserve'),
        button('threshold', 'Threshold', 'stock:threshold'),
        h('button', { type: 'button', class: 'quiet', onClick: () => refine({ store: '', asOf: '' }) }, h(Icon, { name: 'close' }),
          'All stores'))),
    level && history.data && h(Holds, { level, movements: history.data, onAct: (kind, hold) => onAct({ kind, hold, level }) }),
    h(History, { storeId, sku, level, history }));
}
