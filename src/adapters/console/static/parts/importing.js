// Bulk imports: rows go out in steps, each exactly once, and the node knows how far an import is.

import { ApiError, change, read } from '../api.js';

/** @typedef {import("../api.js").Schemas} Schemas */

const ROWS_PER_STEP = 1_000;

/** An import as the node knows it; null when it has not begun. @returns {Promise<Schemas["Import"] | null>} */
export async function importOf(/** @type {string} */ importId, /** @type {AbortSignal | undefined} */ signal = undefined) {
  try {
    return (await read(`/imports/${encodeURIComponent(importId)}`, {}, { signal, quiet: true })).data;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/**
 * Sends rows, in rising order of their numbers, from behind `rowsDone` on. A step that got no answer is sent again; one that has
 * happened is not done twice.
 *
 * @param {string} importId
 * @param {Schemas["ImportRow"][]} rows
 * @param {number} rowsDone What the node has already.
 * @param {{
 *   onStep?: (step: Schemas["ImportStep"]) => void, signal?: AbortSignal, onWait?: (error: ApiError) => void, through?: number,
 * }} options `through` is the last row of the whole, where rows behind the last good one were left out.
 */
export async function importRows(importId, rows, rowsDone, { onStep, signal, onWait, through } = {}) {
  const left = rows.filter((row) => row.row > rowsDone);
  const end = Math.max(through ?? 0, rows.length === 0 ? 0 : rows[rows.length - 1].row, rowsDone);
  let afterRow = rowsDone;
  for (let first = 0; ; first += ROWS_PER_STEP) {
    const step = left.slice(first, first + ROWS_PER_STEP);
    const last = first + ROWS_PER_STEP >= left.length;
    const throughRow = last ? end : step[step.length - 1].row;
    const { data } = await change('POST', `/imports/${encodeURIComponent(importId)}/rows`, {
      body: { afterRow, throughRow, last, rows: step }, signal, onWait,
    });
    onStep?.(data);
    afterRow = throughRow;
    if (last) return;
  }
}
