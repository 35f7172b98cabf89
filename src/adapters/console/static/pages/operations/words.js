// What each state of the node means, and what to do about it.

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {{ kind: "ok" | "low" | "out" | "plain", icon: "ok" | "low" | "out" | undefined, word: string, means: string }} Words */

/** @returns {Words} */
export function readinessWords(/** @type {Pick<Schemas["Readiness"], "ready" | "mode" | "breakers">} */ { ready, mode, breakers }) {
  if (ready) return { kind: 'ok', icon: 'ok', word: 'Ready', means: 'It reads and takes changes.' };
  if (mode === 'draining') {
    return { kind: 'low', icon: 'low', word: 'Draining',
      means: 'It is stopping: what has begun is finished, new changes wait for its next start.' };
  }
  if (mode === 'read-only') {
    return { kind: 'out', icon: 'out', word: 'Read-only',
      means: 'The disk is full or refuses. Reading works, changes are refused. Make room below the data directory, or repair the disk: ' +
        'the node probes it and goes on by itself.' };
  }
  if (breakers?.peers === 'open') {
    return { kind: 'out', icon: 'out', word: 'Not ready',
      means: 'The logs of the processes that share its data directory contradict each other. Stop all of them, run “onhand verify”, ' +
        'and repair what it says.' };
  }
  return { kind: 'out', icon: 'out', word: 'Not ready',
    means: 'It starts, or a part of it that was asked for does not run. Its own log says which.' };
}

/** @returns {Words} */
export function sourceWords(/** @type {Pick<Schemas["Source"], "state">} */ { state }) {
  switch (state.status) {
    case 'well': return { kind: 'ok', icon: 'ok', word: 'Well', means: 'Its last answer was good.' };
    case 'new': return { kind: 'plain', icon: undefined, word: 'Not asked yet', means: 'The next pass asks it.' };
    case 'failing': return { kind: 'low', icon: 'low', word: 'Failing',
      means: 'It cannot be read, and is asked again by itself; nothing is lost. See whether that node runs, whether its address is ' +
        'right, and whether its token is still good.' };
    default: return { kind: 'out', icon: 'out', word: 'Stopped',
      means: 'It is not read any more: events are missing, or it is another log than before. See what was changed there (a restored ' +
        'backup, a moved directory), put it right, and start this node again.' };
  }
}

/** @returns {{ title: string, about: string }} */
export function breakerName(/** @type {string} */ name) {
  if (name === 'storage') return { title: 'Disk', about: 'between changes and the log' };
  if (name === 'webhook') return { title: 'Webhook', about: 'the receiver of alerts' };
  if (name === 'peers') return { title: 'Peers', about: 'the processes on the same data directory' };
  return { title: name.replace(/^source /, ''), about: 'a source of the central model' };
}

/** @type {Record<string, Words>} */
const BREAKERS = {
  closed: { kind: 'ok', icon: 'ok', word: 'Closed', means: 'It lets requests through.' },
  'half-open': { kind: 'low', icon: 'low', word: 'Half-open', means: 'One request probes; its answer closes or opens it.' },
  open: { kind: 'out', icon: 'out', word: 'Open',
    means: 'Too many answers were bad. It waits, and probes by itself after BREAKER_COOLDOWN_MS.' },
};

/** @returns {Words} */
export const breakerWords = (/** @type {string} */ state) => BREAKERS[state] ?? { kind: 'plain', icon: undefined, word: state, means: '' };

/** Each counter with its name and what it counts. @type {[keyof Schemas["Counters"], string, string][]} */
export const COUNTERS = [
  ['requests', 'Requests', 'answered since the start'],
  ['errors', 'Server errors', 'answers of 500 and above'],
  ['conflicts', 'Conflicts', 'answers of 409: somebody else was first'],
  ['idempotentHits', 'Repeats', 'answers given again to a repeated request'],
  ['rateLimited', 'Rate-limited', 'turned away: the client sent too many'],
  ['shed', 'Shed', 'turned away: too much was under way'],
  ['breakerOpen', 'Breakers opened', 'how often one has opened'],
  ['fsRetries', 'Disk probes', 'tries whether the disk is well again'],
  ['snapshots', 'Snapshots', 'written since the start'],
  ['deadLetters', 'Dead letters', 'events that could not be applied'],
  ['lockAcquired', 'Leases', 'that this process has come to hold'],
  ['lockContended', 'Leases asked for', 'of another process'],
  ['lockStolen', 'Takeovers', 'from a process that did not answer'],
];

/** What became of a pass. */
export function passWords(/** @type {Schemas["Pass"]} */ { applied, deadLettered, lag, durationMs }) {
  const count = (/** @type {number} */ number, /** @type {string} */ one, /** @type {string} */ many) =>
    `${number.toLocaleString()} ${number === 1 ? one : many}`;
  const parts = [applied === 0 ? 'Nothing was new' : `${count(applied, 'event is', 'events are')} new in the central model`];
  if (deadLettered > 0) parts.push(`${count(deadLettered, 'became a dead letter', 'became dead letters')}`);
  parts.push(lag === 0 ? 'nothing is left' : `${count(lag, 'event is', 'events are')} not in it yet`);
  return `${parts.join(', ')}. It took ${durationMs.toLocaleString()} ms.`;
}
