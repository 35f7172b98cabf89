// The details of one event.

import { h } from '../../vendor/preact.js';
import { read } from '../../api.js';
import { href } from '../../router.js';
import { can } from '../../session.js';
import { Badge, Code, Curl, Empty, Loading, Long, ProblemBox, Time } from '../../parts/basics.js';
import { Dialog } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useLoad } from '../../parts/load.js';
import { detailOf, kindOf, numbersOf, placeOf, TYPES } from './words.js';

/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */

/** @param {{ sequence: number, known: FeedEvent | null, onClose: () => void }} props */
export function EventDialog({ sequence, known, onClose }) {
  const query = { after: sequence - 1, limit: 1 };
  const loaded = useLoad(async (signal) => {
    if (known) return known;
    const { data } = await read('/events', query, { signal });
    return /** @type {FeedEvent | null} */ (data.items.find((/** @type {FeedEvent} */ event) => event.sequence === sequence) ?? null);
  }, [sequence]);
  const event = known ?? loaded.data;
  return h(Dialog, { title: `Event ${number(sequence)}`, onClose, wide: true },
    h('div', { class: 'form-body' },
      loaded.error && !event && h(ProblemBox, { error: loaded.error, retry: loaded.reload }),
      loaded.loading && !event && h(Loading, null),
      !loaded.loading && !loaded.error && !event && h(Empty, { title: 'Event not found' },
        'The log is shorter, or you have no permission for the store of the event.'),
      event && h(Facts, { event }),
      h('footer', null, h(Curl, { method: 'GET', path: '/events', query }))));
}

/** @param {{ event: FeedEvent }} props */
function Facts({ event }) {
  const place = placeOf(event);
  const numbers = numbersOf(event);
  const json = JSON.stringify(event, null, 2);
  return h('div', { class: 'stack' },
    h('dl', { class: 'facts' },
      h('dt', null, 'Type'), h('dd', null, h(Badge, { kind: kindOf(event) }, event.type), ' ', TYPES[event.type]),
      h('dt', null, 'Time'), h('dd', null, h(Time, { at: event.ts })),
      place && h('dt', null, 'Store and SKU'),
      place && h('dd', null, can('stock:read')
        ? h('a', { href: href('sku', { store: place.storeId, sku: place.sku }) }, h('bdi', null, `${place.storeId} / ${place.sku}`))
        : h('bdi', null, `${place.storeId} / ${place.sku}`)),
      h('dt', null, 'Details'), h('dd', { dir: 'auto' }, detailOf(event) || '–'),
      h('dt', null, 'Actor'), h('dd', null, h('code', { dir: 'auto' }, event.actor)),
      h('dt', null, 'Request'), h('dd', null, event.requestId ? h('code', null, event.requestId) : 'none: an internal change of the node'),
      h('dt', null, 'Node'), h('dd', null, h('code', null, event.node))),
    numbers.length > 0 && h('table', { class: 'plain', 'aria-label': 'Numbers before and after' },
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, h('span', { class: 'offscreen' }, 'Number')),
        ['Before', 'After', 'Change'].map((title) => h('th', { key: title, scope: 'col', class: 'num' }, title)))),
      h('tbody', null, numbers.map(({ name, before, after, change }) => h('tr', { key: name }, h('th', { scope: 'row' }, name),
        h('td', { class: 'num' }, before), h('td', { class: 'num' }, after), h('td', { class: 'num' }, change || '–'))))),
    h(Code, { text: json, label: 'The event as JSON', tall: true }));
}

/** The columns of a table of events. @type {import("../../parts/table.js").Column<FeedEvent>[]} */
export const COLUMNS = [
  { id: 'sequence', title: 'Sequence', num: true, head: true, width: '6.6rem', cell: (event) => number(event.sequence) },
  { id: 'time', title: 'Time', wide: true, width: '13.5rem', cell: (event) => h(Time, { at: event.ts }) },
  { id: 'type', title: 'Type', width: '7.4rem', cell: (event) => h(Badge, { kind: kindOf(event) }, event.type) },
  { id: 'store', title: 'Store', cell: (event) => h(Long, { text: placeOf(event)?.storeId ?? event.payload.storeId ?? '' }) },
  { id: 'sku', title: 'SKU', cell: (event) => h(Long, { text: placeOf(event)?.sku ?? event.payload.sku ?? '' }) },
  { id: 'sellable', title: 'Sellable', num: true, width: '6.5rem', wide: true,
    cell: (event) => (typeof event.after?.qty === 'number' ? number(event.after.qty) : '') },
  { id: 'detail', title: 'Details', wide: true, width: '26%', cell: (event) => h(Long, { text: detailOf(event) }) },
  { id: 'actor', title: 'Actor', wide: true, width: '7rem', cell: (event) => h(Long, { text: event.actor, code: true }) },
];
