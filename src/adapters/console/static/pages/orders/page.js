// Orders, as a list or as a board with a column for each status.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { go, href, place, refine } from '../../router.js';
import { can, canSomewhere } from '../../session.js';
import { Curl, Empty, Icon, Loading, Long, Page, ProblemBox, Time } from '../../parts/basics.js';
import { Field, Search, useParameter } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { money, OrderLink, optionsOf, pieces, State, sum, useRows, useStores, wordOf } from '../../parts/orders.js';
import { Table } from '../../parts/table.js';
import { Tabs } from '../../parts/tabs.js';
import { PlaceDialog } from './place.js';

/** @typedef {import("../../parts/orders.js").Order} Order */
/** @typedef {Record<string, string>} Filter */

const [OPEN, CLOSED, DROPPED] = [['PLACED', 'CONFIRMED', 'SHIPPED'], ['DELIVERED', 'CANCELLED'], ['refused', 'cancelled']];
/** @type {[string, string][]} */
const VIEWS = [['list', 'List'], ['board', 'Board']];

export default function Orders() {
  const { params } = place.value;
  const [text, setText] = useParameter('q');
  const [customer, setCustomer] = useParameter('customer');
  const [placing, setPlacing] = useState(false);
  const stores = useStores('orders:read');
  const given = (/** @type {string} */ name) => params.get(name) ?? '';
  const view = given('view') === 'board' ? 'board' : 'list';
  const filter = { status: given('status'), allocation: given('allocation'), storeId: given('store'), customerId: given('customer'),
    search: given('q') };
  const isOwn = !canSomewhere('orders:read');
  const select = (/** @type {string} */ label, /** @type {string} */ name, /** @type {([string, string] | string)[]} */ options) =>
    h(Field, { label, value: given(name), options, onInput: (value) => refine({ [name]: value }) });
  const place_ = can('orders:place') && h('button', { type: 'button', class: 'primary', onClick: () => setPlacing(true) },
    h(Icon, { name: 'plus' }), 'Place an order');
  const isFiltered = Object.values(filter).some((value) => value !== '');
  const clear = h('button', { type: 'button', class: 'quiet',
    onClick: () => refine({ status: '', allocation: '', store: '', customer: '', q: '' }) }, 'Clear filters');
  const empty = isFiltered ? h(Empty, { title: 'No order matches' }, clear)
    : h(Empty, { title: 'There are no orders yet' }, can('orders:place') ? place_ : 'New orders appear here.');
  return h(Page, { title: 'Orders', about: isOwn ? 'Your orders, the newest first.' : 'What was promised to customers, the newest first.',
    actions: place_ },
  h('div', { class: 'filters', role: 'search', 'aria-label': 'Orders' },
    h(Search, { label: 'Search order id', value: text, onInput: setText }),
    view === 'list' && select('Status', 'status', optionsOf('All', [...OPEN, ...CLOSED])),
    select('Allocation', 'allocation', optionsOf('All', ['none', 'waiting', 'partial', 'complete'])),
    stores.length > 0 && select('Store', 'store', [['', 'All stores'], ...stores]),
    !isOwn && h(Field, { label: 'Customer id', value: customer, onInput: setCustomer, maxLength: 64 }),
    isFiltered && h('p', { class: 'filter-end' }, clear)),
  h(Tabs, { label: 'View', tabs: VIEWS, value: view, onChange: (id) => refine({ view: id === 'list' ? '' : id }) },
    view === 'list' ? h(List, { filter, empty }) : h(Board, { filter }),
    h(Curl, { method: 'GET', path: '/orders', query: filter })),
  placing && h(PlaceDialog, { onClose: () => setPlacing(false) }));
}

const idOf = (/** @type {Order} */ { orderId }) => orderId;
const nameOf = (/** @type {Order} */ { customer, customerId, personalErased }) =>
  customer?.name ?? customerId ?? (personalErased ? 'erased' : '');
const count = (/** @type {Order} */ { lines }) => sum(lines.map(({ qty }) => qty));
/** The stores that send something, or have sent it. */
const storesOf = (/** @type {Order} */ { shipments }) =>
  [...new Set(shipments.filter(({ state }) => !DROPPED.includes(state)).map(({ storeId }) => storeId))].join(', ');

/** @param {{ filter: Filter, empty: import("preact").ComponentChildren }} props */
function List({ filter, empty }) {
  const { rows, error, reload, more, loadMore, flash } = useRows('/orders', filter, idOf);
  return [
    error && h(ProblemBox, { key: 'error', error, retry: reload }),
    rows === null && !error && h(Loading, { key: 'loading' }),
    rows?.length === 0 && empty,
    rows !== null && rows.length > 0 && [
      h('div', { key: 'bar', class: 'bar' },
        h('p', { role: 'status' }, `${number(rows.length)}${more ? ' or more' : ''} ${rows.length === 1 ? 'order' : 'orders'}`),
        more && h('button', { type: 'button', onClick: loadMore }, 'Load more')),
      h(Table, {
        key: 'table', label: 'Orders', count: rows.length, row: (index) => rows[index], keyOf: idOf,
        rowClass: (row) => flash.classOf(row.orderId), onOpen: (row) => go(href('order', { id: row.orderId })),
        columns: [
          { id: 'id', title: 'Order', head: true, width: 'clamp(7.5rem, 11vw, 10rem)',
            cell: ({ orderId }) => h(OrderLink, { id: orderId }) },
          { id: 'status', title: 'Status', width: '8.6rem', cell: ({ status }) => h(State, { of: status }) },
          { id: 'allocation', title: 'Allocation', wide: true, width: '10rem',
            cell: ({ allocation, status }) => (status === 'PLACED' || status === 'CONFIRMED') && (allocation === 'complete'
              ? h('span', { class: 'soft' }, wordOf(allocation)) : h(State, { of: allocation })) },
          { id: 'customer', title: 'Customer', cell: (row) => h(Long, { text: nameOf(row) }) },
          { id: 'stores', title: 'Stores', wide: true, cell: (row) => h(Long, { text: storesOf(row) }) },
          { id: 'pieces', title: 'Pieces', num: true, wide: true, width: '5.5rem', cell: (row) => number(count(row)) },
          { id: 'total', title: 'Total', num: true, wide: true, width: '8rem',
            cell: ({ total, currency }) => money(total, currency) },
          { id: 'placed', title: 'Placed', wide: true, width: '13rem', cell: ({ placedAt }) => h(Time, { at: placedAt }) },
        ],
      }),
    ],
  ];
}

/** @param {{ filter: Filter }} props */
function Board({ filter }) {
  const [opened, setOpened] = useState(/** @type {string[]} */ ([]));
  return [
    h('div', { key: 'open', class: 'board' }, OPEN.map((status) => h(Column, { key: status, filter, status }))),
    CLOSED.map((status) => h('details', { key: status, class: 'more',
      onToggle: (/** @type {any} */ { currentTarget }) => currentTarget.open && setOpened([...opened, status]) },
    h('summary', null, wordOf(status)), opened.includes(status) && h('div', { class: 'board' }, h(Column, { filter, status })))),
  ];
}

/** @param {{ filter: Filter, status: string }} props */
function Column({ filter, status }) {
  const { rows, error, reload, more, loadMore, flash } = useRows('/orders', { ...filter, status }, idOf);
  return h('section', { class: 'stack', 'aria-label': wordOf(status) },
    h('h2', null, wordOf(status), rows && h('span', { class: 'soft' }, ` ${number(rows.length)}${more ? '+' : ''}`)),
    error && h(ProblemBox, { error, retry: reload }),
    rows === null && !error && h(Loading, null),
    rows?.map((row) => h('article', { key: row.orderId, class: `panel ${flash.classOf(row.orderId)}` },
      h('p', { class: 'bar' }, h(OrderLink, { id: row.orderId }), row.allocation !== 'complete' && h(State, { of: row.allocation })),
      nameOf(row) !== '' && h('p', null, h(Long, { text: nameOf(row) })),
      h('p', { class: 'soft' }, [pieces(count(row)), money(row.total, row.currency), storesOf(row)].filter(Boolean).join(' · '), ' · ',
        h(Time, { at: row.placedAt, short: true })))),
    more && h('button', { type: 'button', onClick: loadMore }, 'Load more'));
}
