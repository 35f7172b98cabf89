// Who uses the console, and what they may do.

import { batch, computed, signal } from './vendor/signals.js';
import { ApiError, call, observe, read } from './api.js';

/** @typedef {import("./api.js").Schemas} Schemas */

/** @type {import("@preact/signals").Signal<Schemas["Me"] | null>} */
export const me = signal(null);

/**
 * `loading` before the first answer; `open` as long as nobody has to log in; `in` with a session; `out` without, or when it has
 * ended; `setup` when the node waits for its first administrator.
 *
 * @type {import("@preact/signals").Signal<"loading" | "open" | "in" | "out" | "setup">}
 */
export const state = signal('loading');

/** The permissions of each role. @type {import("@preact/signals").Signal<Map<string, Set<string>>>} */
const roles = signal(new Map());

/** What the caller may do anywhere. */
export const permissions = computed(() => new Set(/** @type {string[]} */ (me.value?.permissions ?? [])));

/** True when the caller may do it: in the store if one is named, otherwise anywhere. The node decides; this hides what it would refuse. */
export function can(/** @type {string} */ permission, /** @type {string | undefined} */ storeId = undefined) {
  if (!permissions.value.has(permission)) return false;
  if (storeId === undefined || state.value === 'open') return true;
  return (me.value?.grants ?? []).some((grant) => {
    const stores = /** @type {string[] | undefined} */ (/** @type {any} */ (grant).stores);
    return (roles.value.get(grant.role ?? '')?.has(permission) ?? false) && (stores === undefined || stores.includes(storeId));
  });
}

/** Asks the node who the caller is. Throws when it does not answer. */
export async function load() {
  try {
    const { data } = await read('/auth/me', {}, { quiet: true });
    const known = await read('/roles', {}, { quiet: true });
    batch(() => {
      me.value = data;
      roles.value = new Map(known.data.items.map((/** @type {any} */ row) => [row.role, new Set(row.permissions)]));
      state.value = data.principalId === 'local' ? 'open' : 'in';
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 0) throw error;
    if (error.code === 'setup-required') state.value = 'setup';
    else if (error.status === 401) state.value = 'out';
    else throw error;
  }
}

/** Begins a session, whose cookie the browser keeps and scripts cannot read. */
export async function logIn(/** @type {string} */ login, /** @type {string} */ password) {
  await call('POST', '/auth/login', { body: { login, password, session: true }, quiet: true });
  await load();
}

/** Ends the session. */
export async function logOut() {
  await call('POST', '/auth/logout', { quiet: true }).catch((error) => {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  });
  batch(() => {
    me.value = null;
    state.value = 'out';
  });
}

// A session may end while a page is open: the page stays as it is, behind the login.
observe((error) => {
  if (error?.status === 401 && (state.value === 'in' || state.value === 'open')) {
    state.value = error.code === 'setup-required' ? 'setup' : 'out';
  }
});
