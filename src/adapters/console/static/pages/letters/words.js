// Texts of dead letters.

import { number } from '../../parts/format.js';

/** @typedef {import("../../api.js").Schemas} Schemas */

/** @type {Record<string, { kind: "ok" | "low" | "plain", icon: "ok" | "low" | undefined, word: string }>} */
export const STATES = {
  open: { kind: 'low', icon: 'low', word: 'Open' },
  redriven: { kind: 'ok', icon: 'ok', word: 'Redriven' },
  discarded: { kind: 'plain', icon: undefined, word: 'Discarded' },
};

const events = (/** @type {number} */ count) => `${number(count)} ${count === 1 ? 'event' : 'events'}`;

/** The result of a redrive or a discard. */
export function resultOf(/** @type {Schemas["Driven"]} */ { letter, applied, waiting }) {
  const rest = waiting > 0 ? ` ${events(waiting)} of the level still ${waiting === 1 ? 'waits' : 'wait'}.`
    : ' No events of the level wait.';
  if (letter.state === 'open') return `The event still cannot be applied: ${letter.reason}.`;
  if (letter.state === 'redriven') return `${events(applied)} applied to the central model.${rest}`;
  const behind = applied > 0 ? ` ${events(applied)} behind it applied to the central model.` : '';
  return `The event is discarded.${behind}${rest}`;
}
