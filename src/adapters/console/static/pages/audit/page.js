// The audit trail, newest first, live.

import { h } from '../../vendor/preact.js';
import { useMemo, useState } from '../../vendor/hooks.js';
import { href, place, refine } from '../../router.js';
import { Badge, Copy, Curl, Empty, Icon, Loading, Long, Page, ProblemBox, Time } from '../../parts/basics.js';
import { Download } from '../../parts/download.js';
import { Dialog, Field, Search } from '../../parts/form.js';
import { number, time, utc } from '../../parts/format.js';
import { Table } from '../../parts/table.js';
import { Tabs } from '../../parts/tabs.js';
import { ROWS_KEPT, useTrail } from './trail.js';

/** @typedef {import("./trail.js").AuditRow} AuditRow */

/** @type {[string, string][]} */
const KINDS = [['all', 'All'], ['inventory', 'Stock'], ['identity', 'Identity'], ['access', 'Logins and exports'], ['errors', 'Refused'],
  ['events', 'Other changes']];
/** @type {[string, string][]} */
const OUTCOMES = [['', 'All'], ['done', 'Done'], ['refused', 'Refused'], ['noticed', 'Noticed']];
/** @type {[string, string][]} */
const RANGES = [['15', 'the last 15 minutes'], ['60', 'the last hour'], ['1440', 'the last 24 hours'], ['10080', 'the last 7 days'],
  ['all', 'the beginning']];
const RANGE = '60';
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export default function Audit() {
  const { params } = place.value;
  const [kind, actor, outcome, query] = ['kind', 'actor', 'outcome', 'q'].map((name) => params.get(name) ?? '');
  const range = params.get('since') ?? RANGE;
  const since = useMemo(() => (range === 'all' ? null : new Date(Date.now() - (Number(range) || Number(RANGE)) * 60_000).toISOString()),
    [range]);
  const [isPaused, setPaused] = useState(false);
  const [open, setOpen] = useState(/** @type {AuditRow | null} */ (null));
  const trail = useTrail({ kind, actor: actor.trim(), since }, isPaused);
  const seen = useMemo(() => trail.rows.filter((row) => fits(row, outcome, query.toLowerCase())), [trail.rows, trail.turn, outcome, query]);
  const filter = { kind, actor: actor.trim(), since };
  const newest = (/** @type {number} */ index) => seen[seen.length - 1 - index];
  return h(Page, {
    title: 'Audit trail',
    about: 'Changes, logins, exports and refused requests. Equal rows within a minute are one row with a count. Request bodies, secrets '
      + 'and names are not recorded.',
    actions: [
      h('button', { key: 'pause', type: 'button', 'aria-pressed': isPaused, onClick: () => setPaused(!isPaused) },
        h(Icon, { name: isPaused ? 'play' : 'pause' }), isPaused ? 'Continue' : 'Pause'),
      h(Download, { key: 'csv', path: '/audit', query: filter, accept: 'text/csv',
        name: `audit-${new Date().toISOString().slice(0, 10)}.csv`, label: 'Export as CSV' }),
    ],
  },
  h(Tabs, { label: 'Kind', tabs: KINDS, value: kind || 'all', onChange: (id) => refine({ kind: id === 'all' ? null : id }) },
    h('div', { class: 'filters' },
      h(Search, { value: query, placeholder: 'Action, target, request, address', onInput: (q) => refine({ q }) }),
      h(Field, { label: 'Actor', value: actor, onInput: (value) => refine({ actor: value }), placeholder: 'u_…, s_… or local',
        autoComplete: 'off' }),
      h(Field, { label: 'Outcome', value: outcome, options: OUTCOMES, onInput: (value) => refine({ outcome: value }) }),
      h(Field, { label: 'Since', value: range, options: RANGES, onInput: (value) => refine({ since: value === RANGE ? null : value }) }),
      h('p', { class: 'filter-end soft' }, trail.isComplete ? `${number(seen.length)} rows${isPaused ? ', paused' : ''}`
        : `Loading … ${number(trail.rows.length)} rows`)),
    trail.error && h(ProblemBox, { error: trail.error, retry: trail.reload }),
    trail.isCut && h('p', { class: 'note' }, `The newest ${number(ROWS_KEPT)} rows are shown. The export has all rows.`),
    seen.length === 0 && !trail.error && (trail.isComplete
      ? h(Empty, { title: 'No row matches' }, range === 'all' ? 'Change the filters.'
        : 'Change the filters or choose an earlier time under “Since”.')
      : h(Loading, null)),
    seen.length > 0 && h(Table, {
      label: 'Audit trail', count: seen.length, row: newest, keyOf: ({ id }) => id, onOpen: setOpen,
      columns: [
        { id: 'date', title: 'Date', width: '8.5rem', wide: true, cell: (row) => DATE.format(new Date(row.time)) },
        { id: 'time', title: 'Time', width: '6.5rem', head: true, cell: (row) => h('time', { dateTime: row.time, title: utc(row.time) },
          CLOCK.format(new Date(row.time))) },
        { id: 'actor', title: 'Actor', wide: true, width: '11rem',
          cell: (row) => (row.actor === null ? h('span', { class: 'soft' }, 'unknown') : h(Long, { text: row.actor, code: true })) },
        { id: 'what', title: 'Action', cell: (row) => h('button', { type: 'button', class: 'link', onClick: () => setOpen(row) },
          h(Long, { text: row.what })) },
        { id: 'where', title: 'Target', wide: true, width: '28%', cell: (row) => h(Long, { text: row.where ?? '' }) },
        { id: 'outcome', title: 'Outcome', width: '11.5rem', cell: outcomeOf },
        { id: 'count', title: 'Count', width: '10rem', wide: true, cell: (row) => row.count > 1 && h('span', { title: spanOf(row) },
          h(Badge, null, `× ${number(row.count)}`), ' ', h('span', { class: 'soft' }, lengthOf(row))) },
      ],
    }),
    h(Curl, { path: '/audit', method: 'GET', query: filter })),
  open && h(Details, { row: open, onClose: () => setOpen(null) }));
}

function fits(/** @type {AuditRow} */ row, /** @type {string} */ outcome, /** @type {string} */ words) {
  if (outcome === 'refused' ? row.outcome === 'done' || row.outcome === 'noticed' : outcome !== '' && row.outcome !== outcome) return false;
  return words === '' || [row.what, row.where, row.actor, row.outcome, row.requestId, row.address, row.credential, row.detail]
    .some((text) => text?.toLowerCase().includes(words));
}

function outcomeOf(/** @type {AuditRow} */ { outcome }) {
  if (outcome === 'done') return h(Badge, { kind: 'ok', icon: 'ok' }, 'done');
  return outcome === 'noticed' ? h(Badge, { kind: 'low', icon: 'low' }, 'noticed') : h(Badge, { kind: 'out', icon: 'out' }, outcome);
}

function spanOf(/** @type {AuditRow} */ row) {
  return row.firstTime ? `from ${time(row.firstTime)} to ${time(row.time)}` : '';
}

/** The duration of the equal rows of a row. */
function lengthOf(/** @type {AuditRow} */ row) {
  if (!row.firstTime) return '';
  const seconds = (new Date(row.time).getTime() - new Date(row.firstTime).getTime()) / 1000;
  return `in ${seconds < 1 ? '1' : Math.ceil(seconds)} s`;
}

/** @param {{ row: AuditRow, onClose: () => void }} props */
function Details({ row, onClose }) {
  /** @type {[string, any][]} */
  const facts = [
    ['Time', h(Time, { at: row.time })],
    ['Kind', row.kind],
    ['Actor', row.actor === null ? 'unknown' : [h('code', null, row.actor), ' ',
      h('a', { href: href('audit', { actor: row.actor, since: place.value.params.get('since') }), onClick: onClose },
      'all rows of this actor')]],
    ['Action', row.what], ['Target', row.where], ['Outcome', outcomeOf(row)],
    ['Count', row.count > 1 ? `${number(row.count)} times, ${spanOf(row)}` : null],
    ['Status', row.status], ['Address', row.address], ['Credential', row.credential && h('code', null, row.credential)],
    ['Request', row.requestId && [h('code', null, row.requestId), ' ', h(Copy, { text: row.requestId })]],
    ['Sequence', row.sequence === undefined ? null : number(row.sequence)], ['Detail', row.detail],
  ];
  return h(Dialog, { title: row.what, onClose },
    h('div', { class: 'form-body' },
      h('dl', { class: 'facts' }, facts.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) =>
      [h('dt', { key: name }, name), h('dd', { key: `${name}-value` }, value)]))));
}
