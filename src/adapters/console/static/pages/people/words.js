// Texts of errors and grants.

import { h } from '../../vendor/preact.js';

/** @typedef {import("../../api.js").ApiError} ApiError */

/** The fewest characters of a password. */
export const PASSWORD_MIN = 12;

/** @type {Record<string, string>} */
const WORDS = {
  'login-taken': 'Another person has this login or e-mail address. Nothing was changed.',
  'last-admin': 'This is the last administrator who can log in. Add another one first. Nothing was changed.',
  'managed-by-file': 'A file of the node declares this person or token. Change the file; the node applies it at the next start or reload.',
  'version-conflict': 'Another user has changed this entry. Close this dialog, check the current state, and try again.',
};

/** The text of a known error; null for others. */
export function explain(/** @type {ApiError} */ error) {
  const words = WORDS[error.code];
  return words === undefined ? null : h('p', { class: 'problem', role: 'alert' }, words);
}

/** A grant as text. */
export function grantText(/** @type {import("../../api.js").Schemas["Grant"]} */ grant) {
  const where = grant.stores ? ` in ${grant.stores.join(', ')}` : grant.team ? ` for ${grant.team}` : '';
  return `${grant.role ?? grant.permission}${where}`;
}
