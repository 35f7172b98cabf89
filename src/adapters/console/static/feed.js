// The feed of changes: one stream for all tabs of a browser, because HTTP/1.1 allows six connections to a node.
//
// The tab that holds the lock `onhand.feed` follows the feed and hands each piece to the others by a BroadcastChannel. It gives
// the lock up when it has been hidden for five minutes; then another tab goes on from its own position. A tab that has missed a
// piece knows it by the numbers: each says which events it follows. Without Web Locks (plain HTTP beyond this machine) each tab
// follows by itself.

import { effect, signal } from './vendor/signals.js';
import { ApiError, call, report, send, waitBefore } from './api.js';
import { can, state as session } from './session.js';

/** @typedef {import("./api.js").Schemas} Schemas */
/** @typedef {Schemas["Event"] & { payload: any, before: any, after: any, type: string }} FeedEvent */
/**
 * @typedef {object} Piece
 * @property {number} from All events up to here came before.
 * @property {number} through The last sequence of the piece.
 * @property {FeedEvent[]} events
 * @property {Schemas["Level"][]} [levels] Under load in the place of the events: the levels they have moved, as they are now.
 * @property {boolean} [others] Something that is no level has changed, too.
 */
/** @typedef {"connecting" | "live" | "waiting" | "off"} FeedState */

const LOCK = 'onhand.feed';
const HIDDEN_MS_MAX = 5 * 60_000;
/** The node sends a heartbeat every 15 s. */
const SILENCE_MS_MAX = 40_000;
/** How often lists are read again where the feed may not be read. */
const POLL_MS = 10_000;
/** How often a page that needs the events is read again while levels come in their place. */
const READ_AGAIN_MS = 2_000;

/** @type {import("@preact/signals").Signal<FeedState>} */
export const feedState = signal('connecting');

/** The position of this tab: all events up to here have been handed out. @type {number | null} */
let position = null;
/** @type {Set<Follower>} */
const followers = new Set();
/** @type {BroadcastChannel | null} */
let channel = null;
/** Several processes share the stock, and the feed is that of one of them: lists are read again every now and then, too. */
let isShared = false;

/** Somebody in this tab who shows what the feed changes. */
class Follower {
  /** As of which sequence the shown state is; null while it is being read. @type {number | null} */
  asOf = null;
  /** What came while the state was being read. @type {Piece[]} */
  pending = [];

  /**
   * @param {(events: FeedEvent[]) => void} onEvents
   * @param {() => void} onGap
   * @param {((levels: Schemas["Level"][], others: boolean) => void) | undefined} onLevels
   */
  constructor(onEvents, onGap, onLevels) {
    this.onEvents = onEvents;
    this.onGap = onGap;
    this.onLevels = onLevels;
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  readingAgain;

  /** The state is about to be read. */
  reading() {
    this.asOf = null;
    this.pending = [];
  }

  /** The state was read, as of this sequence; what came since is handed over. */
  loaded(/** @type {number | null} */ sequence) {
    this.asOf = sequence ?? this.pending[0]?.from ?? position ?? 0;
    const pending = this.pending;
    this.pending = [];
    for (const piece of pending) this.take(piece);
  }

  take(/** @type {Piece} */ piece) {
    if (this.asOf === null) {
      this.pending.push(piece);
      return;
    }
    if (piece.from > this.asOf) {
      this.reading();
      this.onGap();
      return;
    }
    if (piece.levels) {
      if (piece.through > this.asOf) this.takeLevels(piece);
      return;
    }
    const asOf = this.asOf;
    const events = piece.events.filter((event) => event.sequence > asOf);
    this.asOf = Math.max(asOf, piece.through);
    if (events.length > 0) this.onEvents(events);
  }

  takeLevels(/** @type {Piece} */ piece) {
    if (this.onLevels) {
      this.asOf = piece.through;
      this.onLevels(piece.levels ?? [], piece.others ?? false);
      return;
    }
    this.reading();
    this.readingAgain ??= setTimeout(() => {
      this.readingAgain = undefined;
      this.onGap();
    }, READ_AGAIN_MS);
  }

  end() {
    clearTimeout(this.readingAgain);
  }
}

/**
 * Follows the feed. `onEvents` gets each event once, in order, behind the state that was `loaded`; `onGap` asks for that state to
 * be read again. Under load the node leaves events out: `onLevels` then gets the levels they have moved; without it the state is read
 * again every now and then.
 *
 * @param {(events: FeedEvent[]) => void} onEvents
 * @param {() => void} onGap
 * @param {(levels: Schemas["Level"][], others: boolean) => void} [onLevels]
 */
export function follow(onEvents, onGap, onLevels) {
  const follower = new Follower(onEvents, onGap, onLevels);
  followers.add(follower);
  const poll = setInterval(() => {
    if ((feedState.value === 'off' || isShared) && !document.hidden) onGap();
  }, POLL_MS);
  return {
    reading: () => follower.reading(),
    loaded: (/** @type {number | null} */ sequence) => follower.loaded(sequence),
    end() {
      clearInterval(poll);
      follower.end();
      followers.delete(follower);
    },
  };
}

/** Begins to take part: as the tab that follows, or as one that listens to it. */
export function start() {
  channel = new BroadcastChannel('onhand.feed');
  channel.onmessage = ({ data }) => hear(data);
  // A tab that opens later hears from the one that follows how things stand.
  channel.postMessage({ kind: 'hello' });
  takePart();
}

/**
 * @param {{ kind: "piece", piece: Piece } | { kind: "state", state: FeedState, position: number | null, isShared: boolean }
 *   | { kind: "hello" } | { kind: "again" }} message
 */
function hear(message) {
  if (message.kind === 'piece') handOut(message.piece);
  else if (message.kind === 'again') beginAgain();
  else if (message.kind === 'hello' && leads) tellState(feedState.value);
  else if (message.kind === 'state' && !leads) {
    feedState.value = message.state;
    isShared = message.isShared;
    if (position === null && message.position !== null) handOut({ from: message.position, through: message.position, events: [] });
  }
}

function handOut(/** @type {Piece} */ piece) {
  if (position !== null && piece.through < position) return;
  position = piece.through;
  for (const follower of [...followers]) follower.take(piece);
}

/** Forgets the position: the log is another one, or has lost its end. */
function beginAgain() {
  position = null;
  for (const follower of [...followers]) {
    follower.reading();
    follower.onGap();
  }
}

let leads = false;

function tellState(/** @type {FeedState} */ state) {
  feedState.value = state;
  channel?.postMessage({ kind: 'state', state, position, isShared });
}

function tell(/** @type {Piece} */ piece) {
  handOut(piece);
  channel?.postMessage({ kind: 'piece', piece });
}

async function takePart() {
  for (;;) {
    await visible();
    if (navigator.locks) await navigator.locks.request(LOCK, lead);
    else await lead();
  }
}

/** Follows the feed until this tab has been hidden for long. */
async function lead() {
  leads = true;
  const hidden = new AbortController();
  const stopWatching = whenHiddenForLong(() => hidden.abort());
  try {
    for (let tried = 1; !hidden.signal.aborted; ) {
      await sessionBegun(hidden.signal);
      if (!can('events:read')) {
        tellState('off');
        await changed(hidden.signal);
        continue;
      }
      try {
        await stream(hidden.signal, () => { tried = 1; });
        tried = 1;
      } catch (error) {
        if (hidden.signal.aborted) break;
        if (error instanceof ApiError && error.status === 401) continue;
        // The log is not the one that was read, or it ends before: read everything again.
        if (error instanceof ApiError && error.status === 400) {
          beginAgain();
          channel?.postMessage({ kind: 'again' });
        }
        tellState('waiting');
        tried += 1;
        await waitBefore(tried, error instanceof ApiError ? error.retryAfterMs : 0, hidden.signal).catch(() => {});
      }
    }
  } finally {
    stopWatching();
    leads = false;
  }
}

/** One connection: from the position of this tab on, or from the end of the log. Returns when the node ends it. */
async function stream(/** @type {AbortSignal} */ hidden, /** @type {() => void} */ onBegin) {
  const silence = new AbortController();
  const signal = AbortSignal.any([hidden, silence.signal]);
  if (position === null) {
    const { data } = await call('GET', '/events', { query: { limit: 0 }, signal });
    isShared = data.node !== data.ledger;
    tell({ from: data.end, through: data.end, events: [] });
  }
  const after = position ?? 0;
  const answer = await send('GET', '/events', { query: { after, latest: true }, accept: 'application/x-ndjson', signal });
  onBegin();
  tellState('live');
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      /** @type {FeedEvent[]} */
      let events = [];
      // A stream without a filter has every event that the caller may see, so a piece follows the one before it.
      const flush = () => {
        if (events.length > 0) tell({ from: position ?? after, through: events[events.length - 1].sequence, events });
        events = [];
      };
      for (const line of lines) {
        if (line === '') continue;
        const parsed = JSON.parse(line);
        if (parsed.levels === undefined) events.push(parsed);
        else {
          flush();
          tell({ from: parsed.from, through: parsed.through, events: [], levels: parsed.levels, others: parsed.others });
        }
      }
      flush();
    }
  } catch (error) {
    if (hidden.aborted) throw error;
    const lost = new ApiError(0, { detail: 'The stream of changes has broken off.' });
    report(lost);
    throw lost;
  }
  // The node has ended the stream: it stops, or the caller may read something else now.
  throw new ApiError(0, { detail: 'The node has ended the stream of changes.' });
}

/** Waits until the page is visible. */
function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
}

/** Calls `act` once the page has been hidden for long; returns the way to end the watch. */
function whenHiddenForLong(/** @type {() => void} */ act) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(act, HIDDEN_MS_MAX);
  };
  look();
  document.addEventListener('visibilitychange', look);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}

/** Waits until somebody is logged in, or nobody has to be. */
function sessionBegun(/** @type {AbortSignal} */ signal) {
  return until(signal, () => session.value === 'in' || session.value === 'open');
}

/** Waits until the session changes. */
function changed(/** @type {AbortSignal} */ signal) {
  const before = [session.value, can('events:read')].join();
  return until(signal, () => [session.value, can('events:read')].join() !== before);
}

/** Waits until `holds`, or the signal. @returns {Promise<void>} */
function until(/** @type {AbortSignal} */ signal, /** @type {() => boolean} */ holds) {
  return new Promise((resolve) => {
    let stop = () => {};
    const end = () => {
      stop();
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    stop = effect(() => {
      if (holds() || signal.aborted) queueMicrotask(end);
    });
  });
}

// A page that comes out of the back-forward cache has missed what was sent meanwhile.
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const follower of followers) follower.onGap();
});
