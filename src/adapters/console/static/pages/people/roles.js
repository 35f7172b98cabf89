// The permissions of the roles, and the mode of the installation.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { read } from '../../api.js';
import { can } from '../../session.js';
import { Badge, Icon, Loading, ProblemBox } from '../../parts/basics.js';
import { ChangeDialog } from '../../parts/form.js';
import { useLive } from '../../parts/load.js';
import { useRoles } from './grants.js';
import { explain } from './words.js';

/** @typedef {import("../../api.js").Schemas} Schemas */

const SCOPES = { anywhere: 'everywhere', stores: 'for stores', team: 'for a team', own: 'for their own' };
const MODES = {
  development: 'All permissions are in effect.',
  judging: 'Teams may not inject events, regardless of their roles.',
};

export function Roles() {
  const roles = useRoles();
  const mode = useLive(async (signal) => {
    const { data, sequence } = await read('/mode', {}, { signal });
    return { data: /** @type {Schemas["ModeRecord"]} */ (data), sequence };
  }, (shown, events) => (events.some(({ type }) => type === 'MODE') ? null : shown), []);
  const [changing, setChanging] = useState(false);
  if (roles.error) return h(ProblemBox, { error: roles.error, retry: roles.reload });
  if (!roles.data) return h(Loading, null);
  const permissions = [...new Set(roles.data.flatMap((role) => role.permissions))];
  return [
    mode.error && h(ProblemBox, { error: mode.error, retry: mode.reload }),
    mode.data && h('p', { class: 'mode' }, 'Mode ', h(Badge, { kind: mode.data.mode === 'judging' ? 'low' : 'plain' }, mode.data.mode),
      ` ${MODES[mode.data.mode]} `,
      can('identity:manage') && h('button', { type: 'button', onClick: () => setChanging(true) },
        mode.data.mode === 'judging' ? 'Back to development' : 'Switch to judging')),
    changing && mode.data && h(SwitchMode, { record: mode.data, onClose: () => setChanging(false), onDone: mode.reload }),
    h('div', { class: 'table fill matrix', tabIndex: 0, role: 'region', 'aria-label': 'Roles and permissions' }, h('table', null,
      h('caption', { class: 'offscreen' }, 'Permissions of each role'),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Permission'), roles.data.map(({ role, scope }) =>
        h('th', { scope: 'col', key: role }, h('span', null, role), h('span', { class: 'soft' }, SCOPES[scope]))))),
      h('tbody', null, permissions.map((permission) => h('tr', { key: permission },
        h('th', { scope: 'row' }, h('code', null, permission)),
        roles.data?.map((role) => h('td', { key: role.role }, role.permissions.includes(permission)
          ? [h(Icon, { name: 'ok' }), h('span', { class: 'offscreen' }, 'yes')] : h('span', { class: 'offscreen' }, 'no')))))))),
  ];
}

/** @param {{ record: Schemas["ModeRecord"], onClose: () => void, onDone: () => void }} props */
function SwitchMode({ record, onClose, onDone }) {
  const [{ mode, version }] = useState(record);
  const next = mode === 'judging' ? 'development' : 'judging';
  return h(ChangeDialog, {
    title: `Switch to ${next}`, submit: 'Switch', danger: true, onClose, onDone, explain, said: `The mode is ${next}`,
    request: () => ({ method: 'PUT', path: '/mode', body: { mode: next, expectedVersion: version } }),
  }, h('p', null, `The mode takes effect immediately for all callers. ${MODES[next]}`));
}
