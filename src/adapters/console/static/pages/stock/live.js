// The levels of all stores, read as one stream and kept fresh by the feed.

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
/** How often the rows are drawn while they come in. */
const DRAW_EVERY_MS = 120;
/** How long the rows are taken in before the browser may do something else. */
const WORK_MS = 12;
/** How often rows may change their places while they are looked at. */
const ARRANGE_EVERY_MS = 500;
/** How long products that changed under load may keep their old names and thresholds. */
const READ_ALL_MS = 5_000;
/** With more SKUs to read again than this, the whole table is read again. */
const SKUS_MAX = 25;

/** A task of its own: the browser draws and hears clicks before it. A hidden page draws nothing, and its timers are slow. */
const breathe = () => (document.hidden ? undefined : new Promise((resolve) => setTimeout(resolve)));

/** Reads all levels. Returns as of which sequence they are. */
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
    const lost = new ApiError(0, { title: 'The table has broken off', detail: 'The node has stopped in the middle of the table.' });
    report(lost);
    throw lost;
  }
  csv.end();
  return sequenceOf(answer);
}

/** Reads what the catalogue says of categories. */
async function readCategories(/** @type {AbortSignal} */ signal) {
  /** @type {Map<string, string>} */
  const categories = new Map();
  const sequence = await readPages('/products', { limit: 1000 }, (/** @type {{ sku: string, category?: string }[]} */ items) => {
    for (const { sku, category } of items) if (category) categories.set(sku, category);
  }, { signal });
  return { categories, sequence };
}

/**
 * Tries again while the node is away. `attempt` begins anew each time.
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
 * The levels, and when to look at them anew: `arranged` changes when rows may have to change their places. `isLoading` is true until
 * all of them were read once.
 *
 * @param {{ current: View | null }} view What is shown, which is told of the rows that have changed.
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
    // Where the feed may not be read, the table is read again and again; the categories need not be.
    const known = feedState.value === 'off' && shown.current.categories.size > 0 ? shown.current.categories : null;
    const reading = withCategories && known === null ? readCategories(signal) : null;
    // A failure is dealt with where it is awaited, behind the levels.
    reading?.catch(() => {});
    const [levels, asOf] = await patiently(async () => {
      const next = new Levels();
      const isFirst = shown.current.count === 0;
      const sequence = await readLevels(next, signal, () => {
        if (!isFirst || signal.aborted) return;
        shown.current = next;
        setArranged((turn) => turn + 1);
      }).catch((error) => {
        // The rows of a try that has failed are not those of the next one.
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
      // Events behind the earlier of the two are taken in again, which changes nothing.
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
      // A hidden page has no frames.
      if (document.hidden) flush();
      else if (frame === 0) frame = requestAnimationFrame(flush);
    };
    follower.current = follow(take, reload, (levels, others) => {
      take(levels.map((level) => ({ type: LATEST, payload: level, after: {}, ts: level.updatedAt })));
      // Products or thresholds, too: they are read again when there is time.
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

