// The tokens of tills, services, nodes and teams.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { readPages } from '../../api.js';
import { href, place, refine } from '../../router.js';
import { can, state } from '../../session.js';
import { Badge, Empty, Icon, Loading, Long, ProblemBox, Time } from '../../parts/basics.js';
import { ChangeDialog, Check, Dialog, Field, Search } from '../../parts/form.js';
import { number, relative } from '../../parts/format.js';
import { useLive } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { GrantFields, grantsOf, isComplete, useRoles } from './grants.js';
import { TokenDialog } from './secret.js';
import { explain } from './words.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {Schemas["Token"]} Token */

const DAY_MS = 86_400_000;
const WARN_DAYS = 14;
/** @type {[string, string][]} */
const KINDS = [['till', 'Till'], ['service', 'Service'], ['node', 'Node'], ['team', 'Team']];
/** @type {[string, string][]} */
const LIVES = [['7', '7 days'], ['30', '30 days'], ['90', '90 days'], ['365', 'a year']];
/** @type {[string, string][]} */
const GRACES = [['0', 'immediately'], ['3600', 'in an hour'], ['86400', 'in a day'], ['604800', 'in a week']];

export function Tokens() {
  const { data, error, reload } = useLive(async (signal) => {
    /** @type {Token[]} */
    const items = [];
    const sequence = await readPages('/tokens', { limit: 1000 }, (page) => { items.push(...page); }, { signal });
    return { data: items.sort((one, other) => Number(one.revoked) - Number(other.revoked) || one.expiresAt.localeCompare(other.expiresAt)),
      sequence };
  }, (shown, events) => (events.some(({ type }) => type === 'TOKEN') ? null : shown), []);
  const [open, setOpen] = useState(/** @type {{ act: "issue" | "token" | "rotate" | "revoke", token: Token | null } | null} */ (null));
  const [issued, setIssued] = useState(/** @type {Token | null} */ (null));
  const params = place.value.params;
  const query = params.get('q') ?? '';
  const all = params.get('revoked') === 'shown';
  if (error && !data) return h(ProblemBox, { error, retry: reload });
  if (!data) return h(Loading, null);

  const manages = can('identity:manage');
  const words = query.toLowerCase();
  const seen = data.filter((token) => (all || !token.revoked)
    && [token.name, token.tokenId, token.principalId, token.kind].some((text) => text?.toLowerCase().includes(words)));
  const close = () => setOpen(null);
  const onDone = (/** @type {import("../../api.js").Answer<Token>} */ answer) => {
    setIssued(answer.data);
    reload();
  };
  return [
    h('div', { class: 'filters' },
      h(Search, { value: query, placeholder: 'Name, kind, id, owner', onInput: (q) => refine({ q }) }),
      h(Check, { label: 'Show revoked tokens', checked: all, onChange: (on) => refine({ revoked: on ? 'shown' : null }) }),
      h('p', { class: 'filter-end soft' }, `${number(seen.length)} of ${number(data.length)}`),
      h('span', { class: 'grow' }),
      manages && state.value !== 'open' && h('button', { type: 'button', class: 'primary',
        onClick: () => setOpen({ act: 'issue', token: null }) }, h(Icon, { name: 'plus' }), 'Issue a token')),
    state.value === 'open' && h('p', { class: 'note' }, 'No login is required yet. Add the first administrator under “People” to issue '
      + 'tokens.'),
    error && h(ProblemBox, { error, retry: reload }),
    seen.length === 0 && h(Empty, { title: data.length === 0 ? 'There are no tokens yet' : 'No token matches' },
      data.length === 0 ? 'Tills, services, other nodes and teams send a token with each request.'
        : 'Clear the search or show revoked tokens.'),
    seen.length > 0 && h(Table, {
      label: 'Tokens', count: seen.length, row: (index) => seen[index], keyOf: ({ tokenId }) => tokenId,
      rowClass: ({ revoked }) => (revoked ? 'gone' : ''),
      onOpen: (token) => setOpen({ act: 'token', token }),
      columns: [
        {
          id: 'name', title: 'Name', head: true,
          cell: (token) => h('button', { type: 'button', class: 'link', onClick: () => setOpen({ act: 'token', token }) },
            h(Long, { text: token.name ?? token.tokenId })),
        },
        { id: 'kind', title: 'Kind', width: '5.5rem', cell: ({ kind }) => kind },
        { id: 'owner', title: 'Owner', wide: true, width: '11rem', cell: ({ principalId }) => h(Long, { text: principalId, code: true }) },
        { id: 'id', title: 'Token id', wide: true, width: '10rem', cell: ({ tokenId }) => h(Long, { text: tokenId, code: true }) },
        { id: 'since', title: 'Issued', wide: true, width: '13.5rem', cell: ({ createdAt }) => h(Time, { at: createdAt }) },
        { id: 'ends', title: 'Expires', width: '11rem', cell: expiry },
      ],
    }),
    open?.act === 'issue' && h(Issue, { onClose: close, onDone }),
    open?.act === 'token' && open.token && h(One, { token: open.token, manages, onClose: close,
      to: (act) => () => setOpen({ act, token: open.token }) }),
    open?.act === 'rotate' && open.token && h(Rotate, { token: open.token, onClose: close, onDone }),
    open?.act === 'revoke' && open.token && h(Revoke, { token: open.token, onClose: close, onDone: reload }),
    issued && h(TokenDialog, { token: issued, onClose: () => setIssued(null) }),
  ];
}

/** The expiry of a token, with a warning in advance. */
function expiry(/** @type {Token} */ { expiresAt, revoked }) {
  const left = new Date(expiresAt).getTime() - Date.now();
  if (revoked) return h(Badge, { icon: 'out' }, 'Revoked');
  const title = new Date(expiresAt).toISOString();
  if (left <= 0) return h('span', { title }, h(Badge, { kind: 'out', icon: 'out' }, `Expired ${relative(expiresAt)}`));
  if (left < WARN_DAYS * DAY_MS) return h('span', { title }, h(Badge, { kind: 'low', icon: 'low' }, `Expires ${relative(expiresAt)}`));
  return h(Time, { at: expiresAt, short: true });
}

/** @param {{ token: Token, manages: boolean, onClose: () => void, to: (act: "rotate" | "revoke") => () => void }} props */
function One({ token, manages, onClose, to }) {
  return h(Dialog, { title: token.name ?? token.tokenId, onClose },
    h('div', { class: 'form-body' },
      h('dl', { class: 'facts' },
        h('dt', null, 'Kind'), h('dd', null, token.kind),
        h('dt', null, 'Owner'), h('dd', null, h('code', null, token.principalId), ' ',
          can('audit:read') && h('a', { href: href('audit', { actor: token.principalId }) }, 'audit trail')),
        h('dt', null, 'Token id'), h('dd', null, h('code', null, token.tokenId)),
        h('dt', null, 'Issued'), h('dd', null, h(Time, { at: token.createdAt })),
        h('dt', null, 'Expires'), h('dd', null, h(Time, { at: token.expiresAt }), ' ', expiry(token))),
      manages && !token.revoked && h('footer', null,
        h('button', { type: 'button', onClick: to('rotate') }, 'Rotate'),
        h('button', { type: 'button', class: 'danger', onClick: to('revoke') }, 'Revoke'))));
}

/** @param {{ onClose: () => void, onDone: (answer: import("../../api.js").Answer<Token>) => void }} props */
function Issue({ onClose, onDone }) {
  const roles = useRoles();
  const [kind, setKind] = useState('till');
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [drafts, setDrafts] = useState([{ role: 'till', stores: '', team: '', kept: /** @type {Schemas["Grant"] | null} */ (null) }]);
  const grants = grantsOf(drafts);
  return h(ChangeDialog, {
    title: 'Issue a token', submit: 'Issue', onClose, onDone, explain, said: 'Token issued', valid: name !== '' && grants.length > 0
      && isComplete(drafts, roles.data ?? []),
    request: () => ({ method: 'POST', path: '/tokens', body: { kind, name, grants, expiresInSeconds: Number(days) * 86_400 } }),
  },
  h('div', { class: 'fields' },
    h(Field, { label: 'Kind', value: kind, options: KINDS, onInput: (value) => {
      setKind(value);
      setDrafts([{ role: { till: 'till', node: 'node', team: 'team' }[value] ?? '', stores: '', team: '', kept: null }]);
    } }),
    h(Field, { label: 'Name', value: name, onInput: setName, required: true, maxLength: 256, autoFocus: true, placeholder: 'till-3',
      autoComplete: 'off' }),
    h(Field, { label: 'Valid for', value: days, options: LIVES, onInput: setDays })),
  roles.error ? h(ProblemBox, { error: roles.error, retry: roles.reload })
    : h(GrantFields, { drafts, onChange: setDrafts, roles: roles.data ?? [] }));
}

/** @param {{ token: Token, onClose: () => void, onDone: (answer: import("../../api.js").Answer<Token>) => void }} props */
function Rotate({ token, onClose, onDone }) {
  const [grace, setGrace] = useState('3600');
  return h(ChangeDialog, {
    title: `Rotate ${token.name ?? token.tokenId}`, submit: 'Rotate', onClose, onDone, explain, said: 'Token rotated',
    request: () => ({ method: 'POST', path: `/tokens/${token.tokenId}/rotate`, body: { graceSeconds: Number(grace) } }),
  },
  h('p', null, 'Issues a new token for the same owner. The old token stays valid for a grace period.'),
  h(Field, { label: 'Old token expires', value: grace, options: GRACES, onInput: setGrace }));
}

/** @param {{ token: Token, onClose: () => void, onDone: () => void }} props */
function Revoke({ token, onClose, onDone }) {
  return h(ChangeDialog, {
    title: `Revoke ${token.name ?? token.tokenId}`, submit: 'Revoke', danger: true, onClose, onDone, explain, said: 'Token revoked',
    request: () => ({ method: 'DELETE', path: `/tokens/${token.tokenId}` }),
  }, h('p', null, 'All requests with this token are rejected immediately. A revoked token cannot be restored.'));
}
