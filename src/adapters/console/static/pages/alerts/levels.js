// The current sellable quantity of a level with an alert: loaded when its row becomes visible, then live.

import { h } from '../../vendor/preact.js';
import { levelPath, read } from '../../api.js';
import { StockBadge } from '../../parts/basics.js';
import { number } from '../../parts/format.js';
import { useLoad } from '../../parts/load.js';

/** @typedef {{ qty: number, version: number }} Level */

export const keyOf = (/** @type {{ storeId: string, sku: string }} */ { storeId, sku }) => `${storeId}/${sku}`;

/** Keeps the level with the higher version. */
export function note(/** @type {Map<string, Level>} */ levels, /** @type {string} */ key, /** @type {Level} */ { qty, version }) {
  if (version > (levels.get(key)?.version ?? 0)) levels.set(key, { qty, version });
}

/** @param {{ alert: { storeId: string, sku: string, threshold: number }, levels: Map<string, Level>, live: Level | undefined }} props */
export function SellableNow({ alert, levels, live }) {
  const key = keyOf(alert);
  const loaded = useLoad(async (signal) => {
    if (levels.has(key)) return;
    note(levels, key, (await read(levelPath(alert), {}, { signal })).data);
  }, [key, levels]);
  const level = live ?? levels.get(key);
  if (!level) return h('span', { class: 'soft' }, loaded.error ? 'unknown' : '…');
  return h('span', { class: 'pair' }, h(StockBadge, { qty: level.qty, threshold: alert.threshold }), number(level.qty));
}
