// Bulk imports: rows go out in steps, each exactly once, and the node knows how far an import is.

import { ApiError, change, read } from '../api.js';

/** @typedef {import("../api.js").Schemas} Schemas */

export const ROWS_PER_STEP = 1_000;

/** An import as the node knows it; null when it has not begun. @returns {Promise<Schemas["Import"] | null>} */
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
 * Sends an import step by step, from behind `rowsDone` on. `next` makes the step behind a row. A step that got no answer is sent
 * again; one that has happened, also by another sender of the same import, is not done twice.
 *
 * @param {string} importId
 * @param {number} rowsDone What the node has already.
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
      // The node may be ahead of this sender, never behind it.
      if (known === null || known.rowsDone <= afterRow) throw error;
      afterRow = known.rowsDone;
    }
  }
}

/**
 * Sends rows, in rising order of their numbers, from behind `rowsDone` on.
 *
 * @param {string} importId
 * @param {Schemas["ImportRow"][]} rows
 * @param {number} rowsDone What the node has already.
 * @param {SendOptions & { through?: number }} options `through` is the last row of the whole, where rows behind the last good one
 *   were left out.
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
