// A generated sample history: the products by one request, the movements by an import.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { change } from '../../api.js';
import { importRows } from '../../parts/importing.js';
import { ProblemBox, say } from '../../parts/basics.js';
import { Dialog } from '../../parts/form.js';
import { number } from '../../parts/format.js';

/** @typedef {import("../../api.js").Schemas} Schemas */

const IMPORT = 'sample-history';
const DAYS = 14;
const STORES = ['BERLIN', 'PARIS', 'ROME', 'VIENNA'];
/** Category, names of products, and the quantity of each delivery. @type {[string, string[], number][]} */
const GOODS = [
  ['tea', ['Green tea 250 g', 'Earl Grey 250 g', 'Peppermint tea 100 g', 'Rooibos 200 g', 'Jasmine tea 100 g'], 60],
  ['coffee', ['Espresso beans 1 kg', 'Filter coffee 500 g', 'Decaf 500 g', 'Cold brew 1 l', 'Coffee filters 100'], 40],
  ['kitchen', ['Tea pot 1 l', 'French press', 'Milk jug', 'Sugar bowl', 'Hand grinder'], 12],
  ['mugs', ['Mug blue', 'Mug red', 'Mug white', 'Travel mug', 'Espresso cup'], 30],
  ['sweets', ['Dark chocolate', 'Shortbread', 'Ginger biscuits', 'Honey 500 g', 'Nougat'], 80],
  ['gifts', ['Gift box small', 'Gift box large', 'Wrapping paper', 'Greeting card', 'Candle'], 25],
];

/** A pseudo-random generator with a fixed seed. */
function chance(/** @type {number} */ seed) {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

function products() {
  return GOODS.flatMap(([category, names, pieces]) => names.map((name, index) => ({
    sku: `${category.toUpperCase()}-${index + 1}`, name, category, lowStockThreshold: Math.ceil(pieces / 6),
    unitPrice: { amountMinor: 199 + ((index * 7 + pieces * 13) % 30) * 100, currency: 'EUR' },
  })));
}

/** The movements in chronological order. */
function rows() {
  const next = chance(7);
  const begin = Date.now() - DAYS * 86_400_000;
  /** @type {(Omit<Schemas["ImportRow"], "row"> & { occurredAt: string })[]} */
  const all = [];
  /** @type {Map<string, number>} */
  const stock = new Map();
  for (let day = 0; day < DAYS; day += 1) {
    for (const storeId of STORES) {
      for (const { sku } of products()) {
        const [, , pieces] = /** @type {[string, string[], number]} */ (GOODS.find(([category]) => sku.startsWith(category.toUpperCase())));
        const at = (/** @type {number} */ hour) => new Date(begin + day * 86_400_000 + hour * 3_600_000).toISOString();
        const place = `${storeId}/${sku}`;
        let left = stock.get(place) ?? 0;
        // The second delivery is smaller and reaches not everybody, so that something is low and something sold out.
        const delivered = day === 0 ? pieces : day === 7 && next() > 0.35 ? Math.ceil(pieces / 2) : 0;
        if (delivered > 0) all.push({ storeId, sku, kind: 'stock-in', quantity: delivered, occurredAt: at(7) });
        left += delivered;
        const demand = Math.min(left, Math.floor(next() * next() * (pieces / 3.1)));
        if (demand > 0) all.push({ storeId, sku, kind: 'sale', quantity: demand, occurredAt: at(9 + next() * 9) });
        const returned = next() > 0.98 ? 1 : 0;
        if (returned > 0) all.push({ storeId, sku, kind: 'return', quantity: returned, occurredAt: at(18) });
        stock.set(place, left - demand + returned);
      }
    }
  }
  return all.sort((one, other) => one.occurredAt.localeCompare(other.occurredAt)).map((row, index) => ({ row: index + 1, ...row }));
}

/** @param {{ onClose: () => void }} props */
export function Sample({ onClose }) {
  const [done, setDone] = useState(0);
  const [total, setTotal] = useState(0);
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const [finished, setFinished] = useState(false);
  const load = async () => {
    setError(null);
    const all = rows();
    setTotal(all.length);
    try {
      await change('POST', '/catalogue/products', { body: { products: products() } });
      await importRows(IMPORT, all, 0, { onStep: (step) => setDone(step.rowsDone) });
      setFinished(true);
      say('The sample history is loaded');
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
    }
  };
  return h(Dialog, { title: 'Load the sample history', onClose },
    h('div', { class: 'form-body' },
      total === 0 && h('p', null, 'Four stores, thirty products, two weeks. This page generates the sample and sends it by the '
        + 'public API.'),
      total > 0 && h('p', { role: 'status' }, finished ? `${number(total)} movements are loaded.`
        : `${number(done)} of ${number(total)} movements …`),
      total > 0 && h('progress', { max: total, value: done, 'aria-label': 'Loaded movements' }),
      error && h(ProblemBox, { error, retry: load }),
      h('footer', null, h('span', { class: 'grow' }),
        total === 0 && h('button', { type: 'button', onClick: onClose }, 'Cancel'),
        total === 0 && h('button', { type: 'button', class: 'primary', onClick: load }, 'Load it'),
        finished && h('button', { type: 'button', class: 'primary', onClick: onClose }, 'Look around'))));
}
