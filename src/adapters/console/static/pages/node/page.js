// The node: facts, settings, and commands for its operator.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { ROOT, read } from '../../api.js';
import { place, refine } from '../../router.js';
import { Badge, Code, Curl, Empty, Loading, Long, Page, ProblemBox, Time } from '../../parts/basics.js';
import { Check, Dialog, Search } from '../../parts/form.js';
import { bytes, number, shellWord } from '../../parts/format.js';
import { useInterval, useLive } from '../../parts/load.js';
import { Table } from '../../parts/table.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {Schemas["Node"]} Node */
/** @typedef {NonNullable<Node["settings"]>[number]} Setting */

const EVERY_MS = 10_000;
/** A smaller free share of the disk is a warning. */
const FREE_LOW = 0.1;
const FREE_OUT = 0.02;

export default function NodePage() {
  const { data, error, reload } = useLive(async (signal) => {
    const { data: node } = await read('/node', {}, { signal });
    return { data: /** @type {Node} */ (node), sequence: node.durableSequence };
  }, (shown, events) => ({ ...shown, durableSequence: Math.max(shown.durableSequence, events[events.length - 1].sequence) }), []);
  useInterval(reload, EVERY_MS);
  return h(Page, { title: 'Node', about: 'The version, data directory and settings of this node.' },
    error && h(ProblemBox, { error, retry: reload }),
    !data && !error && h(Loading, null),
    data && [
      h('div', { class: 'panels', key: 'facts' }, h(Facts, { node: data }), h(Commands, { node: data })),
      data.settings && h(Settings, { key: 'settings', settings: data.settings }),
      h(Curl, { key: 'curl', method: 'GET', path: '/node' }),
    ]);
}

/** @param {{ node: Node }} props */
function Facts({ node }) {
  const path = (/** @type {string} */ name) => new URL(name, ROOT).href;
  /** @type {[string, string][]} */
  const links = [['health', 'Health'], ['health/readiness', 'Readiness'], ['metrics', 'Metrics'], ['docs', 'API'],
    ['docs/guide', 'Guides']];
  return h('section', { class: 'panel' }, h('h2', null, 'Facts'),
    h('dl', { class: 'facts' },
      h('dt', null, 'Version'), h('dd', null, `Onhand ${node.version}`),
      node.startedAt && h('dt', null, 'Running for'), node.startedAt && h('dd', null, lasted(node.startedAt, node.time), ', since ',
        h(Time, { at: node.startedAt })),
      h('dt', null, 'Durable sequence'), h('dd', { class: 'mono' }, number(node.durableSequence)),
      h('dt', null, 'Data directory'), h('dd', null, node.dataDir ? h('code', null, node.dataDir) : 'unknown'),
      h('dt', null, 'Disk'), h('dd', null, node.disk ? h(Disk, { disk: node.disk }) : 'unknown'),
      h('dt', null, 'Node id'), h('dd', null, h('code', null, node.node)),
      h('dt', null, 'Ledger id'), h('dd', null, h('code', null, node.ledger)),
      h('dt', null, 'Login'), h('dd', null, node.open ? h(Badge, { kind: 'low', icon: 'low' }, 'not required')
        : h(Badge, { kind: 'ok', icon: 'ok' }, 'required'))),
    h('p', { class: 'above' },
      links.map(([name, title], index) => [index > 0 && ' · ', h('a', { key: name, href: path(name), target: '_blank', rel: 'noreferrer' },
      title)])));
}

/** @param {{ disk: NonNullable<Node["disk"]> }} props */
function Disk({ disk }) {
  const part = disk.totalBytes > 0 ? disk.freeBytes / disk.totalBytes : 0;
  const kind = part < FREE_OUT ? 'out' : part < FREE_LOW ? 'low' : 'ok';
  const word = { ok: 'enough space', low: 'little space', out: 'almost full' }[kind];
  return [
    h('span', { class: `disk ${kind}`, 'aria-hidden': 'true', key: 'bar' }, h('span', { style: { width: `${(1 - part) * 100}%` } })),
    h('span', { key: 'words' }, `${bytes(disk.freeBytes)} free of ${bytes(disk.totalBytes)} (${Math.floor(part * 100)} %) `),
    h(Badge, { key: 'state', kind, icon: kind }, word),
  ];
}

/** @param {{ node: Node }} props */
function Commands({ node }) {
  const dir = shellWord(node.dataDir ?? 'data');
  // The order of run.md, "Backup": first the files with positions in the log, then the log, then the archive.
  const backup = [
    'copy=/backup/monday; mkdir -p "$copy"   # an empty directory',
    `cd ${dir}`,
    'cp -a --parents node.json alerts-sent central dead-letters snapshots log/mark "$copy"',
    'cp -a --parents log/*.jsonl "$copy"',
    'cp -a archive audit "$copy"',
    'onhand verify --data-dir "$copy"',
  ].join('\n');
  return h('section', { class: 'panel' }, h('h2', null, 'Commands'),
    h(Command, { title: 'Verify the log, levels, reservations and snapshots. The node may run.',
      text: `onhand verify --data-dir ${dir}` }),
    h(Command, { title: 'Backup of a running node. Keep the order. Ignore “no such file” for alerts-sent and audit.', text: backup }),
    h(Command, { title: 'Last messages of the node (systemd).', text: 'journalctl -u onhand -n 50' }),
    h('p', { class: 'soft above' }, 'Start a copy only if the original never starts again: both have the same identity.'));
}

/** @param {{ title: string, text: string }} props */
function Command({ title, text }) {
  return h('div', { class: 'command' }, h('p', { class: 'command-title' }, title), h(Code, { text, label: title }));
}

const SOURCES = { flag: 'flag', environment: 'environment', default: 'default', unset: 'not set' };

/** @param {{ settings: Setting[] }} props */
function Settings({ settings }) {
  const [open, setOpen] = useState(/** @type {Setting | null} */ (null));
  const { params } = place.value;
  const query = params.get('q') ?? '';
  const onlySet = params.get('only') === 'set';
  const words = query.toLowerCase();
  const seen = settings.filter(({ name, value, source, about }) => (!onlySet || source === 'flag' || source === 'environment')
    && [name, value, about].some((text) => text?.toLowerCase().includes(words)));
  return h('section', { class: 'settings' }, h('h2', null, 'Settings'),
    h('div', { class: 'filters' },
      h(Search, { label: 'Search settings', value: query, placeholder: 'Name, value or description', onInput: (q) => refine({ q }) }),
      h(Check, { label: 'Only changed settings', checked: onlySet, onChange: (on) => refine({ only: on ? 'set' : null }) }),
      h('p', { class: 'filter-end soft' }, `${number(seen.length)} of ${number(settings.length)}`)),
    seen.length === 0 ? h(Empty, { title: 'No setting matches' }, onlySet && query === '' ? 'All settings have their default value.'
      : 'Clear the search to show all settings.')
      : h(Table, {
        label: 'Settings', count: seen.length, row: (index) => seen[index], keyOf: ({ name }) => name, onOpen: setOpen,
        columns: [
          { id: 'name', title: 'Setting', width: '24%', head: true,
            cell: (one) => h('button', { type: 'button', class: 'link', onClick: () => setOpen(one) },
            h(Long, { text: one.name, code: true })) },
          { id: 'value', title: 'Value', cell: valueOf },
          { id: 'source', title: 'Source', width: '8rem', wide: true, cell: sourceOf },
          { id: 'about', title: 'Description', wide: true, width: '38%', cell: ({ about }) => h(Long, { text: about }) },
        ],
      }),
    open && h(Dialog, { title: open.name, onClose: () => setOpen(null) }, h('div', { class: 'form-body' }, h('p', null, open.about),
      h('dl', { class: 'facts' },
      h('dt', null, 'Value'), h('dd', null, valueOf(open)), h('dt', null, 'Source'), h('dd', null, sourceOf(open)),
      h('dt', null, 'Set by'), h('dd', null, 'the environment variable ', h('code', null, open.name), ' or the flag in ',
        h('code', null, 'onhand serve --help'))))));
}

function valueOf(/** @type {Setting} */ { value, source }) {
  if (value !== null) return h(Long, { text: value, code: true });
  return h('span', { class: 'soft' }, source === 'unset' ? 'none' : 'not shown');
}

function sourceOf(/** @type {Setting} */ { source }) {
  return source === 'flag' || source === 'environment' ? h(Badge, { kind: 'low' }, SOURCES[source]) : h('span', { class: 'soft' },
    SOURCES[source]);
}

/** The uptime by the clock of the node. */
function lasted(/** @type {string} */ from, /** @type {string} */ to) {
  const minutes = Math.max(0, Math.floor((new Date(to).getTime() - new Date(from).getTime()) / 60_000));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${number(days)} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}
