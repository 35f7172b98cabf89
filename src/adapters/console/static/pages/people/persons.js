// The list of people and the dialogs to manage them.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { readPages } from '../../api.js';
import { place, refine } from '../../router.js';
import { can, me, state } from '../../session.js';
import { Badge, Empty, Icon, Loading, Long, ProblemBox, Time } from '../../parts/basics.js';
import { ChangeDialog, Dialog, Field, Search } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useLive } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { GrantFields, draftOf, grantsOf, isComplete, useRoles } from './grants.js';
import { LinkDialog } from './secret.js';
import { PASSWORD_MIN, explain, grantText } from './words.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {Schemas["User"]} User */
/** @typedef {"invite" | "person" | "details" | "grants" | "disable" | "reset" | "erase"} Act */

export function People() {
  const { data, error, reload } = useLive(async (signal) => {
    /** @type {User[]} */
    const items = [];
    const sequence = await readPages('/users', { limit: 1000 }, (page) => { items.push(...page); }, { signal });
    return { data: items, sequence };
  }, (shown, events) => (events.some(({ type }) => type === 'PRINCIPAL') ? null : shown), []);
  const [open, setOpen] = useState(/** @type {{ act: Act, user: User | null } | null} */ (null));
  const [invited, setInvited] = useState(/** @type {User | null} */ (null));
  const query = place.value.params.get('q') ?? '';
  if (error && !data) return h(ProblemBox, { error, retry: reload });
  if (!data) return h(Loading, null);

  const manages = can('identity:manage');
  const words = query.toLowerCase();
  const seen = data.filter((user) => [user.login, user.name, user.email, user.userId, ...user.grants.map(grantText)]
    .some((text) => text?.toLowerCase().includes(words)));
  const user = open?.user && (data.find(({ userId }) => userId === open.user?.userId) ?? open.user);
  const close = () => setOpen(null);
  const to = (/** @type {Act} */ act) => () => setOpen(user ? { act, user } : null);
  return [
    h('div', { class: 'filters' },
      h(Search, { value: query, placeholder: 'Login, name, e-mail, role', onInput: (q) => refine({ q }) }),
      h('p', { class: 'filter-end soft' }, `${number(seen.length)} of ${number(data.length)}`),
      h('span', { class: 'grow' }),
      manages && h('button', { type: 'button', class: 'primary', onClick: () => setOpen({ act: 'invite', user: null }) },
        h(Icon, { name: 'plus' }), state.value === 'open' ? 'Add the first administrator' : 'Invite')),
    error && h(ProblemBox, { error, retry: reload }),
    data.length === 0 && h(Empty, { title: 'There are no people yet' },
      manages ? 'Every user of this machine has all permissions until the first administrator is added.'
        : 'An administrator can invite people.'),
    data.length > 0 && seen.length === 0 && h(Empty, { title: 'No person matches the search' }),
    seen.length > 0 && h(Table, {
      label: 'People', count: seen.length, row: (index) => seen[index], keyOf: ({ userId }) => userId,
      onOpen: (one) => setOpen({ act: 'person', user: one }),
      columns: [
        { id: 'login', title: 'Login', head: true,
          cell: (one) => h('button', { type: 'button', class: 'link', onClick: () => setOpen({ act: 'person', user: one }) },
          h(Long, { text: one.login })) },
        { id: 'name', title: 'Name', cell: (one) => [h(Long, { text: one.name ?? '' }), one.userId === me.value?.principalId
          && h(Badge, null, 'you')] },
        { id: 'grants', title: 'Roles', wide: true, width: '30%',
          cell: (one) => h(Long, { text: one.grants.map(grantText).join('; ') || 'none' }) },
        { id: 'state', title: 'State', width: '9.5rem', cell: stateOf },
        { id: 'since', title: 'Created', wide: true, width: '13.5rem', cell: (one) => h(Time, { at: one.createdAt }) },
      ],
    }),
    open?.act === 'invite' && h(Invite, { onClose: close,
      onDone: (added) => { if (added.link || !added.hasPassword) setInvited(added); reload(); } }),
    invited && h(LinkDialog, { user: invited, link: invited.link ?? null, onClose: () => setInvited(null) }),
    user && open?.act === 'person' && h(Person, { user, manages, onClose: close, to }),
    user && open?.act === 'details' && h(Details, { user, onClose: close, onDone: reload }),
    user && open?.act === 'grants' && h(Grants, { user, onClose: close, onDone: reload }),
    user && open?.act === 'disable' && h(Disable, { user, onClose: close, onDone: reload }),
    user && open?.act === 'erase' && h(Erase, { user, onClose: close, onDone: reload }),
    user && open?.act === 'reset' && h(LinkDialog, { user, link: null, onClose: close }),
  ];
}

function stateOf(/** @type {User} */ { disabled, hasPassword }) {
  if (disabled) return h(Badge, { kind: 'out', icon: 'out' }, 'Disabled');
  return hasPassword ? h(Badge, { kind: 'ok', icon: 'ok' }, 'Active') : h(Badge, { kind: 'low', icon: 'low' }, 'Invited');
}

/** @param {{ user: User, manages: boolean, onClose: () => void, to: (act: Act) => () => void }} props */
function Person({ user, manages, onClose, to }) {
  return h(Dialog, { title: user.login, onClose },
    h('div', { class: 'form-body' },
      h('dl', { class: 'facts' },
        h('dt', null, 'State'), h('dd', null, stateOf(user)),
        user.name && h('dt', null, 'Name'), user.name && h('dd', { dir: 'auto' }, user.name),
        user.email && h('dt', null, 'E-mail'), user.email && h('dd', { dir: 'auto' }, user.email),
        h('dt', null, 'Roles'), h('dd', null, user.grants.length === 0 ? 'none' : h('ul', { class: 'plain' },
          user.grants.map((grant) => h('li', { key: grantText(grant) }, grantText(grant))))),
        h('dt', null, 'Id'), h('dd', null, h('code', null, user.userId)),
        h('dt', null, 'Created'), h('dd', null, h(Time, { at: user.createdAt }))),
      manages && h('footer', null,
        h('button', { type: 'button', onClick: to('grants') }, 'Change roles'),
        h('button', { type: 'button', onClick: to('details') }, 'Change login and name'),
        h('button', { type: 'button', onClick: to('reset') }, user.hasPassword ? 'Link for a new password' : 'New link'),
        h('button', { type: 'button', onClick: to('disable') }, user.disabled ? 'Enable' : 'Disable'),
        h('button', { type: 'button', class: 'danger', onClick: to('erase') }, 'Erase'))));
}

/** @param {{ onClose: () => void, onDone: (user: User) => void }} props */
function Invite({ onClose, onDone }) {
  // While no login is required, the first person needs a password at once: without it, nobody could log in to use a link.
  const isFirst = state.value === 'open';
  const [wasFirst] = useState(isFirst);
  const roles = useRoles();
  const [login, setLogin] = useState('');
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [drafts, setDrafts] = useState([{ role: wasFirst ? 'admin' : '', stores: '', team: '',
    kept: /** @type {Schemas["Grant"] | null} */ (null) }]);
  const valid = (login !== '' || email !== '') && isComplete(drafts, roles.data ?? []) && (!wasFirst || password.length >= PASSWORD_MIN);
  return h(ChangeDialog, {
    title: wasFirst ? 'The first administrator' : 'Invite', submit: wasFirst ? 'Add' : 'Invite', onClose, valid, explain,
    onDone: (answer) => onDone(answer.data), said: 'Person added',
    request: () => ({
      method: 'POST', path: '/users',
      body: { ...(login && { login }), ...(name && { name }), ...(email && { email }), ...(wasFirst && { password }),
        grants: grantsOf(drafts) },
    }),
  },
  wasFirst && h('p', { class: 'note' }, 'From then on, every user has to log in, also in this browser.'),
  h('div', { class: 'fields' },
    h(Field, { label: 'Login', value: login, onInput: setLogin, maxLength: 254, autoComplete: 'off', required: email === '',
      autoFocus: true, hint: 'No spaces or colons.' }),
    h(Field, { label: 'Name', value: name, onInput: setName, maxLength: 256, autoComplete: 'off' })),
  h(Field, { label: 'E-mail address', type: 'email', value: email, onInput: setEmail, maxLength: 254, autoComplete: 'off',
    hint: 'Also the login, if the login is empty.' }),
  wasFirst && h(Field, { label: 'Password', type: 'password', value: password, onInput: setPassword, autoComplete: 'new-password',
    required: true, hint: `${PASSWORD_MIN} characters or more.` }),
  roles.error ? h(ProblemBox, { error: roles.error, retry: roles.reload })
    : h(GrantFields, { drafts, onChange: setDrafts, roles: roles.data ?? [] }),
  !wasFirst && h('p', { class: 'soft' }, 'The next step shows a link for choosing a password.'));
}

/** @param {{ user: User, onClose: () => void, onDone: () => void }} props */
function Details({ user, onClose, onDone }) {
  const [login, setLogin] = useState(user.login);
  const [name, setName] = useState(user.name ?? '');
  const [email, setEmail] = useState(user.email ?? '');
  const [expectedVersion] = useState(user.version);
  return h(ChangeDialog, {
    title: `Change ${user.login}`, onClose, onDone, explain, said: 'Person changed', valid: login !== '',
    request: () => ({ method: 'PATCH', path: `/users/${user.userId}`, body: { login, name: name || null, email: email || null,
      expectedVersion } }),
  },
  h(Field, { label: 'Login', value: login, onInput: setLogin, required: true, maxLength: 254, autoComplete: 'off', autoFocus: true }),
  h(Field, { label: 'Name', value: name, onInput: setName, maxLength: 256, autoComplete: 'off' }),
  h(Field, { label: 'E-mail address', type: 'email', value: email, onInput: setEmail, maxLength: 254, autoComplete: 'off' }));
}

/** @param {{ user: User, onClose: () => void, onDone: () => void }} props */
function Grants({ user, onClose, onDone }) {
  const roles = useRoles();
  const [drafts, setDrafts] = useState(user.grants.map(draftOf));
  const [expectedVersion] = useState(user.version);
  return h(ChangeDialog, {
    title: `Roles of ${user.login}`, onClose, onDone, explain, said: 'Roles changed',
    valid: isComplete(drafts, roles.data ?? []),
    request: () => ({ method: 'PUT', path: `/users/${user.userId}/grants`, body: { grants: grantsOf(drafts), expectedVersion } }),
  }, roles.error ? h(ProblemBox, { error: roles.error, retry: roles.reload })
    : h(GrantFields, { drafts, onChange: setDrafts, roles: roles.data ?? [] }));
}

/** @param {{ user: User, onClose: () => void, onDone: () => void }} props */
function Disable({ user, onClose, onDone }) {
  const [disabled] = useState(!user.disabled);
  const [expectedVersion] = useState(user.version);
  return h(ChangeDialog, {
    title: `${disabled ? 'Disable' : 'Enable'} ${user.login}`, submit: disabled ? 'Disable' : 'Enable', danger: disabled, onClose,
    onDone, explain,
    request: () => ({ method: 'PATCH', path: `/users/${user.userId}`, body: { disabled, expectedVersion } }),
  }, h('p', null, disabled ? 'All requests of this person are rejected immediately. The roles are kept, and the person can be enabled '
    + 'again.'
    : 'The person can log in again with the same password and roles.'));
}

/** @param {{ user: User, onClose: () => void, onDone: () => void }} props */
function Erase({ user, onClose, onDone }) {
  const [typed, setTyped] = useState('');
  const [version] = useState(user.version);
  return h(ChangeDialog, {
    title: `Erase ${user.login}`, submit: 'Erase for good', danger: true, onClose, onDone, explain, valid: typed === user.login,
    said: 'Person erased',
    request: () => ({ method: 'DELETE', path: `/users/${user.userId}`, headers: { 'if-match': `"${version}"` } }),
  },
  h('p', null, 'Permanently deletes login, name, e-mail address, password and sessions. The log keeps only the anonymous id.'),
  h(Field, { label: `Type the login, ${user.login}, to confirm`, value: typed, onInput: setTyped, autoComplete: 'off', autoFocus: true }));
}
