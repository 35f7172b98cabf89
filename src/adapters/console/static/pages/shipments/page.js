// What a store has to send: a pick list, and each shipment with its steps.

import { h } from '../../vendor/preact.js';
import { useEffect, useMemo, useState } from '../../vendor/hooks.js';
import { place, refine } from '../../router.js';
import { can, me } from '../../session.js';
import { Curl, Empty, Loading, Page, ProblemBox, Time } from '../../parts/basics.js';
import { Field } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { keep, kept } from '../../parts/kept.js';
import {
  afterRefusal, optionsOf, OrderLink, orderOf, pieces, short, stepsOfShipment, sum, useNames, useRows, useSteps, useStores,
} from '../../parts/orders.js';
import { ShipmentCard } from './card.js';

/** @typedef {import("../../parts/orders.js").Shipment} Shipment */

const KEPT = 'onhand.store';

export default function Shipments() {
  const known = useStores('orders:ship');
  const granted = (me.value?.grants ?? []).flatMap((grant) => grant.stores ?? []).filter((id) => can('orders:ship', id));
  const stores = [...new Set([...known, ...granted])].sort();
  const given = place.value.params.get('store');
  const before = kept(KEPT);
  const storeId = given ?? (before !== null && stores.includes(before) ? before : stores.length === 1 ? stores[0] : '');
  useEffect(() => { if (given) keep(KEPT, given); }, [given]);
  return h(Page, {
    title: 'Shipments', about: 'What a store has to send, the oldest order first.',
    actions: storeId !== '' && h('button', { type: 'button', onClick: () => print() }, 'Print'),
  },
  h('div', { class: 'filters', role: 'search', 'aria-label': 'Shipments' },
    h(Field, { label: 'Store', value: storeId, onInput: (store) => refine({ store }),
      options: [['', 'Choose a store'], ...(storeId === '' || stores.includes(storeId) ? [] : [storeId]), ...stores] }),
    h(Field, { label: 'State', value: place.value.params.get('state') ?? '', onInput: (state) => refine({ state }),
      options: optionsOf('All open shipments', ['held', 'instructed', 'shipped']) })),
  storeId === '' ? h(Empty, { title: 'Choose a store' }, 'Its shipments are shown here. The choice is remembered in this browser.')
    : h(OfStore, { key: storeId, storeId }));
}

/** @param {{ storeId: string }} props */
function OfStore({ storeId }) {
  const state = place.value.params.get('state') ?? '';
  const { rows: all, error, reload, more, loadMore, flash } = useRows('/shipments', { storeId },
    (/** @type {Shipment} */ { shipmentId }) => shipmentId, (event) => event.payload.storeId === storeId && orderOf(event));
  const rows = useMemo(() => all?.filter((row) => state === '' || row.state === state) ?? null, [all, state]);
  const nameOf = useNames(storeId, useMemo(() => [...new Set(rows?.flatMap(({ lines }) => lines.map(({ sku }) => sku)))], [rows]));
  const [said, setSaid] = useState('');
  const steps = useSteps((id) => all?.find(({ shipmentId }) => shipmentId === id), stepsOfShipment, reload, (step, shipment) => {
    setSaid('');
    if (step.kind !== 'refuse') return;
    const told = `${storeId} does not send shipment ${short(shipment.shipmentId)}. `;
    afterRefusal(shipment).then((then) => setSaid(told + then), () => setSaid(told));
  });
  const path = '/shipments';
  return [
    said && h('div', { key: 'said', class: 'note', role: 'status' }, said),
    error && h(ProblemBox, { key: 'error', error, retry: reload }),
    rows === null && !error && h(Loading, { key: 'loading' }),
    rows?.length === 0 && h(Empty, { key: 'empty', title: `${storeId} has nothing to send` },
      state === '' ? 'New shipments appear here.' : 'No shipment has this state.'),
    rows !== null && rows.length > 0 && [
      h(PickList, { key: 'pick', storeId, rows, nameOf }),
      h('p', { key: 'bar', class: 'bar', role: 'status' }, `${number(rows.length)} ${rows.length === 1 ? 'shipment' : 'shipments'}`,
        more && h('button', { type: 'button', onClick: loadMore }, 'Load more')),
      h('div', { key: 'cards', class: 'panels' }, rows.map((row) => h(ShipmentCard, {
        key: row.shipmentId, shipment: row, nameOf, flash: flash.classOf(row.shipmentId), more: h(To, { shipment: row }),
        title: h(OrderLink, { id: row.orderId }),
      }, steps.buttons(row.shipmentId, row)))),
    ],
    h(Curl, { key: 'curl', method: 'GET', path, query: { storeId } }), steps.dialog,
  ];
}

/** Where it goes. @param {{ shipment: Shipment }} props */
function To({ shipment: { customer, shipTo, placedAt } }) {
  const name = shipTo?.name ?? customer?.name;
  const lines = [name, shipTo?.street, shipTo?.street2, [shipTo?.postalCode, shipTo?.city].filter(Boolean).join(' '), shipTo?.region,
    shipTo?.country, customer?.phone];
  return [
    h('p', { key: 'at', class: 'soft' }, 'placed ', placedAt && h(Time, { at: placedAt })),
    h('p', { key: 'to', class: 'lines', dir: 'auto' }, lines.filter(Boolean).join('\n')),
  ];
}

/** What is to be taken from the shelves. @param {{ storeId: string, rows: Shipment[], nameOf: (sku: string) => string }} props */
function PickList({ storeId, rows, nameOf }) {
  /** @type {Map<string, { qty: number, orders: number }>} */
  const picks = new Map();
  for (const { sku, held } of rows.flatMap(({ lines }) => lines)) {
    const { qty, orders } = picks.get(sku) ?? { qty: 0, orders: 0 };
    if (held > 0) picks.set(sku, { qty: qty + held, orders: orders + 1 });
  }
  const skus = [...picks].sort(([one], [other]) => one.localeCompare(other));
  return skus.length > 0 && h('section', { class: 'panel pick', 'aria-label': 'Pick list' },
    h('h2', null, `Pick list of ${storeId}: ${pieces(sum(skus.map(([, { qty }]) => qty)))}`),
    h('table', { class: 'plain' },
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'SKU'), h('th', { scope: 'col' }, 'Name'),
        h('th', { scope: 'col', class: 'num' }, 'Pieces'), h('th', { scope: 'col', class: 'num wide' }, 'Lines'))),
      h('tbody', null, skus.map(([sku, { qty, orders }]) => h('tr', { key: sku },
        h('th', { scope: 'row' }, sku), h('td', { dir: 'auto' }, nameOf(sku)), h('td', { class: 'num' }, h('b', null, number(qty))),
        h('td', { class: 'num wide' }, number(orders)))))));
}
