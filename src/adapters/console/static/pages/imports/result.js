// The result of the check, the progress, and the result of the import.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { href, place, refine } from '../../router.js';
import { Badge, Code, Copy, Icon, Long, ProblemBox, Time, say } from '../../parts/basics.js';
import { save } from '../../parts/download.js';
import { number, shellWord } from '../../parts/format.js';
import { Table } from '../../parts/table.js';
import { goOn, pause, report, send, stop } from './job.js';

/** @typedef {import("./job.js").Job} Job */
/** @typedef {import("./job.js").Refusals} Refusals */
/** @typedef {import("./rows.js").Reading} Reading */
/** @typedef {import("../../api.js").Schemas} Schemas */

/** @param {{ job: Job }} props */
export function Result({ job }) {
  const { phase, survey, known, reached, error, waiting, file } = job;
  const [reporting, setReporting] = useState(false);
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null));
  const start = async () => {
    refine({ import: survey?.importId });
    await send();
    say('Import completed');
  };
  const download = async () => {
    setReporting(true);
    setFailed(null);
    try {
      const content = await report();
      if (content) save(content, `${file.name.replace(/\.[^.]*$/, '')}-refused.csv`);
    } catch (problem) {
      setFailed(/** @type {Error} */ (problem));
    } finally {
      setReporting(false);
    }
  };
  const isBehind = survey !== null && known !== null && !known.finished;
  const isDone = phase === 'done';
  const refusals = job.refusals ?? survey?.refusals ?? null;
  const isRunning = phase === 'sending' || phase === 'paused';
  return h('section', { class: 'import-result', 'aria-label': 'The import' },
    error && h(ProblemBox, { error, retry: survey && phase === 'stopped' ? start : undefined }),
    phase === 'checking' && h(Bar, { label: 'Checking the file', value: job.done, max: file.size,
      text: 'Checking the file …' }),
    phase === 'counting' && h(Bar, { label: 'Collecting refused rows', value: job.done, max: file.size,
      text: 'Collecting refused rows …' }),
    survey && h('div', { class: 'tiles' },
      h(Tile, { name: 'rows', value: survey.rows }),
      reached && (isRunning || isDone || phase === 'stopped' || phase === 'counting')
        ? h(Tile, { name: 'applied', value: reached.applied })
        : h(Tile, { name: 'valid rows', value: survey.rows - survey.refusals.total }),
      h(Tile, { name: isDone ? 'refused' : 'invalid rows', value: refusals?.total ?? 0, kind: (refusals?.total ?? 0) > 0 ? 'low' : 'ok' }),
      reached && !isDone && reached.refused > 0 && h(Tile, { name: 'refused by the node', value: reached.refused, kind: 'low' })),
    survey?.notes.map((note) => h('p', { class: 'note', key: note }, note)),
    survey && isDone && h('p', { role: 'status' }, h(Badge, { kind: 'ok', icon: 'ok' }, 'Finished'), ' ',
      known?.finished ? ['This file was imported before with the same options. Nothing was changed. Completed ',
        h(Time, { at: known.updatedAt }), '.']
        : `${number(reached?.applied ?? 0)} rows are applied, ${number(refusals?.total ?? 0)} are refused.`),
    survey && isBehind && !isDone && known && h('p', { role: 'status', class: 'note' },
      isRunning ? `Continues after row ${number(known.rowsDone)}.`
        : `The node has the first ${number(known.rowsDone)} rows of this import.`),
    survey && isRunning && h(Bar, {
      label: 'Rows that the node has', value: job.done, max: survey.rows,
      text: `${number(job.done)} of ${number(survey.rows)} rows ${phase === 'paused' ? '· paused' : '…'}`,
    }),
    waiting && h('p', { class: 'waiting', role: 'status' }, `${waiting.message} The step is retried; no row is lost.`),
    survey && h('div', { class: 'actions' },
      (phase === 'checked' || phase === 'stopped') && !known?.finished && h('button', { type: 'button', class: 'primary', onClick: start },
        h(Icon, { name: 'play' }), phase === 'stopped' || isBehind ? `Continue after row ${number(reached?.rowsDone ?? 0)}`
          : `Import ${number(survey.rows - survey.refusals.total)} rows`),
      phase === 'sending' && h('button', { type: 'button', onClick: pause }, h(Icon, { name: 'pause' }), 'Pause'),
      phase === 'paused' && h('button', { type: 'button', class: 'primary', onClick: goOn }, h(Icon, { name: 'play' }), 'Continue'),
      isRunning && h('button', { type: 'button', onClick: stop }, 'Stop'),
      ['checked', 'stopped', 'done'].includes(phase) && (refusals?.total ?? 0) + (reached?.refused ?? 0) > 0
        && h('button', { type: 'button', onClick: download, disabled: reporting },
        h(Icon, { name: 'download' }), reporting ? 'Preparing …' : 'Save refused rows as CSV'),
      isDone && h('a', { class: 'button', href: href('stock') }, 'Show the stock')),
    failed && h(ProblemBox, { error: failed, retry: download }),
    isRunning && h('p', { class: 'soft' }, 'The import continues on other pages. After this tab is closed, choose the same file to '
      + 'continue.'),
    refusals && refusals.total > 0 && h(RefusedRows, { refusals }),
    survey && !isDone && !isRunning && survey.preview.length > 0 && h(Preview, { rows: survey.preview }),
    survey && h('details', { class: 'more' }, h('summary', null, 'Import id and shell command'),
      h('dl', { class: 'facts' }, h('dt', null, 'Import'), h('dd', null, h('code', null, survey.importId), ' ',
        h(Copy, { text: survey.importId }),
        place.value.params.get('import') !== survey.importId && h('a', { href: href('imports', { import: survey.importId }) },
          'link'))),
      job.reading.kind !== 'column' && h(Code, { text: commandOf(file.name, job.reading) })));
}

/** @param {{ label: string, value: number, max: number, text: string }} props */
function Bar({ label, value, max, text }) {
  return h('div', null, h('p', { class: 'bar-text' }, text), h('progress', { 'aria-label': label, value, max }));
}

/** @param {{ name: string, value: number, kind?: "ok" | "low" }} props */
function Tile({ name, value, kind }) {
  return h('div', { class: 'tile' }, h('b', null, number(value)), h('span', null, kind && h(Icon, { name: kind }), name));
}

/** @param {{ refusals: Refusals }} props */
export function RefusedRows({ refusals }) {
  return h('section', null,
    h('h2', null, 'Refused rows'),
    h('p', { class: 'soft' }, [...refusals.byCode].map(([code, count]) => `${number(count)} ${code}`).join(', '),
      refusals.total > refusals.first.length && ` · the first ${number(refusals.first.length)} are shown; the CSV has all rows`),
    h(Table, {
      label: 'Refused rows', count: refusals.first.length, row: (index) => refusals.first[index], keyOf: ({ row }) => row, fit: true,
      columns: [
        { id: 'row', title: 'Row', num: true, width: '5.5rem', head: true, cell: ({ row }) => number(row) },
        { id: 'line', title: 'Line', num: true, width: '5.5rem', wide: true, cell: ({ line }) => (line === 0 ? '' : number(line)) },
        { id: 'code', title: 'Code', width: '11rem', wide: true, cell: ({ code }) => h('code', null, code) },
        { id: 'detail', title: 'Reason', cell: ({ detail }) => h(Long, { text: detail }) },
        { id: 'store', title: 'Store', width: '15%', wide: true, cell: ({ cells }) => h(Long, { text: cells[0] ?? '' }) },
        { id: 'sku', title: 'SKU', width: '15%', cell: ({ cells }) => h(Long, { text: cells[1] ?? '' }) },
        { id: 'quantity', title: 'Quantity', width: '6.5rem', num: true, wide: true, cell: ({ cells }) => cells[2] ?? '' },
      ],
    }));
}

/** @param {{ rows: Schemas["ImportRow"][] }} props */
function Preview({ rows }) {
  return h('section', null,
    h('h2', null, `Preview: first ${rows.length === 1 ? 'row' : `${rows.length} rows`}`),
    h(Table, {
      label: 'Preview', count: rows.length, row: (index) => rows[index], keyOf: ({ row }) => row, fit: true,
      columns: [
        { id: 'row', title: 'Row', num: true, width: '4.5rem', head: true, cell: ({ row }) => number(row) },
        { id: 'store', title: 'Store', cell: ({ storeId }) => h(Long, { text: storeId }) },
        { id: 'sku', title: 'SKU', cell: ({ sku }) => h(Long, { text: sku }) },
        { id: 'kind', title: 'Kind', width: '6rem', cell: ({ kind }) => kind },
        { id: 'quantity', title: 'Quantity', num: true, width: '5.5rem', cell: ({ quantity }) => number(quantity) },
        { id: 'time', title: 'Time (UTC)', width: '13rem', wide: true,
          cell: ({ occurredAt }) => occurredAt?.replace('T', ' ').replace(/(:00)?\.000Z$/, '') ?? '' },
        { id: 'reference', title: 'Reference', wide: true, cell: ({ reference }) => h(Long, { text: reference ?? '' }) },
      ],
    }));
}

/** The same import as a shell command. */
function commandOf(/** @type {string} */ name, /** @type {Reading} */ reading) {
  const parts = ['onhand import', shellWord(name.startsWith('-') ? `./${name}` : name)];
  const option = (/** @type {string} */ flag, /** @type {string} */ value) => parts.push(`${flag} ${shellWord(value)}`);
  if (reading.kind !== 'sale') option('--kind', reading.kind);
  if (reading.storeColumn === '') option('--store', reading.storeId);
  else option('--store-column', reading.storeColumn);
  if (reading.storeColumn !== '' && reading.exactStores) parts.push('--exact-stores');
  if (reading.storeColumn !== '' && !reading.exactStores) for (const pair of reading.storeNames) option('--store-name', pair.join('='));
  option('--sku-column', reading.skuColumn);
  option('--quantity-column', reading.quantityColumn);
  if (reading.timeColumn !== '') {
    option('--time-column', reading.timeColumn);
    if (reading.timeFormat !== '') option('--time-format', reading.timeFormat);
  }
  if (reading.referenceColumn !== '') option('--reference-column', reading.referenceColumn);
  if (reading.openingStock > 0) option('--opening-stock', String(reading.openingStock));
  if (reading.delimiter !== ',') option('--delimiter', reading.delimiter === '\t' ? 'tab' : reading.delimiter);
  return parts.join(' ');
}
