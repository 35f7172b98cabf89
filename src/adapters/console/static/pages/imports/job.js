// The import of this tab: its file, options and progress. It continues while another page is shown.

import { signal } from '../../vendor/signals.js';
import { ApiError, read } from '../../api.js';
import { me } from '../../session.js';
import { ROWS_PER_STEP, importOf, importSteps } from '../../parts/importing.js';
import { CsvReader, FileFault, csvLine } from './csv.js';
import { cellsOf, columnsOf, meaningOf, rowReader } from './rows.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {import("./csv.js").CsvRecord} CsvRecord */
/** @typedef {import("./rows.js").Reading} Reading */
/** @typedef {import("./rows.js").Refusal} Refusal */
/** @typedef {import("./rows.js").Columns} Columns */

/** The number of hex digits of the fingerprint in the import id. */
const IMPORT_ID_LENGTH = 32;
const REFUSALS_SHOWN = 1_000;
const PREVIEW_ROWS = 20;
const STORE_NAMES_MAX = 100_000;
const TOLD_MAX = 5;

/**
 * The result of the check of a file.
 *
 * @typedef {object} Survey
 * @property {string} importId
 * @property {string} fingerprint
 * @property {number} rows
 * @property {Refusals} refusals
 * @property {Schemas["ImportRow"][]} preview
 * @property {string[]} notes
 */
/** @typedef {{ total: number, byCode: Map<string, number>, first: Refusal[] }} Refusals */
/** @typedef {"read" | "checking" | "checked" | "sending" | "paused" | "stopped" | "counting" | "done"} Phase */
/**
 * @typedef {object} Job
 * @property {string | undefined} owner The principal who chose the file.
 * @property {File} file
 * @property {string[]} names
 * @property {string[][]} sample
 * @property {Reading} reading
 * @property {boolean} isTimeUnsure
 * @property {Phase} phase
 * @property {number} done The progress in bytes of the file or in rows that the node has.
 * @property {Survey | null} survey
 * @property {Schemas["Import"] | null} known The progress before this run.
 * @property {Pick<Schemas["Import"], "rowsDone" | "applied" | "refused" | "finished"> | null} reached
 * @property {Refusals | null} refusals All refused rows, after the end.
 * @property {ApiError | null} waiting The reason of the current retry.
 * @property {Error | null} error
 */

/** @type {import("@preact/signals").Signal<Job | null>} */
export const job = signal(null);

let controller = new AbortController();

/** Changes the job of this tab. */
export function set(/** @type {Partial<Job>} */ changes) {
  if (job.value) job.value = { ...job.value, ...changes };
}

/** The job, unless another user started it in this tab. */
export function mine() {
  return job.value !== null && job.value.owner === me.value?.principalId ? job.value : null;
}

/** Starts a job with a new file. */
export function begin(/** @type {Pick<Job, "file" | "names" | "sample" | "reading" | "isTimeUnsure">} */ chosen) {
  forget();
  job.value = {
    ...chosen, owner: me.value?.principalId, phase: 'read', done: 0, survey: null, known: null, reached: null, refusals: null,
    waiting: null, error: null,
  };
}

/** Aborts the job and drops the file. */
export function forget() {
  controller.abort(new Error('given up'));
  controller = new AbortController();
  job.value = null;
}

/** Changes options, which discards the result of the check. */
export function setReading(/** @type {Partial<Reading>} */ changes) {
  if (!job.value) return;
  controller.abort(new Error('other options'));
  controller = new AbortController();
  set({ reading: { ...job.value.reading, ...changes }, phase: 'read', survey: null, known: null, reached: null, refusals: null,
    error: null });
}

function open(/** @type {Job} */ { file, reading, names }, /** @type {string | undefined} */ meaning = undefined) {
  const columns = columnsOf(names, reading);
  const wanted = [columns.store, columns.sku, columns.quantity, columns.time, columns.reference, columns.kind].filter((at) => at !== -1);
  return { columns, readRow: rowReader(reading, columns), csv: new CsvReader(file, reading.delimiter, { wanted, meaning }) };
}

function add(/** @type {Refusals} */ refusals, /** @type {() => Refusal} */ refusal, /** @type {string} */ code) {
  refusals.total += 1;
  refusals.byCode.set(code, (refusals.byCode.get(code) ?? 0) + 1);
  if (refusals.first.length < REFUSALS_SHOWN) refusals.first.push(refusal());
}

/** Runs one phase and shows its error. */
async function run(/** @type {Phase} */ phase, /** @type {(signal: AbortSignal) => Promise<void>} */ act) {
  const { signal: abort } = controller;
  set({ phase, error: null, waiting: null, done: 0 });
  try {
    await act(abort);
  } catch (error) {
    if (!abort.aborted) set({ phase: phase === 'checking' ? 'read' : 'stopped', error: /** @type {Error} */ (error), waiting: null });
  }
}

/** Checks the whole file. The only request is for the progress of this import. */
export function check() {
  return run('checking', async (abort) => {
    const current = job.value;
    if (!current) return;
    const { reading } = current;
    const { csv, columns, readRow } = open(current, meaningOf(reading));
    /** @type {Refusals} */
    const refusals = { total: 0, byCode: new Map(), first: [] };
    /** @type {Schemas["ImportRow"][]} */
    const preview = [];
    const stores = new StoreNames(reading);
    let rows = 0;
    for await (const records of csv.pieces(abort, (done) => set({ done }))) {
      for (const record of records) {
        if (record.row === 0) continue;
        rows += 1;
        const one = readRow(record);
        if ('good' in one) {
          if (preview.length < PREVIEW_ROWS) preview.push(one.good);
          stores.add(one.name, one.good.storeId, record);
        } else {
          const [code, detail] = one.refused;
          add(refusals, () => ({ row: record.row, line: record.line, code, detail, cells: cellsOf(record, columns) }), code);
        }
      }
    }
    if (rows === 0) throw new FileFault('The file has a header and no rows.');
    const notes = stores.judge();
    const fingerprint = csv.fingerprint();
    const importId = fingerprint.slice(0, IMPORT_ID_LENGTH);
    const known = await importOf(importId, abort);
    set({ survey: { importId, fingerprint, rows, refusals, preview, notes }, known, reached: known, phase: 'checked' });
    if (known?.finished) await count();
  });
}

/** Sends the missing rows and collects the refused ones. */
export function send() {
  return run('sending', async (abort) => {
    const current = job.value;
    if (!current?.survey) return;
    const { survey } = current;
    const known = await importOf(survey.importId, abort);
    if (known && known.rowsDone > survey.rows) {
      throw new FileFault(`The node has ${known.rowsDone} rows of import ${survey.importId}, but the file has only ${survey.rows}.`);
    }
    set({ known: current.known ?? known, reached: known, done: known?.rowsDone ?? 0 });
    if (!known?.finished) {
      const source = new RowSource(current, survey, abort);
      try {
        await importSteps(survey.importId, known?.rowsDone ?? 0, async (afterRow) => {
          await resumed(abort);
          return source.step(afterRow);
        }, {
          signal: abort, onWait: (waiting) => set({ waiting }),
          onStep: (step) => set({ waiting: null, done: step.rowsDone, reached: step }),
        });
      } finally {
        source.end();
      }
      set({ reached: await importOf(survey.importId, abort) });
    }
    await count();
  });
}

/** Stops after the current step until `goOn`. */
export function pause() {
  if (job.value?.phase === 'sending') set({ phase: 'paused' });
}

export function goOn() {
  if (job.value?.phase === 'paused') set({ phase: 'sending' });
}

/** Stops sending. The node keeps the rows that it has. */
export function stop() {
  controller.abort(new Error('stopped'));
  controller = new AbortController();
  set({ phase: 'stopped', waiting: null });
}

/** Waits while the job is paused. @returns {Promise<void>} */
function resumed(/** @type {AbortSignal} */ abort) {
  return new Promise((resolve, reject) => {
    let end = () => {};
    const look = (/** @type {Job | null} */ current) => {
      if (abort.aborted) reject(abort.reason);
      else if (current?.phase !== 'paused') resolve();
      else return;
      queueMicrotask(() => end());
    };
    end = job.subscribe(look);
    abort.addEventListener('abort', () => look(null), { once: true });
  });
}

/** Collects the rows that this page or the node has refused. */
async function count() {
  const { signal: abort } = controller;
  const current = job.value;
  if (!current?.survey) return;
  set({ phase: 'counting', done: 0 });
  /** @type {Refusals} */
  const refusals = { total: 0, byCode: new Map(), first: [] };
  for await (const refusal of refused(current, current.survey, true, abort, (done) => set({ done }))) {
    add(refusals, () => refusal, refusal.code);
  }
  const applied = job.value?.reached?.applied ?? 0;
  set({ phase: 'done', refusals });
  if (applied + refusals.total !== current.survey.rows) {
    set({ error: new FileFault(`Of ${current.survey.rows} rows the node applied ${applied}, and ${refusals.total} are refused. `
      + 'These numbers do not match. Run onhand verify on the data directory.') });
  }
}

/** All refused rows as CSV, with the columns of `onhand import --report`. */
export async function report() {
  const current = job.value;
  if (!current?.survey) return null;
  /** @type {string[]} */
  const parts = [csvLine(['row', 'line', 'code', 'detail', 'store', 'sku', 'quantity', 'time', 'reference'])];
  const { signal: abort } = controller;
  for await (const { row, line, code, detail, cells } of refused(current, current.survey, current.reached !== null, abort)) {
    parts.push(csvLine([row, line, code, detail, ...cells]));
  }
  return new Blob(parts, { type: 'text/csv' });
}

/**
 * The refused rows in the order of the file, from the file and from the node.
 *
 * @param {Job} current
 * @param {Survey} survey
 * @param {boolean} isBegun The node has rows of the import.
 * @param {AbortSignal} abort
 * @param {(bytes: number) => void} [onBytes]
 * @returns {AsyncGenerator<Refusal>}
 */
async function* refused(current, survey, isBegun, abort, onBytes) {
  const { csv, columns, readRow } = open(current);
  const told = isBegun ? refusalsOf(survey.importId, abort) : null;
  let next = (await told?.next())?.value ?? null;
  for await (const records of csv.pieces(abort, onBytes)) {
    for (const record of records) {
      if (record.row === 0) continue;
      const one = readRow(record);
      const at = { row: record.row, line: record.line };
      if ('refused' in one) yield { ...at, code: one.refused[0], detail: one.refused[1], cells: cellsOf(record, columns) };
      else if (next?.row === record.row) {
        yield { ...at, code: next.code, detail: explain(next), cells: cellsOf(record, columns) };
        next = (await told?.next())?.value ?? null;
      }
    }
  }
}

/** The rows that the node has refused. @returns {AsyncGenerator<Schemas["RefusedRow"]>} */
export async function* refusalsOf(/** @type {string} */ importId, /** @type {AbortSignal} */ abort) {
  for (let cursor = /** @type {string | null} */ (null); ; ) {
    const { data } = await read(`/imports/${encodeURIComponent(importId)}/refusals`, { limit: 1000, cursor }, { signal: abort });
    yield* data.items;
    cursor = data.nextCursor;
    if (cursor === null) return;
  }
}

/** The reason of a row that the node has refused. */
export function explain(/** @type {Schemas["RefusedRow"]} */ { code, available }) {
  if (code !== 'insufficient-stock') return 'refused by the node';
  return available === undefined ? 'the level had too little left at that point' : `the level had only ${available} left at that point`;
}

/** Reads the rows of the next step from the file. Only one step is in memory. */
class RowSource {
  /** @type {Schemas["ImportRow"][]} */
  rows = [];
  read = 0;

  constructor(/** @type {Job} */ current, /** @type {Survey} */ survey, /** @type {AbortSignal} */ abort) {
    const { csv, readRow } = open(current, meaningOf(current.reading));
    this.csv = csv;
    this.readRow = readRow;
    this.survey = survey;
    this.pieces = csv.pieces(abort);
    /** @type {CsvRecord[]} */
    this.records = [];
    this.at = 0;
  }

  /** The step after a row. */
  async step(/** @type {number} */ afterRow) {
    const throughRow = Math.min(afterRow + ROWS_PER_STEP, this.survey.rows);
    this.rows = this.rows.filter((row) => row.row > afterRow);
    while (this.read < throughRow) {
      const record = await this.next();
      if (record === null) throw changed();
      this.read = record.row;
      if (record.row <= afterRow) continue;
      const one = this.readRow(record);
      if ('good' in one) this.rows.push(one.good);
    }
    const last = throughRow === this.survey.rows;
    if (last && ((await this.next()) !== null || this.csv.fingerprint() !== this.survey.fingerprint)) throw changed();
    return { throughRow, last, rows: this.rows };
  }

  async next() {
    while (this.at === this.records.length) {
      const { done, value } = await this.pieces.next();
      if (done) return null;
      this.records = value;
      this.at = 0;
    }
    this.at += 1;
    return this.records[this.at - 1];
  }

  end() {
    this.pieces.return(undefined);
  }
}

function changed() {
  return new FileFault('The file was changed during the import. Restore it and choose it again to continue.');
}

/** The names of stores in a file. Different names must not become the same store id. */
class StoreNames {
  /** @type {Map<string, Map<string, { made: boolean, at: string }>>} */
  #names = new Map();
  /** @type {Set<string>} */
  #collisions = new Set();
  #count = 0;

  constructor(/** @type {Reading} */ reading) {
    this.meant = new Set(reading.storeNames.map(([name]) => name));
    this.isOn = reading.storeColumn !== '' && !reading.exactStores;
  }

  add(/** @type {string} */ name, /** @type {string} */ id, /** @type {CsvRecord} */ record) {
    if (!this.isOn) return;
    let known = this.#names.get(id);
    if (!known) this.#names.set(id, known = new Map());
    if (known.has(name)) return;
    this.#count += 1;
    if (this.#count > STORE_NAMES_MAX) throw new FileFault(`The column of the store has more than ${STORE_NAMES_MAX} different names: is `
      + `this the right column?`);
    const made = name !== id && !this.meant.has(name);
    const at = `${JSON.stringify(name)} (row ${record.row}, line ${record.line})`;
    const first = [...known.values()].find((seen) => seen.made || made);
    if (first) this.#collisions.add(`${first.at} and ${at} would both be the store ${id}`);
    known.set(name, { made, at });
  }

  judge() {
    if (this.#collisions.size > 0) {
      const told = [...this.#collisions].slice(0, TOLD_MAX).join('; ');
      const more = this.#collisions.size > TOLD_MAX ? `; and ${this.#collisions.size - TOLD_MAX} more` : '';
      throw new FileFault(`Different names would become one store: ${told}${more}. Assign an id to each name under “Stores”.`);
    }
    const ids = [...this.#names.keys()].sort((one, other) => one.toLowerCase().localeCompare(other.toLowerCase(), 'en')
      || (one < other ? -1 : 1));
    const notes = [];
    for (let at = 1; at < ids.length; at += 1) {
      if (ids[at].toLowerCase() === ids[at - 1].toLowerCase()) notes.push(`${ids[at - 1]} and ${ids[at]} are two stores.`);
    }
    const names = new Set([...this.#names.values()].flatMap((known) => [...known.keys()]));
    for (const name of this.meant) {
      if (!names.has(name)) notes.push(`No valid row has the store name ${JSON.stringify(name)}.`);
    }
    return notes.slice(0, TOLD_MAX);
  }
}

