// One order: its lines, its shipments, the steps that can follow, and its history.

import { h } from '../../vendor/preact.js';
import { ApiError, read } from '../../api.js';
import { href, place } from '../../router.js';
import { can, me } from '../../session.js';
import { Badge, Curl, Empty, Loading, Long, Page, ProblemBox, Time } from '../../parts/basics.js';
import { number } from '../../parts/format.js';
import { money, orderOf, State, stepsOfOrder, stepsOfShipment, useFresh, useSteps } from '../../parts/orders.js';
import { ShipmentCard } from '../shipments/card.js';
import { toldOf } from './history.js';

/** @typedef {import("../../parts/orders.js").Order} Order */
/** @typedef {import("../../api.js").Schemas["OrderRevision"]} Revision */

export default function OneOrder() {
  const id = place.value.params.get('id') ?? '';
  return h(Shown, { key: id, id });
}

/** @param {{ id: string }} props */
function Shown({ id }) {
  const path = `/orders/${encodeURIComponent(id)}`;
  const { data, error, reload } = useFresh(async (signal) => {
    if (id === '') return { data: null, sequence: null };
    const [order, history] = await Promise.all(['', '/history'].map((below) => read(path + below, {}, { signal, quiet: true })));
    return { data: { order: /** @type {Order} */ (order.data), history: /** @type {Revision[]} */ (history.data.items) }, sequence: null };
  }, (event) => orderOf(event) === id, [id]);
  const order = data?.order;
  const steps = useSteps(() => order, stepsOfOrder, reload);
  // Nothing of an order on hold is sent.
  const parts = useSteps((part) => order?.shipments.find(({ shipmentId }) => shipmentId === part), (shipment) =>
    stepsOfShipment(shipment).filter(({ kind }) => !order?.onHold || (kind !== 'instruct' && kind !== 'ship')), reload);
  if (id === '' || (error instanceof ApiError && error.status === 404 && !order)) {
    const title = id === '' ? 'No order is chosen' : `There is no order ${id}, or none that you may see`;
    return h(Page, { title: 'Order' }, h(Empty, { title }, h('a', { href: href('orders') }, 'Show the orders')));
  }
  return h(Page, { title: `Order ${id}`, actions: order && steps.buttons(id, order) },
    error && h(ProblemBox, { error, retry: reload }),
    !order && !error && h(Loading, null),
    order && [
      h('p', { key: 'bar', class: 'bar' }, h(State, { of: order.status }),
        (order.status === 'PLACED' || order.status === 'CONFIRMED') && h(State, { of: order.allocation }),
        order.onHold && h(Badge, { kind: 'low', icon: 'low' }, 'On hold'),
        h('span', null, 'placed ', h(Time, { at: order.placedAt }), `, version ${number(order.version)}`)),
      h(Lines, { key: 'lines', order }),
      h('div', { key: 'panels', class: 'panels' }, h(Customer, { order }), h(Facts, { order })),
      order.shipments.length > 0 && h('section', { key: 'shipments', class: 'stack', 'aria-label': 'Shipments' },
        h('h2', null, 'Shipments'),
        h('div', { class: 'panels' }, [...order.shipments].reverse().map((shipment) => h(ShipmentCard, {
          key: shipment.shipmentId, shipment, title: can('orders:ship', shipment.storeId)
            ? h('a', { href: href('shipments', { store: shipment.storeId }) }, shipment.storeId) : shipment.storeId,
          nameOf: (sku) => order.lines.find((line) => line.sku === sku)?.name ?? '',
        }, parts.buttons(shipment.shipmentId, shipment))))),
      h('section', { key: 'history', class: 'panel', 'aria-label': 'History' }, h('h2', null, 'History'),
        h('ul', { class: 'rows' }, toldOf(data.history, order.currency).map(({ at, actor, sentences }) => h('li', { key: at + sentences },
          h('p', { class: 'soft' }, h(Time, { at }), ' by ', actor === me.value?.principalId ? 'you' : h('code', null, actor)),
          h('p', { dir: 'auto' }, sentences))))),
      h(Curl, { key: 'curl', method: 'GET', path }),
    ],
    steps.dialog, parts.dialog);
}

/** @param {{ order: Order }} props */
function Lines({ order: { lines, currency, total } }) {
  const counts = /** @type {const} */ ([['Ordered', 'qty'], ['Waiting', 'waiting'], ['Held', 'open'], ['Shipped', 'shipped'],
    ['Delivered', 'delivered'], ['Cancelled', 'cancelled']]);
  const amounts = /** @type {const} */ ([['Price', 'unitPrice'], ['Discount', 'discount'], ['Tax', 'tax'], ['Amount', 'amount']])
    .filter(([, key]) => lines.some((line) => line[key]));
  // A narrow screen has no room for columns that say nothing.
  const classOf = (/** @type {(typeof counts)[number][1] | (typeof amounts)[number][1]} */ key) =>
    (key === 'unitPrice' || lines.every((line) => !line[key]) ? 'num wide' : 'num');
  return h('section', { class: 'panel', 'aria-label': 'Lines' },
    h('div', { class: 'sideways' }, h('table', { class: 'plain' },
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'SKU'), h('th', { scope: 'col', class: 'wide' }, 'Name'),
        [...counts, ...amounts].map(([title, key]) => h('th', { key, scope: 'col', class: classOf(key) }, title)))),
      h('tbody', null, lines.map((line) => h('tr', { key: line.line },
        h('th', { scope: 'row' }, can('stock:read') ? h('a', { href: href('sku', { sku: line.sku }) }, line.sku) : line.sku),
        h('td', { class: 'name-cell wide' }, h(Long, { text: line.name ?? '' })),
        counts.map(([, key]) => h('td', { key, class: classOf(key) },
          line[key] === 0 ? h('span', { class: 'soft' }, '·') : number(line[key]))),
        amounts.map(([, key]) => h('td', { key, class: classOf(key) }, money(line[key], currency)))))))),
    total !== undefined && h('p', { class: 'num' }, 'Total ', h('b', null, money(total, currency))));
}

/** @param {{ order: Order }} props */
function Customer({ order: { customer, shipTo, customerId, personalErased } }) {
  const address = shipTo && [shipTo.name, shipTo.street, shipTo.street2, [shipTo.postalCode, shipTo.city].filter(Boolean).join(' '),
    shipTo.region, shipTo.country].filter(Boolean).join('\n');
  return h('section', { class: 'panel', 'aria-label': 'Customer' }, h('h2', null, 'Customer'),
    personalErased && h('p', null, 'Name and address were erased.'),
    !personalErased && !customer && !shipTo && !customerId && h('p', { class: 'soft' }, 'The order names nobody.'),
    h(List, { facts: [['Name', customer?.name], ['E-mail', customer?.email], ['Telephone', customer?.phone],
      ['Address', address && h('span', { class: 'lines' }, address)],
      ['Customer id', customerId && h('a', { href: href('orders', { customer: customerId }) }, customerId)]] }));
}

/** @param {{ order: Order }} props */
function Facts({ order: { channelId, externalId, policy, currency, paymentStatus, payments, returns } }) {
  const partial = { refuse: 'the order is refused', backorder: 'they wait for stock', 'cancel-rest': 'they are cancelled' };
  const lines = (/** @type {string[]} */ texts) => texts.length > 0 && h('span', { class: 'lines' }, texts.join('\n'));
  return h('section', { class: 'panel', 'aria-label': 'Details' }, h('h2', null, 'Details'),
    h(List, { facts: [['Channel', channelId], ['Id there', externalId], ['Payment', paymentStatus.replace('-', ' ')],
      ['Payments', lines(payments.map(({ paymentId, kind, amount }) => `${money(amount, currency)} ${kind} (${paymentId})`))],
      ['Returns', lines(returns.map(({ returnId, state, storeId }) => `${returnId}: ${state}${storeId ? ` in ${storeId}` : ''}`))],
      ['If pieces are missing', partial[policy.partial ?? 'refuse']],
      ['Stores hold stock', policy.stock === 'none' ? 'when it is confirmed' : 'when it is placed'],
      ['Confirmed', policy.confirm === 'auto' ? 'when it is placed' : 'by hand']] }));
}

/** @param {{ facts: [string, import("preact").ComponentChildren][] }} props */
function List({ facts }) {
  return h('dl', { class: 'facts' }, facts.filter(([, value]) => value).map(([name, value]) => [h('dt', { key: name }, name),
    h('dd', { key: `${name}-value`, dir: 'auto' }, value)]));
}
