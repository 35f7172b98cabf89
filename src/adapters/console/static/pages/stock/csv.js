// CSV as it comes in, piece by piece (RFC 4180).

/** A cell that a spreadsheet would run has an apostrophe in front. */
const GUARDED = /^'[=+\-@]/;

/** A text cell as it was before it was guarded against spreadsheets. */
export const unguarded = (/** @type {string} */ cell) => (GUARDED.test(cell) ? cell.slice(1) : cell);

/** Takes a table in pieces of text, and hands over each row that is complete. */
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

  /** A row with quotes; where the next one begins, or -1 when it is not complete. */
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
