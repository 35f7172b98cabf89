// Bulk imports: the rows are sent in steps, each exactly once. The node stores the progress.

import { ApiError, change, read } from '../api.js';

/** @typedef {import("../api.js").Schemas} Schemas */

export const ROWS_PER_STEP = 1_000;

/** The progress of an import; null when it has not started. @returns {Promise<Schemas["Import"] | null>} */
export async function importOf(/** @type {string} */ importId, /** @type {AbortSignal | undefined} */ signal = undefined) {
  try {
    return (await read(`/imports/${encodeURIComponent(importId)}`, {}, { signal, quiet: true })).data;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** @typedef {Pick<Schemas["ImportRows"], "throughRow" | "rows"> & { last: boolean }} Step */
/** @typedef {{ onStep?: (step: Schemas["ImportStep"]) => void, signal?: AbortSignal, onWait?: (error: ApiError) => void }} SendOptions */

/**
 * Sends an import step by step, starting after `rowsDone`. `next` returns the step after a row. A step without a response is sent
 * again; the node applies each step once, also with several senders.
 *
 * @param {string} importId
 * @param {number} rowsDone The rows that the node already has.
 * @param {(afterRow: number) => Step | Promise<Step>} next
 * @param {SendOptions} options
 */
export async function importSteps(importId, rowsDone, next, { onStep, signal, onWait } = {}) {
  for (let afterRow = rowsDone; ; ) {
    const step = await next(afterRow);
    try {
      const { data } = await change('POST', `/imports/${encodeURIComponent(importId)}/rows`,
        { body: { afterRow, ...step }, signal, onWait });
      onStep?.(data);
      if (data.finished) return;
      afterRow = data.rowsDone;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'import-out-of-step') throw error;
      const known = await importOf(importId, signal);
      if (known?.finished) return;
      // The node may be ahead of this sender, but never behind it.
      if (known === null || known.rowsDone <= afterRow) throw error;
      afterRow = known.rowsDone;
    }
  }
}

/**
 * Sends rows in ascending order of their numbers, starting after `rowsDone`.
 *
 * @param {string} importId
 * @param {Schemas["ImportRow"][]} rows
 * @param {number} rowsDone The rows that the node already has.
 * @param {SendOptions & { through?: number }} options `through` is the last row of the file, when rejected rows follow the last
 *   valid row.
 */
export async function importRows(importId, rows, rowsDone, { through, ...options } = {}) {
  const end = Math.max(through ?? 0, rows.length === 0 ? 0 : rows[rows.length - 1].row, rowsDone);
  let first = 0;
  await importSteps(importId, rowsDone, (afterRow) => {
    while (first < rows.length && rows[first].row <= afterRow) first += 1;
    const step = rows.slice(first, first + ROWS_PER_STEP);
    const last = first + ROWS_PER_STEP >= rows.length;
    return { throughRow: last ? end : step[step.length - 1].row, last, rows: step };
  }, options);
}
