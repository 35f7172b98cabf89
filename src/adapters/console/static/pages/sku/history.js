// The history of a level: chart, state at a selected time, open reservations, and all movements.

import { h } from '../../vendor/preact.js';
import { useEffect, useMemo, useState } from '../../vendor/hooks.js';
import { levelPath, read, readPages } from '../../api.js';
import { MOVEMENTS } from '../../feed.js';
import { href, place, refine } from '../../router.js';
import { can } from '../../session.js';
import { Badge, Curl, Empty, Loading, Long, ProblemBox, Time } from '../../parts/basics.js';
import { number, signed, time } from '../../parts/format.js';
import { useInterval, useLive, useLoad } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { Chart, momentsOf } from './chart.js';

/** @typedef {import("./chart.js").Movement} Movement */
/** @typedef {import("./actions.js").Hold} Hold */
/** @typedef {import("./actions.js").Level} Level */

const WORDS = /** @type {Record<string, string>} */ ({
  ADJUST: 'Adjustment', RESERVE: 'Reservation', RELEASE: 'Release', COMMIT: 'Commit', EXPIRE: 'Expiry', COUNT: 'Count',
});
const KINDS = new Map(Object.entries({ sale: 'Sale', return: 'Return', 'stock-in': 'Delivery', removal: 'Removal',
  opening: 'Opening' }));
/** What a shipment holds moves with its order. */
const OF_SHIPMENT = /\.s\d+$/;
/** The delay between the last input of the slider and the request. */
const REST_MS = 150;

/** The movements of a level, live. */
export function useHistory(/** @type {string} */ storeId, /** @type {string} */ sku, /** @type {boolean} */ exists) {
  const path = levelPath({ storeId, sku }, '/history');
  return useLive(async (signal) => {
    /** @type {Movement[]} */
    const movements = [];
    if (!exists) return { data: movements, sequence: null };
    const sequence = await readPages(path, { limit: 1000 }, (/** @type {Movement[]} */ items) => { movements.push(...items); }, { signal });
    return { data: movements, sequence };
  }, (shown, events) => {
    const last = shown.length === 0 ? 0 : shown[shown.length - 1].sequence;
    const ours = events.filter(({ type, payload, sequence }) =>
      MOVEMENTS.has(type) && payload.storeId === storeId && payload.sku === sku && sequence > last);
    return ours.length === 0 ? shown : [...shown, ...ours];
  }, [path, exists]);
}

/** The open reservations, derived from the movements. */
function holdsOf(/** @type {Movement[]} */ movements) {
  /** @type {Map<string, Hold>} */
  const holds = new Map();
  for (const { type, payload, before, after } of movements) {
    if (type === 'RESERVE') holds.set(payload.reservationId,
      { reservationId: payload.reservationId, qty: payload.qty, expiresAt: payload.expiresAt });
    else if (type === 'RELEASE' || type === 'COMMIT' || type === 'EXPIRE') {
      const hold = holds.get(payload.reservationId);
      // A commit may also release the rest. The reserved quantity shows how many pieces are left.
      const left = (hold?.qty ?? 0) - (before.reserved - after.reserved);
      if (hold && left > 0) holds.set(payload.reservationId, { ...hold, qty: left });
      else holds.delete(payload.reservationId);
    }
  }
  return [...holds.values()];
}

/** @param {{ level: Level, movements: Movement[], onAct: (kind: "release" | "commit", hold: Hold) => void }} props */
export function Holds({ level, movements, onAct }) {
  const holds = useMemo(() => holdsOf(movements), [movements]);
  const [, tick] = useState(0);
  useInterval(() => { if (holds.some(({ expiresAt }) => expiresAt)) tick((turn) => turn + 1); }, 1_000);
  const known = holds.reduce((sum, { qty }) => sum + qty, 0);
  const may = can('stock:reserve', level.storeId);
  return h('section', { class: 'panel', 'aria-label': 'Open reservations' },
    h('h2', null, 'Open reservations'),
    holds.length === 0
      ? h('p', { class: 'soft' }, level.reserved === 0 ? 'No pieces are reserved.' : '')
      : h('div', { class: 'sideways' }, h('table', { class: 'plain' },
        h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Reservation'), h('th', { scope: 'col', class: 'num' }, 'Quantity'),
          h('th', { scope: 'col' }, 'Expires'), may && h('th', { scope: 'col' }, h('span', { class: 'offscreen' }, 'Actions')))),
        h('tbody', null, holds.map((hold) => h('tr', { key: hold.reservationId },
          h('th', { scope: 'row', class: 'name-cell' }, h(Long, { text: hold.reservationId, code: true })),
          h('td', { class: 'num' }, number(hold.qty)),
          h('td', null, hold.expiresAt ? h('time', { dateTime: hold.expiresAt, title: time(hold.expiresAt) }, countdown(hold.expiresAt))
            : 'never'),
          may && h('td', null, OF_SHIPMENT.test(hold.reservationId) ? can('orders:read') && h('a', {
            href: href('order', { id: hold.reservationId.replace(OF_SHIPMENT, '') }),
          }, 'Show the order') : h('div', { class: 'actions' },
            h('button', { type: 'button', onClick: () => onAct('commit', hold), 'aria-label': `Commit ${hold.reservationId}` }, 'Commit'),
            h('button', { type: 'button', onClick: () => onAct('release', hold), 'aria-label': `Release ${hold.reservationId}` },
              'Release')))))))),
    level.reserved > known && h('p', { class: 'soft' },
      `${number(level.reserved - known)} more pieces are reserved by reservations in the log of another node.`));
}

function countdown(/** @type {string} */ expiresAt) {
  const seconds = Math.round((Date.parse(expiresAt) - Date.now()) / 1000);
  if (seconds <= 0) return 'now';
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  if (days > 0) return `in ${days} d ${two(hours)} h`;
  return `in ${hours > 0 ? `${hours}:` : ''}${two(minutes)}:${two(seconds % 60)}`;
}

/**
 * @param {{ storeId: string, sku: string, level: Level | undefined, history: import("../../parts/load.js").Loaded<Movement[]> }} props
 */
export function History({ storeId, sku, level, history }) {
  const { data: movements, error, reload } = history;
  const asOf = Number(place.value.params.get('asOf') ?? NaN);
  if (error && movements === null) return h(ProblemBox, { error, retry: reload });
  if (movements === null) return h(Loading, { what: 'Loading the history' });
  if (movements.length === 0) {
    return h(Empty, { title: 'No movements yet' },
      level ? 'The level comes from the log of another node.' : 'The first delivery or count creates the level.');
  }
  const last = movements.length - 1;
  // The state after the last movement up to `asOf`.
  const found = Number.isNaN(asOf) ? last : movements.findLastIndex(({ sequence }) => sequence <= asOf);
  const index = Number.isNaN(asOf) ? last : Math.max(0, found);
  const choose = (/** @type {number} */ next) => refine({ asOf: next >= last ? '' : movements[next].sequence });
  return [
    error && h(ProblemBox, { key: 'error', error, retry: reload }),
    h('section', { key: 'chart', class: 'panel', 'aria-label': 'Over time' },
      h('h2', null, 'Over time'),
      h(Chart, { movements, at: Number.isNaN(asOf) ? null : momentsOf(movements)[index] }),
      movements.length > 1 && h(Moment, { storeId, sku, movements, index, asOf, choose })),
    h('section', { key: 'history', class: 'history', 'aria-label': 'History' },
      h('h2', null, 'History'),
      h(Table, {
        label: 'History', fit: true, columns: COLUMNS, count: movements.length, row: (/** @type {number} */ at) => movements[last - at],
        keyOf: (/** @type {Movement} */ { sequence }) => sequence,
        onOpen: (/** @type {Movement} */ { sequence }) => choose(movements.findIndex((movement) => movement.sequence === sequence)),
      }),
      h('p', { class: 'soft' }, `${number(movements.length)} movements, the last one first. A click shows the level as it was then.`),
      h(Curl, { method: 'GET', path: levelPath({ storeId, sku }, '/history') })),
  ];
}

/**
 * The past level at the movement that the slider selects, as the node reports it.
 *
 * @param {{ storeId: string, sku: string, movements: Movement[], index: number, asOf: number, choose: (index: number) => void }} props
 */
function Moment({ storeId, sku, movements, index, asOf, choose }) {
  const path = levelPath({ storeId, sku });
  const isNow = Number.isNaN(asOf);
  const then = useLoad(async (signal) => {
    if (isNow) return null;
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    return signal.aborted ? null : (await read(path, { asOf }, { signal })).data;
  }, [path, asOf, isNow]);
  const { sequence, ts } = movements[index];
  const last = movements[movements.length - 1].after;
  useEffect(() => { if (isNow) then.set(/** @type {any} */ (null)); }, [isNow]);
  const shown = isNow ? last : then.data;
  const cell = (/** @type {string} */ title, /** @type {"onHand" | "reserved" | "qty"} */ key) => h('span', null, title, ' ',
    h('b', null, shown ? number(shown[key]) : '…'),
    !isNow && shown && shown[key] !== last[key] && h('span', { class: 'soft' }, ` (now ${number(last[key])})`));
  return h('div', { class: 'moment' },
    h('label', null, h('span', null, 'As of'),
      h('input', {
        type: 'range', min: 0, max: movements.length - 1, step: 1, value: index,
        'aria-valuetext': isNow ? 'now' : `sequence ${sequence}, ${time(ts)}`,
        onInput: (/** @type {any} */ event) => choose(Number(event.currentTarget.value)),
      })),
    h('p', { class: 'moment-numbers', role: 'group', 'aria-label': 'Level at the selected time' },
      h('span', { class: 'moment-time' }, isNow ? 'Now' : [h(Time, { at: ts }), ` · sequence ${number(sequence)}`]),
      cell('On hand', 'onHand'), cell('Reserved', 'reserved'), cell('Sellable', 'qty'),
      !isNow && h('button', { type: 'button', class: 'quiet', onClick: () => refine({ asOf: '' }) }, 'Back to now')),
    then.error && h(ProblemBox, { error: then.error, retry: then.reload }),
    !isNow && h(Curl, { method: 'GET', path, query: { asOf } }));
}

/** The name of a movement. An import writes the kind of the row as the reason. */
const wordOf = (/** @type {Movement} */ { type, payload }) => KINDS.get(payload.kind ?? payload.reason) ?? WORDS[type] ?? type;

/** The reason, reference and reservation of a movement. */
function about(/** @type {Movement} */ { payload }) {
  return [KINDS.has(payload.reason) ? '' : payload.reason, payload.reference, payload.reservationId,
    payload.occurredAt && `occurred ${time(payload.occurredAt)}`]
    .filter(Boolean).join(' · ');
}

const change = (/** @type {"onHand" | "reserved"} */ key) => (/** @type {Movement} */ { before, after }) => {
  const by = after[key] - before[key];
  return by === 0 ? h('span', { class: 'soft' }, '·') : signed(by);
};

/** @type {import("../../parts/table.js").Column<Movement>[]} */
const COLUMNS = [
  { id: 'ts', title: 'Time', head: true, width: '13rem', cell: ({ ts }) => h(Time, { at: ts }) },
  { id: 'type', title: 'Type', width: '9.2rem', wide: true, cell: (movement) => h(Badge, null, wordOf(movement)) },
  { id: 'change', title: 'Change', num: true, width: '5.4rem', cell: change('onHand') },
  { id: 'promised', title: 'Reserved ±', num: true, wide: true, width: '7.2rem', cell: change('reserved') },
  { id: 'onHand', title: 'On hand', num: true, width: '5.9rem', cell: ({ after }) => number(after.onHand) },
  { id: 'reserved', title: 'Reserved', num: true, wide: true, width: '6.5rem', cell: ({ after }) => number(after.reserved) },
  { id: 'qty', title: 'Sellable', num: true, wide: true, width: '5.9rem', cell: ({ after }) => number(after.qty) },
  { id: 'actor', title: 'Actor', wide: true, width: '8%', cell: ({ actor }) => h(Long, { text: actor }) },
  { id: 'reason', title: 'Reason', wide: true, cell: (movement) => h(Long, { text: about(movement) }) },
  { id: 'sequence', title: 'Sequence', num: true, wide: true, width: '6.8rem', cell: ({ sequence }) => number(sequence) },
];
