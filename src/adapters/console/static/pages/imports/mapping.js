// The form of the options: kind of the rows, columns, formats.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { Check, Field } from '../../parts/form.js';
import { readHead } from './csv.js';
import { check, job as current, set, setReading } from './job.js';
import { isStoreId } from './rows.js';
import { LAYOUTS, guessLayout, timeReader } from './times.js';

/** @typedef {import("./job.js").Job} Job */
/** @typedef {import("./rows.js").Reading} Reading */

/** @type {[string, string][]} */
const KINDS = [
  ['sale', 'Sales; a negative quantity is a return'], ['stock-in', 'Deliveries'], ['removal', 'Removals (broken, lost, given away)'],
  ['opening', 'Opening stock'], ['column', 'By a column of the file'],
];
/** @type {[string, string][]} */
const DELIMITERS = [[',', 'Comma'], [';', 'Semicolon'], ['\t', 'Tab']];
const OTHER = 'other';

/** The invalid options. */
function faults(/** @type {Job} */ { reading, names }) {
  /** @type {Partial<Record<keyof Reading, string>>} */
  const found = {};
  const column = (
    /** @type {"storeColumn" | "skuColumn" | "quantityColumn" | "timeColumn" | "referenceColumn" | "kindColumn"} */ field,
  ) => {
    const name = reading[field];
    if (name !== '' && names.indexOf(name) !== names.lastIndexOf(name)) found[field] = 'The header has this name more than once.';
  };
  column('storeColumn');
  column('skuColumn');
  column('quantityColumn');
  column('timeColumn');
  column('referenceColumn');
  if (reading.storeColumn === '' && !isStoreId(reading.storeId)) found.storeId = '1 to 64 of A-Z a-z 0-9 . _ -';
  if (reading.skuColumn === '') found.skuColumn = 'Choose the column.';
  if (reading.quantityColumn === '') found.quantityColumn = 'Choose the column.';
  if (reading.kind === 'column' && reading.kindColumn === '') found.kindColumn = 'Choose the column.';
  if (reading.timeColumn !== '' && timeReader(reading.timeFormat) === null) {
    found.timeFormat = 'A date of %Y %m %d (or %y %b %e), a time of %H %M %S (or %I %p), %z for the offset, or %s.';
  }
  if (!Number.isSafeInteger(reading.openingStock) || reading.openingStock < 0) found.openingStock = 'A whole number, 0 or more.';
  return found;
}

/** Parses lines NAME=STORE; `wrong` is the first invalid line. */
function namesOf(/** @type {string} */ text) {
  /** @type {[string, string][]} */
  const names = [];
  for (const line of text.split('\n').map((some) => some.trim()).filter(Boolean)) {
    const at = line.lastIndexOf('=');
    const [name, id] = [line.slice(0, Math.max(at, 0)).trim(), line.slice(at + 1).trim()];
    if (name === '' || !isStoreId(id)) return { names, wrong: line };
    if (names.some(([known, other]) => known === name && other !== id)) return { names, wrong: line };
    names.push([name, id]);
  }
  return { names, wrong: null };
}

/** @param {{ job: Job }} props */
export function Mapping({ job }) {
  const { reading, names, phase } = job;
  const [storeNames, setStoreNames] = useState(reading.storeNames.map((pair) => pair.join('=')).join('\n'));
  const [isOther, setOther] = useState(reading.timeFormat !== '' && !LAYOUTS.includes(reading.timeFormat));
  const { wrong } = namesOf(storeNames);
  const found = faults(job);
  const isBusy = phase === 'checking';
  /** @type {[string, string][]} */
  const columns = [...new Set(names)].filter((name) => name !== '').map((name) => [name, example(job, name)]);
  const choose = (/** @type {string} */ none) => /** @type {[string, string][]} */ ([['', none], ...columns]);
  const field = (/** @type {keyof Reading} */ name) => (/** @type {string} */ value) => setReading({ [name]: value });

  const setDelimiter = async (/** @type {string} */ delimiter) => {
    const head = await readHead(job.file, delimiter);
    if (current.value?.file !== job.file) return;
    const keep = (/** @type {string} */ name) => (head.names.includes(name) ? name : '');
    set({ names: head.names, sample: head.rows });
    setReading({
      delimiter, storeColumn: keep(reading.storeColumn), skuColumn: keep(reading.skuColumn), quantityColumn: keep(reading.quantityColumn),
      timeColumn: keep(reading.timeColumn), referenceColumn: keep(reading.referenceColumn), kindColumn: keep(reading.kindColumn),
    });
  };
  const setTimeColumn = (/** @type {string} */ timeColumn) => {
    const at = names.indexOf(timeColumn);
    const { layout, isUnsure } = guessLayout(job.sample.map((row) => row[at] ?? ''));
    set({ isTimeUnsure: timeColumn !== '' && isUnsure });
    setOther(false);
    setReading({ timeColumn, timeFormat: layout });
  };

  return h('form', { class: 'panel', onSubmit: (/** @type {Event} */ event) => { event.preventDefault(); check(); } },
    h('h2', null, 'Columns of the file'),
    h('fieldset', { class: 'bare', disabled: isBusy },
      h('legend', { class: 'offscreen' }, 'Columns'),
      h('div', { class: 'fields' },
        h(Field, {
          label: 'Kind of the rows', value: reading.kind, options: KINDS,
          onInput: (kind) => setReading({ kind: /** @type {Reading["kind"]} */ (kind),
            ...(kind === 'opening' ? { openingStock: 0 } : {}) }),
        }),
        reading.kind === 'column' && h(Field, {
          label: 'Column with the kind', value: reading.kindColumn, options: choose('Choose …'), onInput: field('kindColumn'),
          error: found.kindColumn,
          hint: 'Values: sale, return, stock-in, removal or opening.',
        }),
        h(Field, { label: 'Store', value: reading.storeColumn, options: choose('One store for all rows'), onInput: field('storeColumn'),
          error: found.storeColumn }),
        reading.storeColumn === '' && h(Field, {
          label: 'Store id', value: reading.storeId, onInput: field('storeId'), maxLength: 64, error: reading.storeId === '' ? null
            : found.storeId,
          hint: 'For example BERLIN.',
        }),
        h(Field, { label: 'SKU', value: reading.skuColumn, options: choose('Choose …'), onInput: field('skuColumn'),
          error: found.skuColumn }),
        h(Field, { label: 'Quantity', value: reading.quantityColumn, options: choose('Choose …'), onInput: field('quantityColumn'),
          error: found.quantityColumn }),
        h(Field, { label: 'Time', value: reading.timeColumn, options: choose('None'), onInput: setTimeColumn, error: found.timeColumn }),
        reading.timeColumn !== '' && h(Field, {
          label: 'Time format', value: isOther ? OTHER : reading.timeFormat,
          options: [['', 'RFC 3339'], .../** @type {[string, string][]} */ (LAYOUTS.map((layout) => [layout, said(layout)])),
            [OTHER, 'Other format']],
          onInput: (layout) => {
            setOther(layout === OTHER);
            set({ isTimeUnsure: false });
            if (layout !== OTHER) setReading({ timeFormat: layout });
          },
          hint: job.isTimeUnsure ? 'Day and month may be swapped. Check the preview.' : 'UTC, unless the time has an offset.',
        }),
        reading.timeColumn !== '' && isOther && h(Field, {
          label: 'Format (strftime)', value: reading.timeFormat, onInput: field('timeFormat'), error: found.timeFormat,
          hint: 'For example %d-%b-%Y %H:%M.',
        }),
        h(Field, { label: 'Reference', value: reading.referenceColumn, options: choose('None'), onInput: field('referenceColumn'),
          error: found.referenceColumn }),
        reading.kind !== 'opening' && h(Field, {
          label: 'Opening stock', type: 'number', min: 0, step: 1, value: String(reading.openingStock), error: found.openingStock,
          onInput: (text) => setReading({ openingStock: Number(text) }), hint: 'For levels that do not exist yet.',
        }),
        h(Field, { label: 'Delimiter', value: reading.delimiter, options: DELIMITERS, onInput: setDelimiter })),
      reading.storeColumn !== '' && h('details', { class: 'more',
        open: job.error !== null && job.error.message.startsWith('Different names') ? true : undefined },
        h('summary', null, 'Stores'),
        h('p', { class: 'soft' }, 'A valid store id is used unchanged. In other names, “-” replaces each invalid character: “United '
          + 'Kingdom” becomes '
          + '“United-Kingdom”.'),
        h(Check, { label: 'Refuse rows whose store name is not a valid id', checked: reading.exactStores,
          onChange: (exactStores) => setReading({ exactStores }) }),
        !reading.exactStores && h(Field, {
          label: 'Store ids of names, one per line', value: storeNames, multiline: true, placeholder: 'MÜNCHEN=MUENCHEN',
          onInput: (text) => {
            setStoreNames(text);
            setReading({ storeNames: namesOf(text).names });
          },
          error: wrong === null ? null : `Not of the form NAME=STORE: ${wrong}`,
        }))),
    h('div', { class: 'actions' },
      h('button', { type: 'submit', class: phase === 'read' ? 'primary' : undefined, disabled: isBusy || Object.keys(found).length > 0
        || wrong !== null }, 'Check the file')));
}

/** A format with an example. */
function said(/** @type {string} */ layout) {
  const parts = { Y: '2026', m: '12', d: '24', H: '18', M: '30', S: '00', s: '1798137000' };
  const example = layout.replace(/%([YmdHMSs])/g, (_, letter) => parts[/** @type {keyof typeof parts} */ (letter)]);
  if (layout === '%s') return 'Seconds since 1970';
  const first = layout.startsWith('%m') ? 'month' : layout.startsWith('%d') ? 'day' : 'year';
  return `${example} (${first} first)`;
}

/** The name of a column with an example. */
function example(/** @type {Job} */ { names, sample }, /** @type {string} */ name) {
  const value = sample.map((row) => row[names.indexOf(name)]).find((text) => text !== undefined && text !== '');
  if (value === undefined) return name;
  return `${name} (${value.length > 20 ? `${value.slice(0, 20)}…` : value})`;
}
