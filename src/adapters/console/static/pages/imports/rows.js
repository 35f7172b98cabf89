// Converts a record to a movement or a refusal. Rules, codes and texts are those of `onhand import` (src/cli/import/row.rs), so that
// the console and the command line have the same result for a file.

import { trim } from './csv.js';
import { timeReader } from './times.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {import("./csv.js").CsvRecord} CsvRecord */

/** @typedef {"sale" | "stock-in" | "removal" | "opening" | "column"} RowsKind */
/**
 * The options of an import.
 *
 * @typedef {object} Reading
 * @property {RowsKind} kind `column` if a column has the kind.
 * @property {string} kindColumn
 * @property {string} storeColumn Empty for one store for all rows.
 * @property {string} storeId That store.
 * @property {boolean} exactStores
 * @property {[string, string][]} storeNames Name and store.
 * @property {string} skuColumn
 * @property {string} quantityColumn
 * @property {string} timeColumn
 * @property {string} timeFormat Empty for RFC 3339.
 * @property {string} referenceColumn
 * @property {number} openingStock
 * @property {string} delimiter
 */
/** @typedef {{ row: number, line: number, code: string, detail: string, cells: string[] }} Refusal */
/** @typedef {{ good: Schemas["ImportRow"], name: string } | { refused: [code: string, detail: string] }} ReadRow */

const INTEGER_MAX = 9_007_199_254_740_991n;
const TEXT_MAX = 256;
const ID_MAX = 64;

export const isStoreId = (/** @type {string} */ text) => /^[A-Za-z0-9._-]{1,64}$/.test(text);

/** The store id of a name: a valid id is unchanged; otherwise `-` replaces each invalid character. */
export function storeOf(/** @type {string} */ name) {
  if (isStoreId(name)) return name;
  const id = [...name].map((letter) => (/[A-Za-z0-9._-]/.test(letter) ? letter : '-')).join('');
  return /[A-Za-z0-9]/.test(id) && isStoreId(id) ? id : null;
}

/**
 * The options as JSON for the fingerprint, with the names and order of the command line (`ReadOptions` in
 * src/cli/import/options.rs).
 */
export function meaningOf(/** @type {Reading} */ reading) {
  const json = JSON.stringify;
  const store = reading.storeColumn === '' ? { fixed: reading.storeId }
    : reading.exactStores ? { ids: reading.storeColumn } : { names: reading.storeColumn };
  const names = [...new Map(reading.storeNames)].sort(([one], [other]) => compare(one, other));
  return `{${[
    `"kind":${json(reading.kind === 'column' ? { column: reading.kindColumn } : reading.kind)}`,
    `"store":${json(store)}`,
    ...(names.length > 0 ? [`"storeNames":{${names.map(([name, id]) => `${json(name)}:${json(id)}`).join(',')}}`] : []),
    `"skuColumn":${json(reading.skuColumn)}`, `"quantityColumn":${json(reading.quantityColumn)}`,
    `"timeColumn":${json(reading.timeColumn || null)}`,
    `"timeFormat":${json((reading.timeColumn && reading.timeFormat) || null)}`,
    `"referenceColumn":${json(reading.referenceColumn || null)}`,
    `"openingStock":${reading.openingStock}`, `"delimiter":${reading.delimiter.charCodeAt(0)}`,
  ].join(',')}}`;
}

/** Compares by code points, as Rust compares UTF-8. */
function compare(/** @type {string} */ one, /** @type {string} */ other) {
  const [a, b] = [[...one], [...other]];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const difference = (a[at].codePointAt(0) ?? 0) - (b[at].codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The indexes of the columns. */
export function columnsOf(/** @type {string[]} */ names, /** @type {Reading} */ reading) {
  const find = (/** @type {string} */ name) => (name === '' ? -1 : names.indexOf(name));
  return {
    store: find(reading.storeColumn), sku: find(reading.skuColumn), quantity: find(reading.quantityColumn), time: find(reading.timeColumn),
    reference: find(reading.referenceColumn), kind: reading.kind === 'column' ? find(reading.kindColumn) : -1, count: names.length,
  };
}

/** @typedef {ReturnType<typeof columnsOf>} Columns */

/** The fields of a record for the report. */
export function cellsOf(/** @type {CsvRecord} */ record, /** @type {Columns} */ columns) {
  const { store, sku, quantity, time, reference } = columns;
  return [store, sku, quantity, time, reference].map((at) => (at === -1 ? '' : record.fields[at] ?? ''));
}

/** @type {Record<string, RowsKind | "return">} */
const KIND_WORDS = { sale: 'sale', return: 'return', 'stock-in': 'stock-in', delivery: 'stock-in', removal: 'removal', opening: 'opening' };

/** Returns the function that converts records. */
export function rowReader(/** @type {Reading} */ reading, /** @type {Columns} */ columns) {
  const time = timeReader(reading.timeFormat);
  /** @type {Map<string, string>} */
  const meant = new Map(reading.storeNames);
  /** @type {Map<string, string | null>} */
  const stores = new Map();
  const named = [columns.store, columns.time, columns.reference, columns.kind, columns.sku, columns.quantity].filter((at) => at !== -1);
  const quote = JSON.stringify;
  /** @type {(code: string, detail: string) => ReadRow} */
  const refuse = (code, detail) => ({ refused: [code, detail] });

  /** @returns {ReadRow} */
  return (/** @type {CsvRecord} */ record) => {
    const { fields, count, row } = record;
    if (count !== columns.count) return refuse('wrong-field-count', `it has ${count} fields, the header has ${columns.count}`);
    const unreadable = named.find((at) => fields[at] === null);
    if (unreadable !== undefined) {
      return refuse('not-utf-8', `field ${unreadable + 1} is not UTF-8; convert the file, for example with iconv`);
    }
    const field = (/** @type {number} */ at) => trim(fields[at] ?? '');

    let name = '';
    let storeId = reading.storeId;
    if (columns.store !== -1) {
      name = field(columns.store);
      if (name === '') return refuse('invalid-store', 'the store is blank');
      let known = stores.get(name);
      if (known === undefined) {
        known = reading.exactStores ? (isStoreId(name) ? name : null) : meant.get(name) ?? storeOf(name);
        stores.set(name, known);
      }
      if (known === null) {
        return refuse('invalid-store', reading.exactStores
          ? `${quote(name)} is no store id: it ${name.length > ID_MAX ? `must be at most ${ID_MAX} characters long`
            : 'may hold only A-Z a-z 0-9 . _ -'}`
          : `${quote(name)} makes no store id of 1 to 64 letters and digits`);
      }
      storeId = known;
    }

    const sku = field(columns.sku);
    if (sku === '') return refuse('invalid-sku', 'the SKU is blank');
    if (sku.length > ID_MAX || !/^[A-Za-z0-9._-]+( [A-Za-z0-9._-]+)*$/.test(sku)) {
      const isLong = new TextEncoder().encode(sku).length > ID_MAX;
      return refuse('invalid-sku', `${quote(sku)} is no SKU: it ${isLong ? `must be at most ${ID_MAX} characters long`
        : 'may hold only A-Z a-z 0-9 . _ - and single spaces between them'}`);
    }

    const text = field(columns.quantity);
    if (!/^[+-]?\d+$/.test(text)) return refuse('invalid-quantity', `${quote(text)} is no whole number`);
    const big = BigInt(text.replace('+', ''));
    if (big > INTEGER_MAX || big < -INTEGER_MAX) {
      return refuse('invalid-quantity', `the quantity ${text} must be between -${INTEGER_MAX} and ${INTEGER_MAX}`);
    }
    const quantity = Number(big);
    if (quantity === 0) return refuse('zero-quantity', 'the quantity is 0: nothing moves');
    /** @type {RowsKind | "return"} */
    let kind = reading.kind;
    if (columns.kind !== -1) {
      const word = field(columns.kind);
      kind = KIND_WORDS[word.toLowerCase().replace(/[ _]/g, '-')];
      if (kind === undefined) return refuse('invalid-kind', `${quote(word)} is none of ${Object.keys(KIND_WORDS).join(', ')}`);
    }
    if (quantity < 0 && kind !== 'sale') {
      return refuse('negative-quantity', `the quantity is ${quantity}, and a ${kind} cannot be negative`);
    }

    /** @type {Schemas["ImportRow"]} */
    const good = {
      row, storeId, sku, kind: /** @type {Schemas["ImportRow"]["kind"]} */ (quantity < 0 ? 'return' : kind), quantity: Math.abs(quantity),
    };
    if (columns.time !== -1) {
      const written = field(columns.time);
      const at = time?.(written) ?? null;
      if (at === null) {
        return refuse('invalid-time', `${quote(written)} is no time as expected: ${reading.timeFormat === ''
          ? 'it must be a time like 2026-11-20T16:00:00.000Z (RFC 3339)' : `the layout is ${reading.timeFormat}`}`);
      }
      good.occurredAt = at;
    }
    if (columns.reference !== -1) {
      const reference = field(columns.reference);
      if ((reference.length > TEXT_MAX && [...reference].length > TEXT_MAX) || /[\u0000-\u001f\u007f-\u009f]/.test(reference)) {
        return refuse('invalid-reference', `the reference is longer than ${TEXT_MAX} characters or holds control characters`);
      }
      if (reference !== '') good.reference = reference;
    }
    if (reading.openingStock > 0) good.openingStock = reading.openingStock;
    return { good, name };
  };
}

/** Common names of columns, in the order of preference. */
const GUESSES = {
  store: ['storeid', 'store', 'shop', 'shopid', 'branch', 'location', 'warehouse', 'site', 'filiale', 'country'],
  sku: ['sku', 'stockcode', 'item', 'itemid', 'itemcode', 'article', 'articlenumber', 'product', 'productid', 'productcode',
    'code', 'artikel'],
  quantity: ['quantity', 'qty', 'pieces', 'amount', 'units', 'count', 'menge'],
  kind: ['kind', 'type', 'movement', 'movementtype', 'art'],
  time: ['occurredat', 'date', 'time', 'datetime', 'timestamp', 'invoicedate', 'orderdate', 'saledate', 'at', 'datum'],
  reference: ['reference', 'ref', 'invoice', 'invoiceno', 'invoicenumber', 'receipt', 'order', 'orderid', 'orderno', 'document', 'beleg'],
};

/** The guessed column; empty if there is none. */
export function guessColumn(/** @type {keyof typeof GUESSES} */ what, /** @type {string[]} */ names) {
  const plain = names.map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, ''));
  for (const guess of GUESSES[what]) {
    const at = plain.indexOf(guess);
    if (at !== -1 && names.indexOf(names[at]) === names.lastIndexOf(names[at])) return names[at];
  }
  return '';
}
