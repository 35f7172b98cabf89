// Refusals of changes to people and tokens, in words.

import { h } from '../../vendor/preact.js';

/** @typedef {import("../../api.js").ApiError} ApiError */

/** @type {Record<string, string>} */
const WORDS = {
  'login-taken': 'Another person has this login or e-mail address. Choose another one; nothing has changed.',
  'last-admin': 'This is the last administrator who can log in. Make another one first; nothing has changed.',
  'managed-by-file': 'A file on the node declares this person or token. Change it there; the node takes it over at its next start or '
    + 'reload.',
  'version-conflict': 'Somebody else has changed this person meanwhile. Close this form, look at the present state, and change it again.',
};

/** A known refusal; null for others, which the node explains. */
export function explain(/** @type {ApiError} */ error) {
  const words = WORDS[error.code];
  return words === undefined ? null : h('p', { class: 'problem', role: 'alert' }, words);
}

/** A grant in a few words. */
export function grantText(/** @type {import("../../api.js").Schemas["Grant"]} */ grant) {
  const where = grant.stores ? ` in ${grant.stores.join(', ')}` : grant.team ? ` for ${grant.team}` : '';
  return `${grant.role ?? grant.permission}${where}`;
}
