// The form fields of grants: roles, limited to stores or a team.

import { h } from '../../vendor/preact.js';
import { read } from '../../api.js';
import { Icon } from '../../parts/basics.js';
import { Field } from '../../parts/form.js';
import { useLoad } from '../../parts/load.js';
import { can } from '../../session.js';
import { grantText } from './words.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {Schemas["Grant"]} Grant */
/** The input for one grant. @typedef {{ role: string, stores: string, team: string, kept: Grant | null }} GrantDraft */

const STORES_TOLD = 8;

/** @returns {GrantDraft} */
export function draftOf(/** @type {Grant} */ grant) {
  return { role: grant.role ?? '', stores: (grant.stores ?? []).join(', '), team: grant.team ?? '', kept: grant.role ? null : grant };
}

export const storesOf = (/** @type {string} */ text) => text.split(/[\s,;]+/).filter(Boolean);

/** @returns {Grant[]} */
export function grantsOf(/** @type {GrantDraft[]} */ drafts) {
  const given = drafts.filter(({ role, kept }) => role !== '' || kept !== null);
  return given.map(({ role, stores, team, kept }) => kept ?? /** @type {Grant} */ ({
    role, ...(storesOf(stores).length > 0 ? { stores: storesOf(stores) } : {}), ...(team !== '' ? { team } : {}),
  }));
}

/** The roles with their scopes. */
export function useRoles() {
  return useLoad(async (signal) => /** @type {Schemas["Roles"]["items"]} */ ((await read('/roles', {}, { signal })).data.items), []);
}

/** True when each grant has the scope that its role requires; never before the roles are known. */
export function isComplete(/** @type {GrantDraft[]} */ drafts, /** @type {Schemas["Roles"]["items"]} */ roles) {
  return roles.length > 0 && drafts.every(({ role, stores, team }) => {
    const scope = roles.find((known) => known.role === role)?.scope;
    return (scope !== 'stores' || storesOf(stores).length > 0) && (scope !== 'team' || team !== '');
  });
}

/** @param {{ drafts: GrantDraft[], onChange: (drafts: GrantDraft[]) => void, roles: Schemas["Roles"]["items"] }} props */
export function GrantFields({ drafts, onChange, roles }) {
  const stores = useLoad(async (signal) => (can('stores:read')
    ? (await read('/stores', { limit: STORES_TOLD + 1 }, { signal })).data.items.map((/** @type {any} */ store) => store.storeId) : []),
    []);
  const some = /** @type {string[]} */ (stores.data ?? []);
  const put = (/** @type {number} */ at, /** @type {Partial<GrantDraft>} */ changes) =>
    onChange(drafts.map((draft, index) => (index === at ? { ...draft, ...changes } : draft)));
  /** @type {[string, string][]} */
  const options = [['', 'Choose …'],
    .../** @type {[string, string][]} */ (roles.map(({ role, scope }) => [role, scope === 'stores' ? `${role} (of stores)`
      : scope === 'team' ? `${role} (of a team)` : role]))];
  return h('fieldset', { class: 'grants' }, h('legend', null, 'Roles'),
    drafts.length === 0 && h('p', { class: 'soft' }, 'No roles. The person can log in but has no permissions.'),
    drafts.map((draft, index) => {
      const scope = roles.find((known) => known.role === draft.role)?.scope;
      return h('div', { class: 'grant', key: index },
        draft.kept
          ? h('p', { class: 'field' }, h('code', null, grantText(draft.kept)))
          : h(Field, { label: 'Role', value: draft.role, options, required: true,
            onInput: (role) => put(index, { role, stores: '', team: '' }) }),
        !draft.kept && scope === 'stores' && h(Field, {
          label: 'In these stores', value: draft.stores, required: true, onInput: (text) => put(index, { stores: text }),
          placeholder: 'BERLIN, PARIS',
          hint: some.length > 0 && `For example ${some.slice(0, STORES_TOLD).join(', ')}${some.length > STORES_TOLD ? ' …' : ''}`,
        }),
        !draft.kept && scope === 'team' && h(Field, { label: 'Team', value: draft.team, required: true, maxLength: 64,
          onInput: (team) => put(index, { team }) }),
        h('button', {
          type: 'button', class: 'quiet', 'aria-label': `Remove ${draft.kept ? grantText(draft.kept) : draft.role || 'this grant'}`,
          onClick: () => onChange(drafts.filter((_, at) => at !== index)),
        }, h(Icon, { name: 'close' })));
    }),
    h('button', { type: 'button', onClick: () => onChange([...drafts, { role: '', stores: '', team: '', kept: null }]) },
      h(Icon, { name: 'plus' }), 'Add a role'));
}
