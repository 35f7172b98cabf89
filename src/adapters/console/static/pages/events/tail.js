// The latest events and older ones. The API reads the log only forwards, so older events are read in ranges.

import { read } from '../../api.js';

/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */
/** @typedef {{ type: string, storeId: string, sku: string }} Filter */
/**
 * @typedef {object} Tail
 * @property {FeedEvent[]} rows In the order of the log.
 * @property {number} from The rows have all matching events after this sequence.
 * @property {number} to The last sequence that was read.
 * @property {number} came The number of rows since the first read, including dropped ones.
 */

/** The most rows that are kept. */
export const ROWS_MAX = 5_000;
/** The sequences of the first read and of a page. */
export const PAGE = 500;
const ROWS_WANTED = 50;
const WIDER_TIMES = 6;
const LIMIT = 1_000;
/** A tail that is further behind, for example after a standby, is read again. */
const RESUMED_MAX = 100_000;

/**
 * The matching events after `after` up to `upto`. Only the last `ROWS_MAX` are kept; `count` is the number of all.
 *
 * @returns {Promise<{ rows: FeedEvent[], from: number, count: number }>}
 */
async function between(
  /** @type {Filter} */ filter, /** @type {number} */ after, /** @type {number} */ upto, /** @type {AbortSignal | undefined} */ signal,
) {
  let [kept, count] = [{ rows: /** @type {FeedEvent[]} */ ([]), from: after }, 0];
  for (let at = after; at < upto; ) {
    const { data } = await read('/events', { ...filter, after: at, limit: LIMIT }, { signal });
    const more = data.items.filter((/** @type {FeedEvent} */ event) => event.sequence <= upto);
    count += more.length;
    kept = bounded([...kept.rows, ...more], kept.from);
    if (data.through <= at) break;
    at = data.through;
  }
  return { ...kept, count };
}

/** The last `ROWS_MAX` rows. @returns {{ rows: FeedEvent[], from: number }} */
function bounded(/** @type {FeedEvent[]} */ rows, /** @type {number} */ from) {
  const dropped = rows.length - ROWS_MAX;
  return dropped > 0 ? { rows: rows.slice(dropped), from: rows[dropped - 1].sequence } : { rows, from };
}

/** The last matching events. With few matches, older ranges are read, too. @returns {Promise<Tail>} */
export async function readTail(/** @type {Filter} */ filter, /** @type {AbortSignal} */ signal) {
  const { data: { end } } = await read('/events', { limit: 0 }, { signal });
  let { rows, from } = await between(filter, Math.max(0, end - PAGE), end, signal);
  for (let tried = 1; rows.length < ROWS_WANTED && from > 0 && tried <= WIDER_TIMES; tried += 1) {
    const older = await readOlder(filter, from, signal, PAGE * 2 ** tried);
    ({ rows, from } = bounded([...older.rows, ...rows], older.from));
  }
  return { rows, from, to: end, came: 0 };
}

/** Continues a tail; null if the log was replaced or is far ahead. @returns {Promise<Tail | null>} */
export async function resumeTail(/** @type {Tail} */ tail, /** @type {Filter} */ filter, /** @type {AbortSignal} */ signal) {
  const { data: { end } } = await read('/events', { limit: 0 }, { signal });
  if (end < tail.to || end - tail.to > RESUMED_MAX) return null;
  const more = await between(filter, tail.to, end, signal);
  const isWhole = more.rows.length === more.count;
  return {
    ...(isWhole ? bounded([...tail.rows, ...more.rows], tail.from) : { rows: more.rows, from: more.from }),
    to: end, came: tail.came + more.count,
  };
}

/** Appends matching events, read up to `to`. @returns {Tail} */
export function added(/** @type {Tail} */ tail, /** @type {FeedEvent[]} */ events, /** @type {number} */ to) {
  const kept = events.length === 0 ? tail : bounded([...tail.rows, ...events], tail.from);
  return { rows: kept.rows, from: kept.from, to, came: tail.came + events.length };
}

/** The matching events of a range that ends at `upto`. @returns {Promise<{ rows: FeedEvent[], from: number }>} */
export async function readOlder(
  /** @type {Filter} */ filter, /** @type {number} */ upto, /** @type {AbortSignal | undefined} */ signal = undefined, step = PAGE,
) {
  return between(filter, Math.max(0, upto - step), upto, signal);
}

/**
 * A page of matching events after `after`, in the order of the log.
 *
 * @returns {Promise<{ rows: FeedEvent[], through: number, end: number }>}
 */
export async function readPage(
  /** @type {Filter & { since: string }} */ filter, /** @type {number} */ after, /** @type {AbortSignal} */ signal,
) {
  /** @type {FeedEvent[]} */
  const rows = [];
  for (let at = after; ; ) {
    const { data } = await read('/events', { ...filter, after: at, limit: PAGE - rows.length }, { signal });
    rows.push(...data.items);
    if (data.nextCursor === null || rows.length >= PAGE || data.through <= at) return { rows, through: data.through, end: data.end };
    at = data.through;
  }
}
