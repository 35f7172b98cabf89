// Loads the data of a page and keeps it current.

import { useCallback, useEffect, useRef, useState } from '../vendor/hooks.js';
import { ApiError } from '../api.js';
import { follow } from '../feed.js';
import { state as session } from '../session.js';

/** @typedef {import("../feed.js").FeedEvent} FeedEvent */

/** How soon what could not be read for the moment is read again. */
const AGAIN_MS = 2_000;

/**
 * Loaded data and its state.
 *
 * @template T
 * @typedef {{ data: T | null, error: Error | null, loading: boolean, reload: () => void, set: (data: T) => void }} Loaded
 */

/**
 * Loads data when the page opens, when `deps` change, and on `reload`. The old data stays until the next response.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} read
 * @param {unknown[]} deps
 * @returns {Loaded<T>}
 */
export function useLoad(read, deps) {
  const [state, setState] = useState(/** @type {{ data: T | null, error: Error | null, loading: boolean }} */ (
    { data: null, error: null, loading: true }));
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  // A new session repeats the requests that were rejected.
  const begun = session.value === 'in' || session.value === 'open';
  useEffect(() => {
    if (!begun) return undefined;
    const controller = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    read(controller.signal).then(
      (data) => { if (!controller.signal.aborted) setState({ data, error: null, loading: false }); },
      (error) => { if (!controller.signal.aborted) setState((before) => ({ ...before, error, loading: false })); });
    return () => controller.abort(new Error('no longer needed'));
  }, [...deps, turn, begun]);
  // What a node that is away could not answer is read when it is back, without a click.
  const { error } = state;
  useEffect(() => {
    if (!(error instanceof ApiError) || !error.isTemporary) return undefined;
    const timer = setTimeout(reload, Math.max(AGAIN_MS, error.retryAfterMs));
    return () => clearTimeout(timer);
  }, [error, reload]);
  const set = useCallback((/** @type {T} */ data) => setState((before) => ({ ...before, data })), []);
  return { ...state, reload, set };
}

/**
 * The same for data that events change. `read` returns the data and the sequence that it includes (`Onhand-Sequence`); `apply` gets
 * the later events and returns the new data, or null to load it again. Events of one animation frame are applied together.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<{ data: T, sequence: number | null }>} read
 * @param {(data: T, events: FeedEvent[]) => T | null} apply
 * @param {unknown[]} deps
 * @returns {Loaded<T>}
 */
export function useLive(read, apply, deps) {
  const follower = useRef(/** @type {ReturnType<typeof follow> | null} */ (null));
  const shown = useRef(/** @type {T | null} */ (null));
  const applier = useRef(apply);
  applier.current = apply;
  const waiting = useRef(/** @type {FeedEvent[]} */ ([]));
  const loaded = useLoad(async (signal) => {
    follower.current?.reading();
    waiting.current = [];
    const { data, sequence } = await read(signal);
    if (!signal.aborted) {
      shown.current = data;
      follower.current?.loaded(sequence);
    }
    return shown.current ?? data;
  }, deps);
  const { reload, set } = loaded;
  useEffect(() => {
    let frame = 0;
    const flush = () => {
      frame = 0;
      const events = waiting.current;
      waiting.current = [];
      if (shown.current === null || events.length === 0) return;
      const next = applier.current(shown.current, events);
      if (next === null) reload();
      else if (next !== shown.current) {
        shown.current = next;
        set(next);
      }
    };
    follower.current = follow((events) => {
      waiting.current.push(...events);
      // A hidden page has no animation frames.
      if (document.hidden) flush();
      else if (frame === 0) frame = requestAnimationFrame(flush);
    }, reload);
    return () => {
      cancelAnimationFrame(frame);
      follower.current?.end();
      follower.current = null;
    };
  }, [reload, set]);
  return loaded;
}

/** Calls `act` every so many milliseconds while the page is visible. */
export function useInterval(/** @type {() => void} */ act, /** @type {number} */ milliseconds) {
  const current = useRef(act);
  current.current = act;
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) current.current(); }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
