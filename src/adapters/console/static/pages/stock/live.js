// Loads the levels of all stores as one stream and keeps them current by the feed.

import { useCallback, useEffect, useRef, useState } from '../../vendor/hooks.js';
import { ApiError, readPages, report, send, sequenceOf, waitBefore } from '../../api.js';
import { feedState, follow } from '../../feed.js';
import { can } from '../../session.js';
import { useFlash } from '../../parts/flash.js';
import { useLoad } from '../../parts/load.js';
import { CsvReader } from './csv.js';
import { LATEST, Levels } from './levels.js';

/** @typedef {import("./levels.js").Change} Change */
/** @typedef {import("./view.js").View} View */

const TRIES = 4;
/** How often the table is rendered while it loads. */
const DRAW_EVERY_MS = 120;
/** How long rows are parsed before the browser may handle other tasks. */
const WORK_MS = 12;
/** How often the rows may be sorted again. */
const ARRANGE_EVERY_MS = 500;
/** How long changed names and thresholds of products may be outdated under load. */
const READ_ALL_MS = 5_000;
/** With more SKUs to load again than this, the whole table is loaded again. */
const SKUS_MAX = 25;

/** Lets the browser render and handle input. A hidden page does not render, and its timers are slow. */
const breathe = () => (document.hidden ? undefined : new Promise((resolve) => setTimeout(resolve)));

/** Loads all levels. Returns the sequence that they include. */
async function readLevels(/** @type {Levels} */ levels, /** @type {AbortSignal} */ signal, /** @type {() => void} */ onRows) {
  const answer = await send('GET', '/stock/current', { accept: 'text/csv', signal });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const decoder = new TextDecoder();
  const csv = new CsvReader((cells) => levels.addLine(cells));
  let [drawn, worked] = [performance.now(), performance.now()];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      csv.push(decoder.decode(value, { stream: true }));
      if (performance.now() - drawn > DRAW_EVERY_MS) {
        onRows();
        await breathe();
        drawn = performance.now();
        worked = drawn;
      } else if (performance.now() - worked > WORK_MS) {
        await breathe();
        worked = performance.now();
      }
    }
  } catch (error) {
    if (signal.aborted) throw error;
    const lost = new ApiError(0, { title: 'The download was interrupted',
      detail: 'The connection to the node was lost while the table was loading.' });
    report(lost);
    throw lost;
  }
  csv.end();
  return sequenceOf(answer);
}

/** Loads the categories of the products. */
async function readCategories(/** @type {AbortSignal} */ signal) {
  /** @type {Map<string, string>} */
  const categories = new Map();
  const sequence = await readPages('/products', { limit: 1000 }, (/** @type {{ sku: string, category?: string }[]} */ items) => {
    for (const { sku, category } of items) if (category) categories.set(sku, category);
  }, { signal });
  return { categories, sequence };
}

/**
 * Retries while the node is unreachable or busy.
 *
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {AbortSignal} signal
 */
async function patiently(attempt, signal) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isTemporary || tried === TRIES) throw error;
      await waitBefore(tried + 1, error.retryAfterMs, signal);
    }
  }
}

/**
 * The live levels. `arranged` changes when the rows have to be sorted again. `isLoading` is true until all levels are loaded.
 *
 * @param {{ current: View | null }} view The current view, which is notified of changed rows.
 */
export function useLevels(view) {
  const [, draw] = useState(0);
  const [arranged, setArranged] = useState(0);
  const redraw = useCallback(() => draw((turn) => turn + 1), []);
  const shown = useRef(new Levels());
  const follower = useRef(/** @type {ReturnType<typeof follow> | null} */ (null));
  const waiting = useRef(/** @type {Change[]} */ ([]));
  const flash = useFlash(redraw);

  const loaded = useLoad(async (signal) => {
    follower.current?.reading();
    waiting.current = [];
    const withCategories = can('catalogue:read');
    // Without access to the feed, the table is polled. The categories are loaded once.
    const known = feedState.value === 'off' && shown.current.categories.size > 0 ? shown.current.categories : null;
    const reading = withCategories && known === null ? readCategories(signal) : null;
    // The error is handled below, where the promise is awaited.
    reading?.catch(() => {});
    const [levels, asOf] = await patiently(async () => {
      const next = new Levels();
      const isFirst = shown.current.count === 0;
      const sequence = await readLevels(next, signal, () => {
        if (!isFirst || signal.aborted) return;
        shown.current = next;
        setArranged((turn) => turn + 1);
      }).catch((error) => {
        // Drop the rows of the failed attempt.
        if (isFirst) shown.current = new Levels();
        throw error;
      });
      return /** @type {const} */ ([next, sequence]);
    }, signal);
    const catalogue = await reading;
    levels.categories = catalogue?.categories ?? known ?? new Map();
    levels.named += 1;
    if (!signal.aborted) {
      shown.current = levels;
      setArranged((turn) => turn + 1);
      // Events after the earlier of the two are applied twice, which has no effect.
      follower.current?.loaded(catalogue && asOf !== null && catalogue.sequence !== null ? Math.min(asOf, catalogue.sequence) : asOf);
    }
    return true;
  }, []);
  const { reload } = loaded;

  useEffect(() => {
    let frame = 0;
    let lastArranged = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let arranging;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let readingAll;
    /** @type {Set<string>} */
    const toRead = new Set();
    let isReading = false;
    const controller = new AbortController();

    const arrange = () => {
      if (arranging !== undefined) return;
      arranging = setTimeout(() => {
        arranging = undefined;
        lastArranged = performance.now();
        setArranged((turn) => turn + 1);
      }, Math.max(0, lastArranged + ARRANGE_EVERY_MS - performance.now()));
    };
    const show = (/** @type {Set<number>} */ rows) => {
      if (rows.size === 0) return;
      flash.mark(rows);
      view.current?.changed(rows);
      if (view.current?.stale) arrange();
      redraw();
    };
    const readAgain = async () => {
      if (isReading) return;
      isReading = true;
      try {
        while (toRead.size > 0) {
          if (toRead.size > SKUS_MAX) {
            toRead.clear();
            reload();
            return;
          }
          const [sku] = toRead;
          toRead.delete(sku);
          const levels = shown.current;
          await readPages('/stock/current', { sku, limit: 1000 }, (/** @type {any[]} */ items) => {
            if (levels === shown.current) show(levels.refresh(items));
          }, { signal: controller.signal });
        }
      } catch {
        if (!controller.signal.aborted) reload();
      } finally {
        isReading = false;
      }
    };
    const flush = () => {
      frame = 0;
      const events = waiting.current;
      waiting.current = [];
      const { named } = shown.current;
      const { rows, skus } = shown.current.apply(events);
      show(rows);
      if (named !== shown.current.named) arrange();
      for (const sku of skus) toRead.add(sku);
      if (toRead.size > 0) readAgain();
    };
    const take = (/** @type {Change[]} */ events) => {
      waiting.current.push(...events);
      // A hidden page has no animation frames.
      if (document.hidden) flush();
      else if (frame === 0) frame = requestAnimationFrame(flush);
    };
    follower.current = follow(take, reload, (levels, others) => {
      take(levels.map((level) => ({ type: LATEST, payload: level, after: {}, ts: level.updatedAt })));
      // Products or thresholds may have changed, too. They are loaded with a delay.
      if (others) readingAll ??= setTimeout(() => { readingAll = undefined; reload(); }, READ_ALL_MS);
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(readingAll);
      clearTimeout(arranging);
      controller.abort(new Error('no longer needed'));
      follower.current?.end();
      follower.current = null;
    };
  }, []);

  return { levels: shown.current, arranged, isLoading: loaded.loading && loaded.data === null, error: loaded.error, reload, flash };
}

