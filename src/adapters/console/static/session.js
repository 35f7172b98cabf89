// The caller and their permissions.

import { batch, computed, signal } from './vendor/signals.js';
import { ApiError, ROOT, call, observe, read } from './api.js';

/** @typedef {import("./api.js").Schemas} Schemas */

/** @type {import("@preact/signals").Signal<Schemas["Me"] | null>} */
export const me = signal(null);

/**
 * `loading` before the first response; `open` while no login is required; `in` with a session; `out` without one or after its end;
 * `setup` while the node rejects all requests because it has no administrator.
 *
 * @type {import("@preact/signals").Signal<"loading" | "open" | "in" | "out" | "setup">}
 */
export const state = signal('loading');

/** The permissions of each role beyond what is the caller's own. @type {import("@preact/signals").Signal<Map<string, Set<string>>>} */
const roles = signal(new Map());

/** Other tabs of this node, which share the session. One origin may have several nodes, each below a path of its own. */
const tabs = new BroadcastChannel(`onhand.session ${ROOT.pathname}`);
tabs.onmessage = () => { reload(); };

/** Who the caller is and what they may see; changes when anything that was read may not be what they see now. */
export const caller = computed(() => (me.value === null ? '' : JSON.stringify([me.value.principalId, me.value.grants])));

/** The permissions of the caller, whatever their scope. */
export const permissions = computed(() => new Set(/** @type {string[]} */ (me.value?.permissions ?? [])));

/** True when the caller has the permission: in `storeId`, or without it in any store. The node enforces it; this only hides controls. */
export function can(/** @type {string} */ permission, /** @type {string | undefined} */ storeId = undefined) {
  if (!permissions.value.has(permission)) return false;
  return storeId === undefined || isGranted(permission, (stores) => stores.includes(storeId));
}

/** True when the caller has the permission without a limit to stores: for what belongs to no store, such as the node. */
export function canEverywhere(/** @type {string} */ permission) {
  return permissions.value.has(permission) && isGranted(permission, () => false);
}

/** True when the caller has the permission for more than what is their own, as a customer has: in a store, or everywhere. */
export function canSomewhere(/** @type {string} */ permission) {
  return permissions.value.has(permission) && isGranted(permission, () => true);
}

/** True when a grant of the permission has no stores, or stores that fit. */
function isGranted(/** @type {string} */ permission, /** @type {(stores: string[]) => boolean} */ fit) {
  return state.value === 'open' || (me.value?.grants ?? []).some((grant) => {
    const isMeant = grant.permission === permission || roles.value.get(grant.role ?? '')?.has(permission);
    return isMeant && (grant.stores === undefined || fit(grant.stores));
  });
}

/** Reads the caller and the roles. Throws when the node does not answer. */
export async function load() {
  try {
    const { data } = await read('/auth/me', {}, { quiet: true });
    const known = await read('/roles', {}, { quiet: true });
    batch(() => {
      me.value = data;
      roles.value = new Map(known.data.items.map((/** @type {any} */ { role, scope, permissions: all }) =>
        [role, new Set(scope === 'own' ? [] : all)]));
      state.value = data.principalId === 'local' ? 'open' : 'in';
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 0) throw error;
    if (error.code === 'setup-required') state.value = 'setup';
    else if (error.status === 401) state.value = 'out';
    else throw error;
  }
}

/** Starts a session. Scripts cannot read its cookie. */
export async function logIn(/** @type {string} */ login, /** @type {string} */ password) {
  await call('POST', '/auth/login', { body: { login, password, session: true }, quiet: true });
  await load();
  tabs.postMessage('changed');
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
  tabs.postMessage('changed');
}

/** Asks again who the caller is: somebody else may have logged in by another tab, or the grants were changed. */
export async function reload() {
  await load().catch((error) => {
    // A node that is away is asked again when its stream of changes begins.
    if (!(error instanceof ApiError)) throw error;
  });
}

// When a session ends, the page stays as it is, behind the login form.
observe((error) => {
  // What is offered here is refused: the grants are others now.
  if (error?.status === 403 && state.value === 'in') reload();
  if (error?.status === 401 && (state.value === 'in' || state.value === 'open')) {
    state.value = error.code === 'setup-required' ? 'setup' : 'out';
  }
});
