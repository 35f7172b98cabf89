// A streaming CSV parser (RFC 4180).

/** The node puts an apostrophe in front of cells that a spreadsheet would evaluate. */
const GUARDED = /^'[=+\-@]/;

/** Removes that apostrophe. */
export const unguarded = (/** @type {string} */ cell) => (GUARDED.test(cell) ? cell.slice(1) : cell);

/** Parses a table in chunks of text and passes on each complete row. */
export class CsvReader {
  #rest = '';

  /** @param {(cells: string[]) => void} onRow */
  constructor(onRow) {
    this.onRow = onRow;
  }

  push(/** @type {string} */ piece) {
    const text = this.#rest + piece;
    let begin = 0;
    let quote = text.indexOf('"');
    for (;;) {
      const end = text.indexOf('\n', begin);
      if (end === -1) break;
      if (quote !== -1 && quote < end) {
        const next = this.#quoted(text, begin);
        if (next === -1) break;
        begin = next;
        quote = text.indexOf('"', begin);
      } else {
        const last = text.charCodeAt(end - 1) === 13 ? end - 1 : end;
        if (last > begin) this.onRow(text.slice(begin, last).split(','));
        begin = end + 1;
      }
    }
    this.#rest = text.slice(begin);
  }

  end() {
    if (this.#rest !== '') this.push('\n');
  }

  /** Parses a row with quotes. Returns the start of the next row, or -1 for an incomplete row. */
  #quoted(/** @type {string} */ text, /** @type {number} */ begin) {
    /** @type {string[]} */
    const cells = [];
    let cell = '';
    let inside = false;
    for (let at = begin; at < text.length; at += 1) {
      const letter = text[at];
      if (inside) {
        if (letter !== '"') cell += letter;
        else if (text[at + 1] === '"') {
          cell += '"';
          at += 1;
        } else if (at + 1 === text.length) return -1;
        else inside = false;
      } else if (letter === '"') inside = true;
      else if (letter === ',') {
        cells.push(cell);
        cell = '';
      } else if (letter === '\n') {
        cells.push(cell);
        this.onRow(cells);
        return at + 1;
      } else if (letter !== '\r') cell += letter;
    }
    return -1;
  }
}
