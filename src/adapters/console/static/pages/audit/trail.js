// Loads the rows of the audit trail and polls for new ones.

import { useEffect, useRef, useState } from '../../vendor/hooks.js';
import { ApiError, read, waitBefore } from '../../api.js';
import { state as session } from '../../session.js';

/** @typedef {import("../../api.js").Schemas["AuditRow"]} AuditRow */
/** @typedef {{ kind: string, actor: string, since: string | null }} TrailFilter */

/** The most rows that are kept. */
export const ROWS_KEPT = 20_000;
const PAGE_ROWS = 1_000;
const POLL_MS = 2_000;
/** The delay after an input of a filter. */
const TYPING_MS = 300;

/** Loads the rows after `since`, oldest first, and then new rows. */
export function useTrail(/** @type {TrailFilter} */ { kind, actor, since }, /** @type {boolean} */ isPaused) {
  const rows = useRef(/** @type {AuditRow[]} */ ([]));
  const paused = useRef(isPaused);
  paused.current = isPaused;
  const [shown, setShown] = useState({ turn: 0, isComplete: false, isCut: false, error: /** @type {Error | null} */ (null) });
  const [again, setAgain] = useState(0);
  const begun = session.value === 'in' || session.value === 'open';
  useEffect(() => {
    if (!begun) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    rows.current = [];
    setShown({ turn: 0, isComplete: false, isCut: false, error: null });
    follow({ kind, actor, since }, signal, () => paused.current, (more, isComplete) => {
      if (signal.aborted) return;
      const all = rows.current;
      all.push(...more);
      const cut = all.length > ROWS_KEPT;
      if (cut) all.splice(0, all.length - ROWS_KEPT);
      setShown((before) => ({ turn: before.turn + more.length, isComplete: before.isComplete || isComplete, isCut: before.isCut || cut,
        error: null }));
    }, (error) => setShown((before) => ({ ...before, error }))).catch((error) => {
      if (!signal.aborted) setShown((before) => ({ ...before, error }));
    });
    return () => controller.abort(new Error('another filter'));
  }, [kind, actor, since, again, begun]);
  return { rows: rows.current, ...shown, reload: () => setAgain(again + 1) };
}

/**
 * @param {TrailFilter} filter
 * @param {AbortSignal} signal
 * @param {() => boolean} isPaused
 * @param {(rows: AuditRow[], isComplete: boolean) => void} onRows
 * @param {(error: Error) => void} onAway
 */
async function follow(filter, signal, isPaused, onRows, onAway) {
  await pause(TYPING_MS, signal);
  /** @type {string | null} */
  let after = null;
  for (let tried = 1; ; ) {
    try {
      /** @type {string | null} */
      let cursor = null;
      do {
        /** @type {import("../../api.js").Schemas["AuditPage"]} */
        const data = (await read('/audit', { ...filter, limit: PAGE_ROWS, ...(cursor === null ? { after } : { cursor }) },
          { signal })).data;
        cursor = data.nextCursor;
        // The position is kept when the next page fails.
        after = data.through;
        onRows(data.items, cursor === null);
      } while (cursor !== null);
      tried = 1;
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError) || !error.isTemporary) throw error;
      onAway(error);
      tried += 1;
      await waitBefore(tried, error.retryAfterMs, signal);
      continue;
    }
    do await pause(POLL_MS, signal);
    while (document.hidden || isPaused());
  }
}

function pause(/** @type {number} */ milliseconds, /** @type {AbortSignal} */ signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
