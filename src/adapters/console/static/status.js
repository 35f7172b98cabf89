// Whether the node answers and accepts changes.

import { signal } from './vendor/signals.js';
import { ApiError, call, observe } from './api.js';

/** @typedef {"ok" | "away" | "read-only" | "draining" | "busy"} NodeState */

const EVERY_MS = 5_000;
const AWAY_EVERY_MS = 1_000;
/** A node that takes longer over `GET /health` does not answer: it may be stopped with its connections open. */
const ANSWERS_WITHIN_MS = 3_000;

/** @type {import("@preact/signals").Signal<NodeState>} */
export const nodeState = signal('ok');

/** Polls the health of the node. */
export async function watch() {
  for (;;) {
    if (!document.hidden) await look();
    await new Promise((resolve) => setTimeout(resolve, nodeState.value === 'ok' ? EVERY_MS : AWAY_EVERY_MS));
  }
}

async function look() {
  try {
    await call('GET', '/health', { quiet: true, signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    nodeState.value = 'ok';
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 0) nodeState.value = 'away';
    else if (error.status === 503) nodeState.value = modeOf(error);
    else nodeState.value = 'ok';
  }
}

/** @returns {NodeState} */
function modeOf(/** @type {ApiError} */ error) {
  const mode = /** @type {any} */ (error.problem).mode;
  return mode === 'read-only' || mode === 'draining' ? mode : 'busy';
}

observe((error) => {
  if (error === null) {
    if (nodeState.value === 'away') nodeState.value = 'ok';
  } else if (error.status === 0) nodeState.value = 'away';
  else if (error.code === 'read-only') nodeState.value = 'read-only';
});
