// The feed of changes: one stream for all tabs of a browser, because HTTP/1.1 browsers open at most six connections to a node.
//
// The tab that holds the lock `onhand.feed` reads the feed and sends each piece to the other tabs by a BroadcastChannel. It releases
// the lock after it was hidden for five minutes; then another tab continues from its own position. Each piece has the sequence that
// precedes it, so a tab detects a missed piece. Without Web Locks (plain HTTP from another machine) each tab reads its own stream.

import { effect, signal } from './vendor/signals.js';
import { ApiError, ROOT, call, report, send, waitBefore } from './api.js';
import { caller, can, reload as askWho, state as session } from './session.js';

/** @typedef {import("./api.js").Schemas} Schemas */
/** @typedef {Schemas["Event"] & { payload: any, before: any, after: any, type: string }} FeedEvent */
/**
 * @typedef {object} Piece
 * @property {number} from The sequence that precedes the piece.
 * @property {number} through The last sequence of the piece.
 * @property {FeedEvent[]} events
 * @property {Schemas["Level"][]} [levels] Under load instead of the events: the current state of the changed levels.
 * @property {boolean} [others] Other data than levels has changed, too.
 */
/** @typedef {"connecting" | "live" | "waiting" | "off"} FeedState */

/** The types of events that change one level. */
export const MOVEMENTS = new Set(['ADJUST', 'RESERVE', 'RELEASE', 'COMMIT', 'EXPIRE', 'COUNT']);

/** One origin may have several nodes, each below a path of its own. */
const LOCK = `onhand.feed ${ROOT.pathname}`;
/** Codes of the ways a stream ends. */
const [ENDED, REPLACED] = ['stream-ended', 'log-replaced'];
const HIDDEN_MS_MAX = 5 * 60_000;
/** The node sends a heartbeat every 15 s. */
const SILENCE_MS_MAX = 40_000;
/** How often lists are loaded again for callers without access to the feed. */
const POLL_MS = 10_000;
/** How often a page that needs events is loaded again while the feed has levels instead. */
const READ_AGAIN_MS = 2_000;

/** @type {import("@preact/signals").Signal<FeedState>} */
export const feedState = signal('connecting');

/** The position of this tab: the followers have all events up to here. @type {number | null} */
let position = null;
/** @type {Set<Follower>} */
const followers = new Set();
/** @type {BroadcastChannel | null} */
let channel = null;
/** Several processes share the stock, and the feed is that of one of them: lists are read again every now and then, too. */
let isShared = false;

/** A view of this tab that the feed keeps current. */
class Follower {
  /** The sequence that the state of the view includes; null while it is loading. @type {number | null} */
  asOf = null;
  /** The pieces that arrived while the state was loading. @type {Piece[]} */
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

  /** The view starts to load its state. */
  reading() {
    this.asOf = null;
    this.pending = [];
  }

  /** The view has loaded its state, which includes this sequence. The pieces since then are applied. */
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
 * Follows the feed. `onEvents` gets each event after the `loaded` state once and in order. `onGap` asks the view to load its state
 * again. Under load the node sends changed levels instead of events: `onLevels` gets them; without it, the view loads its state again
 * every two seconds.
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

/** Starts the feed of this tab, as the reading tab or as a listening one. */
export function start() {
  channel = new BroadcastChannel(LOCK);
  channel.onmessage = ({ data }) => hear(data);
  // The reading tab answers with its state.
  channel.postMessage({ kind: 'hello' });
  let known = caller.value;
  effect(() => {
    const now = caller.value;
    if (now === '' || now === known) return;
    known = now;
    // What this caller may see is something else: another stream, and everything is read again.
    connection.abort();
    queueMicrotask(beginAgain);
  });
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
  if (piece.events.length > 0) witness = piece.events[piece.events.length - 1];
  for (const follower of [...followers]) follower.take(piece);
}

/** Resets the position: the log was replaced or truncated. */
function beginAgain() {
  position = null;
  witness = null;
  for (const follower of [...followers]) {
    follower.reading();
    follower.onGap();
  }
}

let leads = false;
/** Ends the present connection. */
let connection = new AbortController();

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

/** Reads the feed until this tab has been hidden for five minutes. */
async function lead() {
  leads = true;
  const hidden = new AbortController();
  const stopWatching = whenHiddenForLong(() => hidden.abort());
  try {
    let mayDiffer = false;
    for (let tried = 1; !hidden.signal.aborted; ) {
      await sessionBegun(hidden.signal);
      if (!can('events:read')) {
        tellState('off');
        await changed(hidden.signal);
        continue;
      }
      try {
        connection = new AbortController();
        await stream(AbortSignal.any([hidden.signal, connection.signal]), () => {
          tried = 1;
          if (mayDiffer) askWho();
          mayDiffer = false;
        });
        tried = 1;
      } catch (error) {
        if (hidden.signal.aborted) break;
        if (connection.signal.aborted || (error instanceof ApiError && error.status === 401)) continue;
        if (error instanceof ApiError && error.status === 403) askWho();
        // The log was replaced or truncated: load everything again.
        if (error instanceof ApiError && (error.status === 400 || error.code === REPLACED)) {
          beginAgain();
          channel?.postMessage({ kind: 'again' });
        }
        // The node ends a stream when the grants of its caller change.
        mayDiffer ||= error instanceof ApiError && error.code === ENDED;
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

/** One connection, from the position of this tab or from the end of the log. */
async function stream(/** @type {AbortSignal} */ stopped, /** @type {() => void} */ onBegin) {
  const silence = new AbortController();
  const signal = AbortSignal.any([stopped, silence.signal]);
  if (position === null) {
    const { data } = await call('GET', '/events', { query: { limit: 0 }, signal });
    isShared = data.node !== data.ledger;
    witness = null;
    tell({ from: data.end, through: data.end, events: [] });
  }
  await testify(signal);
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
      // A stream without a filter has every event that the caller may read, so each piece follows the previous one.
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
    if (stopped.aborted) throw error;
    const lost = new ApiError(0, { detail: 'The connection to the feed was lost.' });
    report(lost);
    throw lost;
  }
  // The node ended the stream: it shuts down, or the permissions of the caller changed.
  throw Object.assign(new ApiError(0, { detail: 'The node has ended the feed.' }), { code: ENDED });
}

/** The event that was read last: another one with its sequence says that the log is another one. @type {FeedEvent | null} */
let witness = null;

/** Refuses a log that was replaced, such as by an older copy, also when it has grown beyond this tab's position since. */
async function testify(/** @type {AbortSignal} */ signal) {
  const sequence = witness?.sequence ?? position ?? 0;
  if (sequence < 1) return;
  const { data } = await call('GET', '/events', { query: { after: sequence - 1, limit: 1 }, signal });
  const found = data.items[0]?.sequence === sequence ? data.items[0] : null;
  if (witness !== null && found?.eventId !== witness.eventId) {
    throw Object.assign(new ApiError(0, { detail: 'The log is another one.' }), { code: REPLACED });
  }
  witness = found;
}

/** Waits until the page is visible. */
function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
}

/** Calls `act` after the page was hidden for five minutes. Returns a function that ends the watch. */
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

/** Waits until the caller is logged in or no login is required. */
function sessionBegun(/** @type {AbortSignal} */ signal) {
  return until(signal, () => session.value === 'in' || session.value === 'open');
}

/** Waits until the session changes. */
function changed(/** @type {AbortSignal} */ signal) {
  const before = [session.value, can('events:read')].join();
  return until(signal, () => [session.value, can('events:read')].join() !== before);
}

/** Waits until `holds` returns true or the signal is aborted. @returns {Promise<void>} */
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

// A page from the back-forward cache has missed events.
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const follower of followers) follower.onGap();
});
