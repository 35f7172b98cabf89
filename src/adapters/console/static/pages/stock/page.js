// All levels of all stores as one table, live.

import { h } from '../../vendor/preact.js';
import { useEffect, useMemo, useRef, useState } from '../../vendor/hooks.js';
import { go, href, place, refine } from '../../router.js';
import { can } from '../../session.js';
import { Curl, Empty, Icon, Long, Page, ProblemBox, STOCK_WORDS, StockBadge, Time, say } from '../../parts/basics.js';
import { Download } from '../../parts/download.js';
import { Field, Search } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useInterval } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { KINDS, NO_THRESHOLD } from './levels.js';
import { useLevels } from './live.js';
import { View } from './view.js';

/** @typedef {import("./levels.js").Levels} Levels */
/** @typedef {import("./view.js").Sort} Sort */

/** How often the ages of levels are shown again. */
const AGES_EVERY_MS = 15_000;
const COLUMNS = ['store', 'sku', 'name', 'category', 'status', 'qty', 'reserved', 'onHand', 'threshold', 'updated'];

/** `qty` or, descending, `-qty`. @returns {Sort} */
function sortOf(/** @type {string | null} */ text) {
  const by = (text ?? '').replace(/^-/, '');
  return COLUMNS.includes(by) ? { by, descending: text !== by } : { by: 'store', descending: false };
}

export default function Stock() {
  const { params } = place.value;
  const view = useRef(/** @type {View | null} */ (null));
  const { levels, arranged, isLoading, error, reload, flash } = useLevels(view);
  const filter = {
    store: params.get('store') ?? '', category: params.get('category') ?? '', text: params.get('q') ?? '',
    status: params.get('status') ?? '',
  };
  if (!KINDS.includes(/** @type {any} */ (filter.status))) filter.status = '';
  const sort = sortOf(params.get('sort'));
  const key = JSON.stringify([filter, sort]);
  view.current = useMemo(() => new View(levels, filter, sort), [levels, arranged, key]);
  const { order, counts } = view.current;
  const stores = useMemo(() => [...levels.stores].sort(), [levels, levels.stores.length]);
  const categories = useMemo(() => [...new Set(levels.categories.values())].sort(), [levels, levels.named]);
  const isFiltered = filter.store !== '' || filter.category !== '' || filter.text !== '' || filter.status !== '';

  // A new filter or order starts at its first row.
  const content = useRef(/** @type {HTMLDivElement | null} */ (null));
  const seenKey = useRef(key);
  useEffect(() => {
    if (seenKey.current === key) return;
    seenKey.current = key;
    content.current?.querySelector('.table')?.scrollTo(0, 0);
    say(`${number(order.length)} levels`);
  }, [key]);
  useEffect(() => { if (!isLoading && levels.count > 0) say(`${number(levels.count)} levels are loaded`); }, [isLoading]);

  const [, tick] = useState(0);
  useInterval(() => tick((turn) => turn + 1), AGES_EVERY_MS);

  const kinds = levels.sellableOnly ? KINDS.filter((kind) => kind !== 'low') : KINDS;
  const words = levels.count === 0 ? '' : order.length === levels.count ? `${number(levels.count)} levels`
    : `${number(order.length)} of ${number(levels.count)} levels`;
  const options = (/** @type {string[]} */ known, /** @type {string} */ chosen,
    /** @type {string} */ all) => /** @type {[string, string][]} */ (
    [['', all], ...(chosen !== '' && !known.includes(chosen) ? [chosen, ...known] : known).map((id) => [id, id])]);

  return h(Page, {
    title: 'Stock', about: 'The stock level of each SKU in each store, live.',
    actions: h(Download, {
      path: '/stock/current', query: { storeId: filter.store }, accept: 'text/csv', name: 'stock.csv',
      label: filter.store === '' ? 'Download CSV' : 'Download CSV of the store',
    }),
  },
  h('div', { class: 'tiles', role: 'group', 'aria-label': 'Levels by status' }, kinds.map((kind) => h('button', {
    key: kind, type: 'button', class: 'tile', 'aria-pressed': filter.status === kind,
    onClick: () => refine({ status: filter.status === kind ? '' : kind }),
  }, h('b', null, number(counts[KINDS.indexOf(kind)])), h('span', { class: `kind ${kind}` }, h(Icon, { name: kind }), STOCK_WORDS[kind])))),
  h('div', { class: 'filters' },
    h(Search, { label: 'Search SKU or name', value: filter.text, onInput: (q) => refine({ q }) }),
    h(Field, { label: 'Store', value: filter.store, options: options(stores, filter.store, 'All stores'),
      onInput: (store) => refine({ store }) }),
    categories.length > 0 && h(Field, {
      label: 'Category', value: filter.category, options: options(categories, filter.category, 'All categories'),
      onInput: (category) => refine({ category }),
    }),
    h('p', { class: 'filter-end soft' }, words, isLoading && levels.count > 0 && ' so far …',
      isFiltered && h('button', { type: 'button', class: 'quiet', onClick: () => refine({ store: '', category: '', q: '', status: '' }) },
        'Clear filters'))),
  error && h(ProblemBox, { error, retry: reload }),
  h('div', { class: 'wide-table', ref: content, 'aria-busy': isLoading && levels.count === 0 },
    order.length > 0 || (isLoading && levels.count === 0)
    ? h(Table, {
      label: 'Stock levels', columns: columnsOf(levels, categories.length > 0), count: order.length,
      row: (/** @type {number} */ index) => order[index],
      keyOf: (/** @type {number} */ row) => row, sort,
      onSort: (by, descending) => refine({ sort: by === 'store' && !descending ? '' : (descending ? '-' : '') + by }),
      rowClass: (/** @type {number} */ row) => flash.classOf(row),
      onOpen: (/** @type {number} */ row) => go(addressOf(levels, row)),
    })
    : !error && (levels.count === 0
      ? h(Empty, { title: 'There is no stock yet' }, 'The first delivery of a SKU creates its level. ',
        can('import:run') ? h('a', { href: href('imports') }, 'Import a CSV file') : 'Tills and imports deliver stock.',
        can('stock:adjust') && [' or ', h('a', { href: href('sku') }, 'add stock of one SKU'), '.'])
      : h(Empty, { title: 'No level matches' }, h('button', {
        type: 'button', onClick: () => refine({ store: '', category: '', q: '', status: '' }),
      }, 'Clear filters')))),
  h(Curl, { method: 'GET', path: '/stock/current', query: { storeId: filter.store }, accept: 'text/csv' }));
}

function addressOf(/** @type {Levels} */ levels, /** @type {number} */ row) {
  return href('sku', { sku: levels.skus[levels.product[row]], store: levels.stores[levels.store[row]] });
}

/** @returns {import("../../parts/table.js").Column<number>[]} */
function columnsOf(/** @type {Levels} */ levels, /** @type {boolean} */ withCategories) {
  const counted = (/** @type {"qty" | "reserved" | "onHand"} */ id, /** @type {string} */ title, wide = false) => ({
    id, title, num: true, sortable: true, wide, width: 'clamp(5.2rem, 8vw, 5.9rem)',
    cell: (/** @type {number} */ row) => number(levels[id][row]),
  });
  /** @type {import("../../parts/table.js").Column<number>[]} */
  const columns = [
    { id: 'store', title: 'Store', sortable: true, width: 'clamp(4.9rem, 7.5vw, 9rem)',
      cell: (row) => h(Long, { text: levels.stores[levels.store[row]] }) },
    {
      id: 'sku', title: 'SKU', sortable: true, head: true,
      // The row itself opens with Enter; the link is for another tab.
      cell: (row) => h('a', { href: addressOf(levels, row), tabIndex: -1 }, h(Long, { text: levels.skus[levels.product[row]] })),
    },
    { id: 'name', title: 'Name', sortable: true, wide: true, width: '15%',
      cell: (row) => h(Long, { text: levels.names[levels.product[row]] }) },
    {
      id: 'category', title: 'Category', sortable: true, wide: true, width: '8.6%',
      cell: (row) => h(Long, { text: levels.categories.get(levels.skus[levels.product[row]]) ?? '' }),
    },
    {
      id: 'status', title: 'Status', sortable: true, width: 'clamp(7.1rem, 10vw, 7.6rem)',
      cell: (row) => h(StockBadge,
        { qty: levels.qty[row], threshold: levels.threshold[row] === NO_THRESHOLD ? null : levels.threshold[row] }),
    },
    counted('qty', 'Sellable'), counted('reserved', 'Reserved', true), counted('onHand', 'On hand', true),
    {
      id: 'threshold', title: 'Threshold', num: true, sortable: true, wide: true, width: '6.4rem',
      cell: (row) => (levels.threshold[row] === NO_THRESHOLD ? h('span', { class: 'soft' }, '–') : number(levels.threshold[row])),
    },
    { id: 'updated', title: 'Updated', sortable: true, wide: true, width: '7.6rem',
      cell: (row) => h(Time, { at: new Date(levels.updated[row]).toISOString(), short: true }) },
  ];
  const left = new Set(levels.sellableOnly ? ['reserved', 'onHand', 'threshold', 'updated'] : []);
  if (!withCategories) left.add('category');
  return columns.filter(({ id }) => !left.has(id));
}
