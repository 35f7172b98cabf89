// The meaning of each state, and the action to take.

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {{ kind: "ok" | "low" | "out" | "plain", icon: "ok" | "low" | "out" | undefined, word: string, means: string }} Words */

/** @returns {Words} */
export function readinessWords(/** @type {Pick<Schemas["Readiness"], "ready" | "mode" | "breakers">} */ { ready, mode, breakers }) {
  if (ready) return { kind: 'ok', icon: 'ok', word: 'Ready', means: 'Reads and changes are accepted.' };
  if (mode === 'draining') {
    return { kind: 'low', icon: 'low', word: 'Draining',
      means: 'The node is shutting down. Requests in progress are completed; new changes are rejected until it has restarted.' };
  }
  if (mode === 'read-only') {
    return { kind: 'out', icon: 'out', word: 'Read-only',
      means: 'The disk is full or rejects writes. Reads work; changes are rejected. Free space in the data directory or repair the disk. ' +
        'The node probes the disk and recovers automatically.' };
  }
  if (breakers?.peers === 'open') {
    return { kind: 'out', icon: 'out', word: 'Not ready',
      means: 'The logs of the processes that share the data directory contradict each other. Stop all of them, run “onhand verify”, ' +
        'and repair what it reports.' };
  }
  return { kind: 'out', icon: 'out', word: 'Not ready',
    means: 'The node is starting, or a configured component does not run. The messages of the node name it.' };
}

/** @returns {Words} */
export function sourceWords(/** @type {Pick<Schemas["Source"], "state">} */ { state }) {
  switch (state.status) {
    case 'well': return { kind: 'ok', icon: 'ok', word: 'OK', means: 'The last request succeeded.' };
    case 'new': return { kind: 'plain', icon: undefined, word: 'Not read yet', means: 'The next pass reads it.' };
    case 'failing': return { kind: 'low', icon: 'low', word: 'Failing',
      means: 'The source cannot be read. It is retried automatically; no event is lost. Check that the source runs, its address, ' +
        'and its token.' };
    default: return { kind: 'out', icon: 'out', word: 'Stopped',
      means: 'The source is no longer read: events are missing, or its log was replaced. Check the source for a restored backup or a ' +
        'moved directory, correct it, and restart this node.' };
  }
}

/** @returns {{ title: string, about: string }} */
export function breakerName(/** @type {string} */ name) {
  if (name === 'storage') return { title: 'Disk', about: 'writes to the log' };
  if (name === 'webhook') return { title: 'Webhook', about: 'the receiver of alerts' };
  if (name === 'peers') return { title: 'Peers', about: 'processes with the same data directory' };
  return { title: name.replace(/^source /, ''), about: 'a source of the central model' };
}

/** @type {Record<string, Words>} */
const BREAKERS = {
  closed: { kind: 'ok', icon: 'ok', word: 'Closed', means: 'Requests are sent.' },
  'half-open': { kind: 'low', icon: 'low', word: 'Half-open',
    means: 'One request is sent as a probe. Its result closes or opens the breaker.' },
  open: { kind: 'out', icon: 'out', word: 'Open',
    means: 'Too many requests failed. The breaker sends a probe after BREAKER_COOLDOWN_MS.' },
};

/** @returns {Words} */
export const breakerWords = (/** @type {string} */ state) => BREAKERS[state] ?? { kind: 'plain', icon: undefined, word: state, means: '' };

/** The counters with title and description. @type {[keyof Schemas["Counters"], string, string][]} */
export const COUNTERS = [
  ['requests', 'Requests', 'answered requests'],
  ['errors', 'Server errors', 'responses with status 500 or higher'],
  ['conflicts', 'Conflicts', 'responses with status 409'],
  ['idempotentHits', 'Repeats', 'stored responses to repeated requests'],
  ['rateLimited', 'Rate-limited', 'rejected: the client sent too many requests'],
  ['shed', 'Shed', 'rejected: too many requests were in progress'],
  ['breakerOpen', 'Breakers opened', 'transitions of a breaker to open'],
  ['fsRetries', 'Disk probes', 'probes of a failed disk'],
  ['snapshots', 'Snapshots', 'written snapshots'],
  ['deadLetters', 'Dead letters', 'events that could not be applied'],
  ['lockAcquired', 'Leases', 'acquired by this process'],
  ['lockContended', 'Lease requests', 'sent to another process'],
  ['lockStolen', 'Takeovers', 'leases of a process that did not answer'],
];

/** The result of a pass. */
export function passWords(/** @type {Schemas["Pass"]} */ { applied, deadLettered, lag, durationMs }) {
  const count = (/** @type {number} */ number, /** @type {string} */ one, /** @type {string} */ many) =>
    `${number.toLocaleString()} ${number === 1 ? one : many}`;
  const parts = [applied === 0 ? 'No new events' : `${count(applied, 'event', 'events')} applied to the central model`];
  if (deadLettered > 0) parts.push(`${count(deadLettered, 'became a dead letter', 'became dead letters')}`);
  parts.push(lag === 0 ? 'no lag' : `lag ${count(lag, 'event', 'events')}`);
  return `${parts.join(', ')}. Duration: ${durationMs.toLocaleString()} ms.`;
}
