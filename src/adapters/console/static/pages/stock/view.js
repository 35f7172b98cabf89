// The filtered and sorted levels: an array of row numbers, built again only when a change can move a row.

import { KINDS } from './levels.js';

/** @typedef {import("./levels.js").Levels} Levels */
/** @typedef {{ store: string, category: string, text: string, status: string }} Filter */
/** @typedef {{ by: string, descending: boolean }} Sort */

/** Columns that stock movements do not change. */
const FIXED = new Set(['store', 'sku', 'name', 'category']);
const COLLATOR = new Intl.Collator(undefined, { numeric: true });

/** The order by store and SKU with its ranks, until a row or a name is added. @type {WeakMap<Levels, Ranks>} */
const known = new WeakMap();

/** @typedef {{ count: number, named: number, base: Uint32Array, store: Uint32Array, sku: Uint32Array, name: Uint32Array | null }} Ranks */

/** The rank of each text. Equal texts have equal ranks. */
function rank(/** @type {string[]} */ texts, /** @type {(one: string, other: string) => number} */ compare) {
  const order = Uint32Array.from(texts.keys());
  order.sort((one, other) => compare(texts[one], texts[other]));
  const ranks = new Uint32Array(texts.length);
  order.forEach((index, place) => {
    const before = order[place - 1];
    ranks[index] = place > 0 && texts[before] === texts[index] ? ranks[before] : place;
  });
  return ranks;
}

const byCode = (/** @type {string} */ one, /** @type {string} */ other) => (one < other ? -1 : one > other ? 1 : 0);

function ranksOf(/** @type {Levels} */ levels) {
  const before = known.get(levels);
  if (before && before.count === levels.count) {
    if (before.named !== levels.named) {
      before.name = null;
      before.named = levels.named;
    }
    return before;
  }
  const { count, named } = levels;
  const sku = rank(levels.skus, byCode);
  const store = rank(levels.stores, byCode);
  // Each key has its row in the last digits: a typed array sorts ten times faster without a comparison function.
  const keys = new Float64Array(count);
  for (let row = 0; row < count; row += 1) keys[row] = (store[levels.store[row]] * sku.length + sku[levels.product[row]]) * count + row;
  keys.sort();
  /** @type {Ranks} */
  const ranks = { count, named, base: Uint32Array.from(keys, (key) => key % count), store, sku, name: null };
  known.set(levels, ranks);
  return ranks;
}

export class View {
  /** The shown rows, in their order. */
  order = new Uint32Array(0);
  /** The number of levels by status that match all other filters. */
  counts = [0, 0, 0];
  /** True when a change may have added, removed or moved a row. */
  stale = false;

  /** @param {Levels} levels @param {Filter} filter @param {Sort} sort */
  constructor(levels, filter, sort) {
    this.levels = levels;
    this.filter = filter;
    this.sort = sort;
    this.matches = new Uint8Array(levels.count);
    this.kinds = new Uint8Array(levels.count);
    this.#build();
  }

  /** Records that rows have changed. */
  changed(/** @type {Iterable<number>} */ rows) {
    for (const row of rows) {
      if (row >= this.matches.length) {
        this.stale = true;
        continue;
      }
      const kind = this.levels.kind(row);
      if (this.matches[row] && kind !== this.kinds[row]) {
        this.counts[this.kinds[row]] -= 1;
        this.counts[kind] += 1;
        if (this.filter.status !== '') this.stale = true;
      }
      this.kinds[row] = kind;
      if (this.matches[row] && !FIXED.has(this.sort.by)) this.stale = true;
    }
  }

  #build() {
    const { levels, filter, sort } = this;
    const ranks = ranksOf(levels);
    const products = this.#products();
    const store = filter.store === '' ? -1 : levels.storeOf(filter.store);
    const anyStore = filter.store === '';
    const status = filter.status === '' ? -1 : KINDS.indexOf(/** @type {any} */ (filter.status));
    const places = new Uint32Array(levels.count);
    let found = 0;
    for (let place = 0; place < levels.count; place += 1) {
      const row = ranks.base[place];
      const kind = levels.kind(row);
      this.kinds[row] = kind;
      if ((!anyStore && levels.store[row] !== store) || (products !== null && products[levels.product[row]] === 0)) continue;
      this.matches[row] = 1;
      this.counts[kind] += 1;
      if (status === -1 || kind === status) places[found++] = place;
    }
    this.order = this.#sorted(places.subarray(0, found), ranks, sort);
  }

  /** The products that match text and category; null for all. */
  #products() {
    const { levels, filter } = this;
    const words = filter.text.toLocaleLowerCase().split(/\s+/).filter((word) => word !== '');
    if (words.length === 0 && filter.category === '') return null;
    return Uint8Array.from(levels.skus, (sku, product) => {
      if (filter.category !== '' && levels.categories.get(sku) !== filter.category) return 0;
      const text = `${sku} ${levels.names[product]}`.toLocaleLowerCase();
      return words.every((word) => text.includes(word)) ? 1 : 0;
    });
  }

  /** Sorts rows, given by their places in the order by store and SKU. */
  #sorted(/** @type {Uint32Array} */ places, /** @type {Ranks} */ ranks, /** @type {Sort} */ { by, descending }) {
    const { base } = ranks;
    if (by === 'store' && !descending) return places.map((place) => base[place]);
    const count = base.length;
    const value = this.#valueOf(by, ranks);
    let [least, most] = [Infinity, -Infinity];
    const keys = Float64Array.from(places, (place) => {
      const key = value(base[place]);
      if (key < least) least = key;
      if (key > most) most = key;
      return key;
    });
    // Key and place form one number. Values with a too large range are rounded.
    const room = Math.floor(Number.MAX_SAFE_INTEGER / Math.max(count, 1)) - 1;
    const scale = most - least <= room ? 1 : room / (most - least);
    for (let index = 0; index < keys.length; index += 1) {
      const distance = descending ? most - keys[index] : keys[index] - least;
      keys[index] = Math.floor(distance * scale) * count + places[index];
    }
    keys.sort();
    return Uint32Array.from(keys, (key) => base[key % count]);
  }

  /** @returns {(row: number) => number} */
  #valueOf(/** @type {string} */ by, /** @type {Ranks} */ ranks) {
    const { levels } = this;
    if (by === 'sku') return (row) => ranks.sku[levels.product[row]];
    if (by === 'name') {
      ranks.name ??= rank(levels.names, COLLATOR.compare);
      const names = ranks.name;
      return (row) => names[levels.product[row]];
    }
    if (by === 'category') {
      const categories = rank(levels.skus.map((sku) => levels.categories.get(sku) ?? ''), COLLATOR.compare);
      return (row) => categories[levels.product[row]];
    }
    if (by === 'status') return (row) => -levels.kind(row);
    if (by === 'qty' || by === 'onHand' || by === 'reserved' || by === 'threshold' || by === 'updated') {
      const values = levels[by];
      return (row) => values[row];
    }
    return (row) => ranks.store[levels.store[row]];
  }
}
