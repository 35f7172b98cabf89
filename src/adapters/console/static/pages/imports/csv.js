// A streaming CSV parser with the rules of the command line (src/cli/import/table.rs): RFC 4180 quotes, blank lines are skipped, any
// end of line, one apostrophe in front of a formula is removed.

import { Sha256 } from './sha256.js';

const [TAB, LF, CR, QUOTE] = [9, 10, 13, 34];
/** Longest record. A quote that is never closed would otherwise take the rest of the file as one field. */
const RECORD_BYTES_MAX = 1 << 20;
const SAMPLE_BYTES = 1 << 18;
const PIECE_BYTES = 1 << 16;
/** How long parsing may block the page. */
const SLICE_MS = 12;

/**
 * @typedef {object} CsvRecord
 * @property {number} row 1 for the first record after the header.
 * @property {number} line The line of the file on which it starts.
 * @property {number} count The number of fields.
 * @property {(string | null | undefined)[]} fields The wanted fields; null for a field that is not UTF-8.
 */

/** An error of the whole file: nothing of it can be imported. */
export class FileFault extends Error {}

const SPACE = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const EDGES = new RegExp(`^${SPACE}|${SPACE}$`, 'g');

/** Removes Unicode white space at both ends; `String.trim` has another list of characters. */
export function trim(/** @type {string} */ text) {
  return text.replace(EDGES, '');
}

const FORMULA = /^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** Protects a cell against evaluation by a spreadsheet. */
export function safe(/** @type {string} */ cell) {
  return FORMULA.test(cell) && !/^[+-]?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell;
}

/** The original of a cell that was written by `safe`. */
function shown(/** @type {string} */ cell) {
  return cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell;
}

/** A line of a CSV file. */
export function csvLine(/** @type {(string | number)[]} */ cells) {
  return `${cells.map((cell) => {
    const text = safe(String(cell));
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(',')}\n`;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns {string | null} */
function decode(/** @type {Uint8Array} */ bytes, /** @type {number} */ from, /** @type {number} */ to) {
  // A decoder is slow for short text.
  if (to - from <= 32) {
    let text = '';
    for (let at = from; at < to; at += 1) {
      if (bytes[at] > 127) return decodeWhole(bytes.subarray(from, to));
      text += String.fromCharCode(bytes[at]);
    }
    return text;
  }
  return decodeWhole(bytes.subarray(from, to));
}

function decodeWhole(/** @type {Uint8Array} */ bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** One pass over a file. */
export class CsvReader {
  /** @type {Uint8Array} */
  #rest = new Uint8Array(0);
  #line = 1;
  #row = -1;
  #hash;
  #digest = '';
  #begun = false;

  /**
   * @param {File} file
   * @param {string} delimiter
   * @param {{ wanted?: number[], meaning?: string }} options `wanted` are the indexes of the fields to decode, all by default;
   *   `meaning` is hashed before the file.
   */
  constructor(file, delimiter, { wanted, meaning } = {}) {
    this.file = file;
    this.delimiter = delimiter.charCodeAt(0);
    this.wanted = wanted && new Set(wanted);
    this.#hash = meaning === undefined ? null : new Sha256();
    this.#hash?.update(new TextEncoder().encode(meaning));
  }

  /** SHA-256 of meaning and file in hex, after the last record. */
  fingerprint() {
    if (this.#digest === '' && this.#hash) this.#digest = this.#hash.hex();
    return this.#digest;
  }

  /**
   * Yields the records in batches. The header is row 0. `onBytes` gets the progress.
   *
   * @param {AbortSignal | undefined} signal
   * @param {(bytes: number) => void} [onBytes]
   */
  async* pieces(signal, onBytes) {
    const reader = this.file.stream().getReader();
    let read = 0;
    let pausedAt = performance.now();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch(() => {
          throw new FileFault(`${this.file.name} can no longer be read. It was changed, moved or deleted. Choose it again.`);
        });
        signal?.throwIfAborted();
        const whole = value ?? new Uint8Array(0);
        // Browsers may return several megabytes at once.
        for (let at = 0; at === 0 || at < whole.length; at += PIECE_BYTES) {
          const piece = whole.subarray(at, at + PIECE_BYTES);
          this.#hash?.update(piece);
          read += piece.length;
          const records = this.#take(piece, done);
          if (records.length > 0) yield records;
          if (performance.now() - pausedAt > SLICE_MS) {
            onBytes?.(read);
            await new Promise((resolve) => setTimeout(resolve));
            signal?.throwIfAborted();
            pausedAt = performance.now();
          }
        }
        if (done) return;
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  /** @returns {CsvRecord[]} */
  #take(/** @type {Uint8Array} */ piece, /** @type {boolean} */ isLast) {
    let bytes = piece;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + piece.length);
      bytes.set(this.#rest);
      bytes.set(piece, this.#rest.length);
    }
    let at = 0;
    if (!this.#begun) {
      if (bytes.length < 3 && !isLast) {
        this.#rest = bytes;
        return [];
      }
      this.#begun = true;
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) at = 3;
    }
    /** @type {CsvRecord[]} */
    const records = [];
    for (;;) {
      for (; bytes[at] === LF || bytes[at] === CR; at += 1) if (bytes[at] === LF) this.#line += 1;
      if (at >= bytes.length) break;
      const end = this.#record(bytes, at, isLast, records);
      if (end === null) break;
      at = end;
    }
    this.#rest = bytes.slice(at);
    if (isLast && this.#rest.length > 0) {
      throw new FileFault(`Row ${this.#row + 1}, from line ${this.#line} on, opens a quote that is never closed. Nothing was sent.`);
    }
    if (this.#rest.length > RECORD_BYTES_MAX) {
      throw new FileFault(`Row ${this.#row + 1}, from line ${this.#line} on, is longer than ${RECORD_BYTES_MAX} bytes: is a quote opened `
        + 'there and never closed? Nothing was sent.');
    }
    return records;
  }

  /** Parses one record; null for an incomplete record. */
  #record(/** @type {Uint8Array} */ bytes, /** @type {number} */ start, /** @type {boolean} */ isLast, /** @type {CsvRecord[]} */ records) {
    const { delimiter, wanted } = this;
    const length = bytes.length;
    /** @type {CsvRecord["fields"]} */
    const fields = [];
    let lines = 0;
    let at = start;
    for (let index = 0; ; index += 1) {
      const isWanted = wanted === undefined || wanted.has(index);
      /** @type {Uint8Array | null} */
      let joined = null;
      let from = at;
      if (bytes[at] === QUOTE) {
        /** @type {[number, number][]} */
        const parts = [];
        let part = at + 1;
        let quote = part;
        for (;;) {
          quote = bytes.indexOf(QUOTE, quote);
          if (quote === -1 || (quote + 1 >= length && !isLast)) return null;
          if (bytes[quote + 1] !== QUOTE) break;
          parts.push([part, quote + 1]);
          quote += 2;
          part = quote;
        }
        parts.push([part, quote]);
        for (let line = bytes.indexOf(LF, from); line !== -1 && line < quote; line = bytes.indexOf(LF, line + 1)) lines += 1;
        from = quote + 1;
        at = from;
        while (at < length && bytes[at] !== delimiter && bytes[at] !== LF && bytes[at] !== CR) at += 1;
        parts.push([from, at]);
        if (isWanted) {
          joined = new Uint8Array(parts.reduce((sum, [one, other]) => sum + other - one, 0));
          let to = 0;
          for (const [one, other] of parts) {
            joined.set(bytes.subarray(one, other), to);
            to += other - one;
          }
        }
      } else {
        while (at < length && bytes[at] !== delimiter && bytes[at] !== LF && bytes[at] !== CR) at += 1;
      }
      if (at >= length && !isLast) return null;
      if (isWanted) {
        const text = joined ? decode(joined, 0, joined.length) : decode(bytes, from, at);
        fields[index] = text === null ? null : shown(text);
      }
      if (bytes[at] === delimiter && at < length) at += 1;
      else {
        this.#row += 1;
        records.push({ row: this.#row, line: this.#line, count: index + 1, fields });
        this.#line += lines;
        return at;
      }
    }
  }
}

/** @typedef {{ names: string[], rows: string[][], delimiter: string }} Head */

/** The names of the columns and the first rows. Without `delimiter`, it is guessed. */
export async function readHead(/** @type {File} */ file, /** @type {string | undefined} */ delimiter = undefined) {
  const part = file.slice(0, SAMPLE_BYTES);
  const used = delimiter ?? guessDelimiter(new Uint8Array(await part.arrayBuffer()));
  const sample = new File([part], file.name);
  /** @type {CsvRecord[]} */
  const records = [];
  try {
    for await (const some of new CsvReader(sample, used).pieces(undefined)) {
      records.push(...some.slice(0, 200));
      if (records.length >= 200) break;
    }
  } catch (error) {
    // The last record of the sample may be incomplete. The check of the whole file reports real errors.
    if (!(error instanceof FileFault) || records.length === 0) throw error;
  }
  return { ...headOf(records[0]), rows: records.slice(1).map((record) => record.fields.map((field) => field ?? '\ufffd')),
    delimiter: used };
}

/** The names of the columns. */
export function headOf(/** @type {CsvRecord | undefined} */ record) {
  if (!record) throw new FileFault('The file is empty.');
  if (record.fields.includes(null)) throw new FileFault('The first line is not UTF-8. Convert the file, for example with iconv.');
  const names = record.fields.map((name) => trim(name ?? ''));
  if (names.every((name) => name === '')) throw new FileFault('The file has no header line that names its columns.');
  return { names };
}

/** The most frequent delimiter of the first line, outside quotes. */
function guessDelimiter(/** @type {Uint8Array} */ bytes) {
  const counts = new Map([[44, 0], [59, 0], [TAB, 0]]);
  let isQuoted = false;
  for (const byte of bytes) {
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (!isQuoted && (byte === LF || byte === CR)) break;
    else if (!isQuoted && counts.has(byte)) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  }
  const [[best]] = [...counts].sort(([, one], [, other]) => other - one);
  return String.fromCharCode(best);
}
