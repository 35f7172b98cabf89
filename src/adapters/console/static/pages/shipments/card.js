// A shipment: what one store sends for one order.

import { h } from '../../vendor/preact.js';
import { number } from '../../parts/format.js';
import { REFUSALS, State } from '../../parts/orders.js';

/** @typedef {import("../../parts/orders.js").Shipment} Shipment */
/** @typedef {import("preact").ComponentChildren} Children */

/**
 * @param {{ shipment: Shipment, title: Children, nameOf: (sku: string) => string, children?: Children, more?: Children,
 *   flash?: string }} props `children` are its buttons.
 */
export function ShipmentCard({ shipment, title, nameOf, children, more, flash }) {
  const { lines, state, refused, reason, carrier, tracking, shipmentId } = shipment;
  const counts = /** @type {const} */ ([['Held', 'held'], ['Shipped', 'shipped'], ['Delivered', 'delivered']])
    .filter(([, key]) => lines.some((line) => line[key] > 0));
  const said = [refused && `Refused: ${REFUSALS[refused]?.[0].toLowerCase()}`, reason, carrier && `Carrier: ${carrier}`,
    tracking && `Tracking: ${tracking}`].filter(Boolean);
  return h('section', { class: `panel shipment ${flash ?? ''}`, 'aria-label': `Shipment ${shipmentId}` },
    h('p', { class: 'bar' }, h('b', null, title), h(State, { of: state }), h('span', null, `No. ${shipmentId.replace(/^.*\.s/, '')}`)),
    more,
    h('table', { class: 'plain' },
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'SKU'), (counts.length > 0 ? counts : [['Asked', 'qty']]).map(([name]) =>
        h('th', { key: name, scope: 'col', class: 'num' }, name)))),
      h('tbody', null, lines.map((line) => h('tr', { key: line.line },
        h('th', { scope: 'row' }, line.sku, nameOf(line.sku) && h('span', { class: 'soft', dir: 'auto' }, ` ${nameOf(line.sku)}`)),
        (counts.length > 0 ? counts.map(([, key]) => line[key]) : [line.qty]).map((qty, index) =>
          h('td', { key: index, class: 'num' }, number(qty))))))),
    said.length > 0 && h('p', { class: 'above', dir: 'auto' }, said.join(' · ')),
    h('div', { class: 'actions' }, children));
}
