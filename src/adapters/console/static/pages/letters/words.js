// Dead letters in words.

import { number } from '../../parts/format.js';

/** @typedef {import("../../api.js").Schemas} Schemas */

/** @type {Record<string, { kind: "ok" | "low" | "plain", icon: "ok" | "low" | undefined, word: string }>} */
export const STATES = {
  open: { kind: 'low', icon: 'low', word: 'Open' },
  redriven: { kind: 'ok', icon: 'ok', word: 'Redriven' },
  discarded: { kind: 'plain', icon: undefined, word: 'Discarded' },
};

const events = (/** @type {number} */ count) => `${number(count)} ${count === 1 ? 'event' : 'events'}`;

/** What a redrive or a discard has done. */
export function resultOf(/** @type {Schemas["Driven"]} */ { letter, applied, waiting }) {
  const rest = waiting > 0 ? ` ${events(waiting)} of the level still ${waiting === 1 ? 'waits' : 'wait'}.`
    : ' Nothing of the level waits any more.';
  if (letter.state === 'open') return `It still cannot be applied: ${letter.reason}. Nothing changed.`;
  if (letter.state === 'redriven') return `It is applied: ${events(applied)} more in the central model.${rest}`;
  const behind = applied > 0 ? ` ${events(applied)} behind it ${applied === 1 ? 'is' : 'are'} in the central model now.` : '';
  return `It is discarded.${behind}${rest}`;
}
