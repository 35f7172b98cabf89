// What the pages of orders and shipments share: words, lists that follow the feed, and the dialog of a step.

import { h } from '../vendor/preact.js';
import { useCallback, useEffect, useMemo, useRef, useState } from '../vendor/hooks.js';
import { read, readPages } from '../api.js';
import { href } from '../router.js';
import { can, canEverywhere } from '../session.js';
import { Badge } from './basics.js';
import { useFlash } from './flash.js';
import { ChangeDialog, Field } from './form.js';
import { number } from './format.js';
import { useInterval, useLive, useLoad } from './load.js';

/** @typedef {import("../api.js").Schemas} Schemas */
/** @typedef {Schemas["Order"]} Order */
/** @typedef {Schemas["Shipment"] & Partial<Schemas["ShipmentToSend"]>} Shipment */
/** @typedef {import("../feed.js").FeedEvent} FeedEvent */

const ROWS = 50;
const ROWS_MAX = 5_000;
/** The most rows of one answer. */
const PAGE = 1_000;
/** The least time between two reads of what changes all the time. */
const REST_MS = 1_000;
const POLL_MS = 10_000;

/** @type {Record<string, [word: string, kind?: "ok" | "low" | "out"]>} */
const STATES = {
  PLACED: ['Placed'], CONFIRMED: ['Confirmed'], SHIPPED: ['Shipped'], DELIVERED: ['Delivered', 'ok'], CANCELLED: ['Cancelled', 'out'],
  none: ['No stores yet', 'low'], waiting: ['Waits for stock', 'low'], partial: ['Partly waits', 'low'], complete: ['Stores found'],
  held: ['Held'], instructed: ['To send', 'low'], shipped: ['Shipped'], delivered: ['Delivered', 'ok'], refused: ['Refused', 'out'],
  cancelled: ['Cancelled', 'out'],
};

/** The word of a status, of an allocation or of the state of a shipment. */
export const wordOf = (/** @type {string} */ state) => STATES[state]?.[0] ?? state;

/** The same as options of a filter. @returns {[string, string][]} */
export const optionsOf = (/** @type {string} */ all, /** @type {string[]} */ states) =>
  [['', all], ...states.map((state) => /** @type {[string, string]} */ ([state, wordOf(state)]))];

/** @param {{ of: string }} props */
export function State({ of }) {
  const kind = STATES[of]?.[1];
  return h(Badge, { kind, icon: kind }, wordOf(of));
}

/** Why a store refuses, and what becomes of its stock. @type {Record<string, [why: string, effect: string]>} */
export const REFUSALS = {
  'not-in-stock': ['Not in stock', 'The level of each SKU is counted down to what others hold.'],
  short: ['Short', 'The pieces are missing: they are removed from stock.'],
  damaged: ['Damaged', 'The pieces are damaged: they are removed from stock.'],
  busy: ['Busy', 'The stock stays as it is.'],
  closed: ['Closed', 'The stock stays as it is.'],
};

export const pieces = (/** @type {number} */ qty) => `${number(qty)} ${qty === 1 ? 'piece' : 'pieces'}`;

/** `3 × TEA, 1 × CUP`, without lines that have none. */
export const listed = (/** @type {{ sku: string, qty: number }[]} */ lines) =>
  lines.filter(({ qty }) => qty > 0).map(({ sku, qty }) => `${number(qty)} × ${sku}`).join(', ');

export const sum = (/** @type {number[]} */ numbers) => numbers.reduce((one, other) => one + other, 0);

/** An amount in minor units. */
export function money(/** @type {number | undefined} */ amount, /** @type {string | undefined} */ currency) {
  if (amount === undefined || currency === undefined) return '';
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 0));
}

/** The end of an id that the node has made tells orders apart. */
export const short = (/** @type {string} */ id) => id.replace(/^o-[0-9a-f-]{28}/, 'o-…');

/** @param {{ id: string }} props */
export function OrderLink({ id }) {
  const code = h('code', { title: id }, short(id));
  return can('orders:read') ? h('a', { href: href('order', { id }) }, code) : code;
}

/** The order that an event is about: of a caller who sees no orders in the feed, by the stock that is held for it. */
export function orderOf(/** @type {FeedEvent} */ { payload }) {
  return payload.orderId ?? /^(.*)\.s\d+$/.exec(payload.shipmentId ?? payload.reservationId ?? '')?.[1];
}

/** The stores that the caller may choose from. */
export function useStores(/** @type {string} */ permission) {
  return useLoad(async (signal) => {
    /** @type {string[]} */
    const stores = [];
    if (!can('stores:read')) return stores;
    await readPages('/stores', { limit: PAGE }, (/** @type {{ storeId: string }[]} */ items) => {
      stores.push(...items.map(({ storeId }) => storeId).filter((id) => can(permission, id)));
    }, { signal });
    return stores;
  }, [permission]).data ?? [];
}

/**
 * Loads, and loads again after events that it is about: at once after the first one, and then every second.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<{ data: T, sequence: number | null }>} load
 * @param {(event: FeedEvent) => unknown} isAbout
 * @param {unknown[]} deps
 */
export function useFresh(load, isAbout, deps) {
  const next = useRef({ at: 0, timer: /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined) });
  const loaded = useLive(load, (data, events) => {
    const { current } = next;
    current.timer ??= events.some(isAbout) ? setTimeout(() => {
      next.current = { at: Date.now() + REST_MS, timer: undefined };
      loaded.reload();
    }, Math.max(0, current.at - Date.now())) : undefined;
    return data;
  }, deps);
  useEffect(() => () => clearTimeout(next.current.timer), []);
  // The feed of who sees some stores has no step that moves no stock.
  useInterval(() => { if (can('events:read') && !canEverywhere('orders:read')) loaded.reload(); }, POLL_MS);
  return loaded;
}

/**
 * A list of orders or shipments, live, as far as it was asked for.
 *
 * @template {{ version: number }} T
 * @param {string} path
 * @param {import("../api.js").Query} query
 * @param {(row: T) => string} idOf
 * @param {(event: FeedEvent) => unknown} [isAbout]
 */
export function useRows(path, query, idOf, isAbout = orderOf) {
  const key = JSON.stringify([path, query]);
  const [asked, setAsked] = useState({ key, rows: ROWS });
  const wanted = asked.key === key ? asked.rows : ROWS;
  const [, draw] = useState(0);
  const flash = useFlash(useCallback(() => draw((turn) => turn + 1), []));
  const seen = useRef(/** @type {{ key: string, versions: Map<string, number> }} */ ({ key: '', versions: new Map() }));
  const loaded = useFresh(async (signal) => {
    /** @type {T[]} */
    const rows = [];
    let more = false;
    const sequence = await readPages(path, { ...query, limit: Math.min(wanted, PAGE) }, (/** @type {T[]} */ items, data) => {
      rows.push(...items);
      more = data.nextCursor !== null;
      return rows.length < wanted;
    }, { signal });
    const { versions } = seen.current;
    if (seen.current.key === key + wanted) flash.mark(rows.filter((row) => versions.get(idOf(row)) !== row.version).map(idOf));
    seen.current = { key: key + wanted, versions: new Map(rows.map((row) => [idOf(row), row.version])) };
    return { data: { key, rows, more }, sequence };
  }, isAbout, [key, wanted]);
  const data = loaded.data?.key === key ? loaded.data : null;
  return {
    ...loaded, rows: data?.rows ?? null, flash, more: data !== null && data.more && data.rows.length < ROWS_MAX,
    loadMore: () => setAsked({ key, rows: wanted + (wanted < PAGE ? ROWS : PAGE) }),
  };
}

/**
 * A step that can be taken.
 *
 * @typedef {object} Step
 * @property {string} kind
 * @property {string} title
 * @property {string} [button] Its button, where that says less.
 * @property {string} path
 * @property {number} version The version that it is for.
 * @property {string} state The state that it starts from.
 * @property {string} [text] What it does.
 * @property {boolean} [danger]
 * @property {Record<string, unknown>} [body]
 * @property {[name: string, label: string, options?: [string, string][]][]} [fields]
 * @property {{ line: number, sku: string, qty: number }[]} [lines] Pieces by line, of which some can be chosen.
 */

const CARRIER = /** @type {[string, string][]} */ ([['carrier', 'Carrier'], ['tracking', 'Tracking number']]);
const REASON = /** @type {[string, string]} */ (['reason', 'Reason']);
/** @type {Step["fields"]} */
const REFUSAL = [['reason', 'Reason', Object.entries(REFUSALS).map(([id, [why]]) => [id, why])], ['note', 'Note']];

/** The steps that an order can take. @returns {Step[]} */
export function stepsOfOrder(/** @type {Order} */ { orderId, status, version, lines, policy, onHold }) {
  if (!can('orders:manage')) return [];
  const path = `/orders/${encodeURIComponent(orderId)}`;
  const waiting = sum(lines.map((line) => line.waiting));
  const isOpen = status === 'PLACED' || status === 'CONFIRMED';
  const goesOn = isOpen && !onHold;
  const about = { version, state: wordOf(status) };
  const open = listed(lines.map(({ sku, open: qty }) => ({ sku, qty })));
  return [
    status === 'PLACED' && goesOn && { ...about, kind: 'confirm', title: 'Confirm', path: `${path}/confirm`, body: {},
      text: waiting === 0 ? 'The order is confirmed. Its stores hold all pieces.'
        : `${pieces(waiting)} wait. Stores hold what they have of them, ${policy.partial === 'backorder' ? 'and the rest goes on waiting.'
          : 'and it is refused if they do not have all.'}` },
    goesOn && waiting > 0 && { ...about, kind: 'allot', title: 'Find stores', path: `${path}/allot`, body: {},
      text: `${pieces(waiting)} wait. Stores hold what they have of them.` },
    goesOn && waiting === 0 && { ...about, kind: 'ship', title: 'Ship all', path: `${path}/status`, body: { status: 'SHIPPED' },
      fields: CARRIER, text: `Everything that stores hold leaves: ${open}.` },
    status === 'SHIPPED' && { ...about, kind: 'deliver', title: 'Mark delivered', path: `${path}/status`, body: { status: 'DELIVERED' },
      text: 'Everything has reached the customer.' },
    isOpen && (onHold ? { ...about, kind: 'release', title: 'Release hold', path: `${path}/release-hold`, body: {},
      text: 'The order goes on where it stood.' }
      : { ...about, kind: 'hold', title: 'Put on hold', path: `${path}/hold`, fields: [REASON],
        text: 'Nothing is sent until the hold is released. Stores go on holding the pieces.' }),
    isOpen && lines.every((line) => line.shipped === 0) && { ...about, kind: 'cancel', title: 'Cancel order', path: `${path}/cancel`,
      fields: [REASON], danger: true, text: 'The pieces that are held become sellable again. This cannot be undone.' },
  ].filter((step) => step !== false);
}

/** The steps that a shipment can take. @returns {Step[]} */
export function stepsOfShipment(/** @type {Shipment} */ { shipmentId, storeId, state, version, lines }) {
  if (!can('orders:ship', storeId)) return [];
  const path = `/shipments/${encodeURIComponent(shipmentId)}`;
  const held = lines.filter((line) => line.held > 0).map(({ line, sku, held: qty }) => ({ line, sku, qty }));
  const way = listed(lines.map(({ sku, shipped, delivered }) => ({ sku, qty: shipped - delivered })));
  const about = { version, state: wordOf(state) };
  const holds = held.length > 0;
  return [
    state === 'held' && { ...about, kind: 'instruct', title: 'Instruct', path: `${path}/instruct`, body: {},
      text: `${storeId} is to send ${listed(held)}.` },
    holds && { ...about, kind: 'ship', title: 'Ship', path: `${path}/ship`, lines: held, fields: CARRIER,
      text: 'These pieces leave the store.' },
    way !== '' && { ...about, kind: 'deliver', title: 'Mark delivered', path: `${path}/deliver`, body: {},
      text: `${way} reached the customer.` },
    holds && { ...about, kind: 'refuse', title: 'Refuse', path: `${path}/refuse`, danger: true,
      fields: REFUSAL,
      text: `${storeId} does not send ${listed(held)}. Other stores send it in its place, or it waits for stock.` },
    holds && { ...about, kind: 'cancel', title: 'Cancel shipment', button: 'Cancel', path: `${path}/cancel`, danger: true, fields: [REASON],
      text: `${listed(held)} becomes sellable again, and the order waits for a store.` },
  ].filter((step) => step !== false);
}

/**
 * Buttons of steps, and the dialog of the one that was chosen.
 *
 * @template T
 * @param {(id: string) => T | undefined} find What has the id now.
 * @param {(it: T) => Step[]} stepsOf
 * @param {() => void} reload
 * @param {(step: Step, answer: any) => void} [onDone]
 */
export function useSteps(find, stepsOf, reload, onDone) {
  const [chosen, setChosen] = useState(/** @type {{ id: string, step: Step } | null} */ (null));
  const it = chosen && find(chosen.id);
  return {
    buttons: (/** @type {string} */ id, /** @type {T} */ of) => stepsOf(of).map((step, index) => h('button', {
      key: step.kind, type: 'button', class: index === 0 && !step.danger ? 'primary' : undefined, onClick: () => setChosen({ id, step }),
    }, step.button ?? step.title)),
    dialog: chosen && h(StepDialog, {
      key: chosen.id + chosen.step.kind, opened: chosen.step, reload, onClose: () => setChosen(null),
      now: it ? stepsOf(it).find(({ kind }) => kind === chosen.step.kind) ?? null : null,
      onDone: (answer) => {
        reload();
        onDone?.(chosen.step, answer.data);
      },
    }),
  };
}

/**
 * A step as it was when its dialog was opened, and as it is offered now.
 *
 * @param {{ opened: Step, now: Step | null, reload: () => void, onClose: () => void,
 *   onDone: (answer: import("../api.js").Answer<any>) => void }} props
 */
function StepDialog({ opened, now, reload, onClose, onDone }) {
  const [version, setVersion] = useState(opened.version);
  const [isSent, setSent] = useState(false);
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const { title, danger, text, path, body, fields = [], lines = [] } = now ?? opened;
  const hasChanged = !isSent && now?.version !== version;
  const chosen = lines.map(({ line, qty }) => ({ line, qty: Number(values[line] ?? qty) }));
  const isWhole = lines.every(({ qty }, index) => chosen[index].qty === qty);
  const wrong = chosen.map(({ qty }, index) => !(Number.isInteger(qty) && qty >= 0 && qty <= lines[index].qty));
  const set = (/** @type {string | number} */ name) => (/** @type {string} */ value) => setValues({ ...values, [name]: value });
  const filled = fields.map(([name, , options]) => [name, values[name]?.trim() || options?.[0][0] || undefined]);
  return h(ChangeDialog, {
    title, submit: title, danger, onClose, onDone, said: `${title}: done`,
    valid: !hasChanged && !wrong.includes(true) && (lines.length === 0 || chosen.some(({ qty }) => qty > 0)),
    onBusy: (busy) => {
      setSent(busy);
      if (!busy) reload();
    },
    explain: (error) => error.problem.currentVersion === version && h('p', { class: 'hint', role: 'status' }, 'Nothing was changed yet.'),
    request: () => ({
      method: 'POST', path, headers: { 'if-match': `"${version}"` },
      body: { ...body, ...Object.fromEntries(filled), lines: isWhole ? undefined : chosen.filter(({ qty }) => qty > 0) },
    }),
  },
  hasChanged && h('section', { class: 'note', role: 'alert' },
    h('p', null, h('strong', null, 'Another step was taken meanwhile. '), now ? `It is now: ${now.state}.`
      : 'This step is not possible any more.'),
    now && h('p', { class: 'actions' }, h('button', { type: 'button', onClick: () => setVersion(now.version) }, 'Continue'))),
  text && h('p', null, text),
  lines.length > 0 && h('div', { class: 'fields' }, lines.map(({ line, sku, qty }, index) => h(Field, {
    key: line, label: `${sku} (of ${number(qty)})`, value: values[line] ?? String(qty), onInput: set(line), inputMode: 'numeric',
    autoComplete: 'off', error: wrong[index] ? `A whole number from 0 to ${number(qty)}.` : null,
  }))),
  fields.map(([name, label, options]) => h(Field, {
    key: name, label, value: values[name] ?? options?.[0][0] ?? '', onInput: set(name), options, maxLength: options ? undefined : 256,
    hint: options && REFUSALS[values[name] ?? options[0][0]]?.[1],
  })));
}

/** Names of SKUs. They are asked for once. @type {Map<string, string>} */
const names = new Map();

/** The names of SKUs in a store, as far as they are known. */
export function useNames(/** @type {string} */ storeId, /** @type {string[]} */ skus) {
  const key = useMemo(() => skus.filter((sku) => !names.has(sku)).sort().join(), [skus]);
  useLoad(async (signal) => {
    if (key === '' || !can('stock:read', storeId)) return;
    const unknown = new Set(key.split(','));
    await readPages('/stock/current', { storeId, limit: PAGE }, (/** @type {{ sku: string, name?: string }[]} */ levels) => {
      for (const { sku, name } of levels) {
        names.set(sku, name ?? '');
        unknown.delete(sku);
      }
      return unknown.size > 0;
    }, { signal });
    for (const sku of unknown) names.set(sku, '');
  }, [storeId, key]);
  return (/** @type {string} */ sku) => names.get(sku) ?? '';
}

/** What has become of a shipment that its store has refused, in words. @returns {Promise<string>} */
export async function afterRefusal(/** @type {Shipment} */ refused) {
  if (!can('orders:read')) return 'Other stores send it where they have it; the rest waits for stock.';
  const { data } = await read(`/orders/${encodeURIComponent(refused.orderId)}`);
  const order = /** @type {Order} */ (data);
  const instead = order.shipments.filter(({ version, updatedAt }) => version === 1 && updatedAt >= refused.updatedAt);
  const waiting = listed(order.lines.map(({ sku, waiting: qty }) => ({ sku, qty })));
  return [
    ...instead.map(({ storeId, lines }) => `${storeId} sends ${listed(lines)} now.`), waiting !== '' && `${waiting} waits for stock.`,
  ].filter(Boolean).join(' ');
}
