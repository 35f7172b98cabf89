// The levels of all stores in columns, one typed array for each property: 100,000 objects would need ten times the memory.

import { MOVEMENTS } from '../../feed.js';
import { unguarded } from './csv.js';

/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */
/** @typedef {{ storeId: string, sku: string, qty: number, onHand: number, reserved: number, version: number, updatedAt: string }} Level */

const FIRST_CAPACITY = 4_096;
/** The part of an event that is used here. @typedef {{ type: string, payload: any, after: any, ts: string }} Change */

/** Instead of a type: the payload is the current state of a level. */
export const LATEST = 'latest level';
const INDEXES = /** @type {const} */ (['store', 'product']);
const NUMBERS = /** @type {const} */ (['qty', 'onHand', 'reserved', 'version', 'updated', 'threshold']);

/** Stands for a missing threshold. */
export const NO_THRESHOLD = -1;

/** The names of the statuses. @type {("ok" | "low" | "out")[]} */
export const KINDS = ['ok', 'low', 'out'];

export class Levels {
  count = 0;
  /** True for a caller who may read only the sellable quantity. */
  sellableOnly = false;
  /** @type {string[]} */
  stores = [];
  /** @type {string[]} */
  skus = [];
  /** The names of the products in the order of `skus`; empty for SKUs that are not in the catalogue. @type {string[]} */
  names = [];
  /** The categories of the catalogue by SKU. @type {Map<string, string>} */
  categories = new Map();
  /** The number of changes of names. Their sort order depends on it. */
  named = 0;

  store = new Uint32Array(FIRST_CAPACITY);
  product = new Uint32Array(FIRST_CAPACITY);
  qty = new Float64Array(FIRST_CAPACITY);
  onHand = new Float64Array(FIRST_CAPACITY);
  reserved = new Float64Array(FIRST_CAPACITY);
  version = new Float64Array(FIRST_CAPACITY);
  /** Milliseconds since 1970. */
  updated = new Float64Array(FIRST_CAPACITY);
  threshold = new Float64Array(FIRST_CAPACITY);

  /** @type {Map<string, number>} */
  #storeIndex = new Map();
  /** @type {Map<string, number>} */
  #productIndex = new Map();
  /** The row of each product, by store. @type {Map<number, number>[]} */
  #rows = [];
  /** @type {Map<string, number> | null} */
  #columns = null;

  /** The number of the status in `KINDS`. */
  kind(/** @type {number} */ row) {
    const qty = this.qty[row];
    if (qty <= 0) return 2;
    return qty <= this.threshold[row] ? 1 : 0;
  }

  storeOf(/** @type {string} */ storeId) {
    return this.#storeIndex.get(storeId) ?? -1;
  }

  /** Adds a line of the CSV. The first one is the header. */
  addLine(/** @type {string[]} */ cells) {
    if (this.#columns === null) {
      this.#columns = new Map(cells.map((name, index) => [name, index]));
      this.sellableOnly = !this.#columns.has('version');
      return;
    }
    const columns = this.#columns;
    const cell = (/** @type {string} */ name) => cells[columns.get(name) ?? cells.length] ?? '';
    const row = this.#row(unguarded(cell('storeId')), unguarded(cell('sku')));
    this.names[this.product[row]] = unguarded(cell('name'));
    this.qty[row] = Number(cell('qty'));
    if (this.sellableOnly) return;
    this.onHand[row] = Number(cell('onHand'));
    this.reserved[row] = Number(cell('reserved'));
    this.version[row] = Number(cell('version'));
    this.updated[row] = Date.parse(cell('updatedAt'));
    const threshold = cell('lowStockThreshold');
    this.threshold[row] = threshold === '' ? NO_THRESHOLD : Number(threshold);
  }

  /**
   * Applies events.
   *
   * @param {Change[]} events
   * @returns {{ rows: Set<number>, skus: Set<string> }} The changed rows, and the SKUs to load again, because an event does not
   *   have the effective threshold of each store.
   */
  apply(events) {
    /** @type {Set<number>} */
    const rows = new Set();
    /** @type {Set<string>} */
    const skus = new Set();
    for (const { type, payload, after, ts } of events) {
      if (type === LATEST) this.#move(payload, rows);
      else if (MOVEMENTS.has(type)) this.#move({ ...payload, ...after, updatedAt: ts }, rows);
      else if (type === 'TAKE' && payload.level) this.#move({ ...payload.level, qty: payload.level.onHand - payload.level.reserved }, rows);
      else if (type === 'PRODUCT') this.#describe(payload.sku, payload.product, skus);
      else if (type === 'TAKE' && payload.product) this.#describe(payload.product.sku, payload.product.product, skus);
      else if (type === 'THRESHOLD') skus.add(payload.sku);
      else if (type === 'TAKE' && payload.threshold) skus.add(payload.threshold.sku);
    }
    return { rows, skus };
  }

  /** Applies the levels of a SKU after they were loaded again. @param {(Level & { name?: string, lowStockThreshold?: number })[]} items */
  refresh(items) {
    /** @type {Set<number>} */
    const rows = new Set();
    for (const item of items) {
      const row = this.#move(item, rows);
      this.threshold[row] = item.lowStockThreshold ?? NO_THRESHOLD;
      this.#name(item.sku, item.name ?? '');
      rows.add(row);
    }
    return rows;
  }

  /** @param {Level} level @param {Set<number>} changed */
  #move(level, changed) {
    const before = this.count;
    const row = this.#row(level.storeId, level.sku);
    if (row < before && level.version <= this.version[row]) return row;
    this.qty[row] = level.qty;
    this.onHand[row] = level.onHand;
    this.reserved[row] = level.reserved;
    this.version[row] = level.version;
    this.updated[row] = Date.parse(level.updatedAt);
    changed.add(row);
    return row;
  }

  /** @param {string} sku @param {{ name: string, category?: string } | undefined} product @param {Set<string>} skus */
  #describe(sku, product, skus) {
    if (product?.category) this.categories.set(sku, product.category);
    else this.categories.delete(sku);
    this.#name(sku, product?.name ?? '');
    this.named += 1;
    if (this.#productIndex.has(sku)) skus.add(sku);
  }

  #name(/** @type {string} */ sku, /** @type {string} */ name) {
    const product = this.#productIndex.get(sku);
    if (product === undefined || this.names[product] === name) return;
    this.names[product] = name;
    this.named += 1;
  }

  /** The row of a level. It is added if missing. */
  #row(/** @type {string} */ storeId, /** @type {string} */ sku) {
    let store = this.#storeIndex.get(storeId);
    if (store === undefined) {
      store = this.stores.push(storeId) - 1;
      this.#storeIndex.set(storeId, store);
      this.#rows.push(new Map());
    }
    let product = this.#productIndex.get(sku);
    if (product === undefined) {
      product = this.skus.push(sku) - 1;
      this.#productIndex.set(sku, product);
      this.names.push('');
    }
    const known = this.#rows[store].get(product);
    if (known !== undefined) return known;
    const row = this.count;
    this.#rows[store].set(product, row);
    if (row === this.store.length) this.#grow();
    this.count += 1;
    this.store[row] = store;
    this.product[row] = product;
    this.threshold[row] = NO_THRESHOLD;
    return row;
  }

  #grow() {
    const capacity = this.store.length * 2;
    for (const name of INDEXES) {
      const before = this[name];
      this[name] = new Uint32Array(capacity);
      this[name].set(before);
    }
    for (const name of NUMBERS) {
      const before = this[name];
      this[name] = new Float64Array(capacity);
      this[name].set(before);
    }
  }
}
