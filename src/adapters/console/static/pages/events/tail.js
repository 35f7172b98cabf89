// The end of the log: its last events, and those before them, read forwards because the feed is read in no other direction.

import { read } from '../../api.js';

/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */
/** @typedef {{ type: string, storeId: string, sku: string }} Filter */
/**
 * @typedef {object} Tail
 * @property {FeedEvent[]} rows In the order of the log.
 * @property {number} from All events behind this sequence are among the rows, if they pass the filter.
 * @property {number} to The last sequence that was looked at.
 * @property {number} came How many rows have come since the first read, also those that are not kept.
 */

/** Rows that a page keeps. */
export const ROWS_MAX = 5_000;
/** Sequences that are read at first, and that a page of older ones has. */
export const PAGE = 500;
const ROWS_WANTED = 50;
const WIDER_TIMES = 6;
const LIMIT = 1_000;
/** A page that is further behind, after a long sleep, begins anew. */
const RESUMED_MAX = 100_000;

/**
 * What passes the filter behind `after`, up to `upto`: the last of it, if it is more than a page keeps, and `count` of all.
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

/** The last rows, as many as a page keeps. @returns {{ rows: FeedEvent[], from: number }} */
function bounded(/** @type {FeedEvent[]} */ rows, /** @type {number} */ from) {
  const dropped = rows.length - ROWS_MAX;
  return dropped > 0 ? { rows: rows.slice(dropped), from: rows[dropped - 1].sequence } : { rows, from };
}

/** The last events that pass the filter. Where few of the last pass it, further ones are looked at. @returns {Promise<Tail>} */
export async function readTail(/** @type {Filter} */ filter, /** @type {AbortSignal} */ signal) {
  const { data: { end } } = await read('/events', { limit: 0 }, { signal });
  let { rows, from } = await between(filter, Math.max(0, end - PAGE), end, signal);
  for (let tried = 1; rows.length < ROWS_WANTED && from > 0 && tried <= WIDER_TIMES; tried += 1) {
    const older = await readOlder(filter, from, signal, PAGE * 2 ** tried);
    ({ rows, from } = bounded([...older.rows, ...rows], older.from));
  }
  return { rows, from, to: end, came: 0 };
}

/** The same, when it was read before; null when it is another log, or far ahead. @returns {Promise<Tail | null>} */
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

/** With the events behind it that pass the filter, looked at up to `to`. @returns {Tail} */
export function added(/** @type {Tail} */ tail, /** @type {FeedEvent[]} */ events, /** @type {number} */ to) {
  const kept = events.length === 0 ? tail : bounded([...tail.rows, ...events], tail.from);
  return { rows: kept.rows, from: kept.from, to, came: tail.came + events.length };
}

/** What passes the filter among the sequences up to `upto`. @returns {Promise<{ rows: FeedEvent[], from: number }>} */
export async function readOlder(
  /** @type {Filter} */ filter, /** @type {number} */ upto, /** @type {AbortSignal | undefined} */ signal = undefined, step = PAGE,
) {
  return between(filter, Math.max(0, upto - step), upto, signal);
}

/**
 * A page of what passes the filter behind `after`, in the order of the log.
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
