// Events in words: where each happened, what it changed, and how.

import { number, signed, time } from '../../parts/format.js';

/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */

/** Every type of event, with what it means. @type {Record<string, string>} */
export const TYPES = {
  ADJUST: 'stock was added, sold or removed', RESERVE: 'pieces were held', RELEASE: 'a hold was released',
  COMMIT: 'held pieces were taken', EXPIRE: 'a hold has run out', COUNT: 'a count was entered', IMPORT: 'a step of an import',
  TAKE: 'taken over from another process', CLOCK: 'the time of the log has leapt', PRODUCT: 'a product was changed',
  STORE: 'a store was changed', THRESHOLD: 'a threshold of a store was changed', ALERT: 'a level is low, or not any more',
  PRINCIPAL: 'a person or a service was changed', TOKEN: 'a token was changed', MODE: 'the mode was changed',
};

/**
 * The store and the SKU of the level that an event is about; null where it is about none.
 *
 * @returns {{ storeId: string, sku: string } | null}
 */
export function placeOf(/** @type {FeedEvent} */ { payload }) {
  const about = payload.level ?? payload.threshold ?? payload.alert ?? payload;
  return typeof about?.storeId === 'string' && typeof about.sku === 'string' ? { storeId: about.storeId, sku: about.sku } : null;
}

/** Whether an event passes a filter of `GET /events`, which decides in the same way. */
export function matches(/** @type {FeedEvent} */ event, /** @type {{ type: string, storeId: string, sku: string }} */ filter) {
  if (filter.type !== '' && event.type !== filter.type) return false;
  if (filter.storeId === '' && filter.sku === '') return true;
  const place = placeOf(event);
  return place !== null && (filter.storeId === '' || place.storeId === filter.storeId) && (filter.sku === '' || place.sku === filter.sku);
}

/** The colour of the type of an event. @returns {"ok" | "low" | "plain"} */
export function kindOf(/** @type {FeedEvent} */ event) {
  if (event.type !== 'ALERT') return 'plain';
  return event.payload.raised ? 'low' : 'ok';
}

/** How many sellable pieces an event has added or taken; null where it moved no level. @returns {number | null} */
export function changeOf(/** @type {FeedEvent} */ { before, after }) {
  return typeof after?.qty === 'number' && typeof before?.qty === 'number' ? after.qty - before.qty : null;
}

/** What an event says beside its store and SKU. @returns {string} */
export function detailOf(/** @type {FeedEvent} */ event) {
  const { payload, type } = event;
  const why = [payload.kind, payload.reason, payload.reference].filter(Boolean);
  const said = /** @type {Record<string, () => (string | false | undefined)[]>} */ ({
    ADJUST: () => [`${signed(payload.delta)} on hand`, ...why],
    RESERVE: () => [`${number(payload.qty)} held as ${payload.reservationId}`, payload.expiresAt && `until ${time(payload.expiresAt)}`,
      ...why],
    RELEASE: () => [`hold ${payload.reservationId} released`, ...why],
    COMMIT: () => [`hold ${payload.reservationId} taken`, ...why],
    EXPIRE: () => [`hold ${payload.reservationId} has run out`],
    COUNT: () => [`${number(payload.counted)} counted`, ...why],
    IMPORT: () => [`${payload.importId}: rows to ${number(payload.throughRow)}, ${number(payload.applied)} applied`,
      payload.refused?.length > 0 && `${number(payload.refused.length)} refused`, payload.last && 'complete'],
    TAKE: () => ['taken over from another process'],
    CLOCK: () => [`from ${time(payload.from)} to ${time(payload.to)}`],
    PRODUCT: () => [payload.product ? payload.product.name : 'out of the catalogue'],
    STORE: () => [payload.store?.name ?? 'changed'],
    THRESHOLD: () => [payload.lowStockThreshold === undefined ? 'no threshold of its own'
      : `threshold ${number(payload.lowStockThreshold)}`],
    ALERT: () => [payload.raised ? 'raised' : 'cleared', `${number(payload.qty)} sellable`,
      payload.threshold === undefined ? 'no threshold' : `threshold ${number(payload.threshold)}`],
    PRINCIPAL: () => [payload.principalId, payload.principal?.disabled && 'disabled'],
    TOKEN: () => [payload.tokenId, payload.token?.revoked && 'revoked'],
    MODE: () => [payload.mode],
  })[type]?.() ?? [];
  return said.filter(Boolean).join(' · ');
}

const MEMBERS = { qty: 'Sellable', onHand: 'On hand', reserved: 'Reserved', version: 'Version', rowsDone: 'Rows done', applied: 'Applied',
  refused: 'Refused', raised: 'Raised', time: 'Time' };

/**
 * The numbers before and after an event, side by side.
 *
 * @returns {{ name: string, before: string, after: string, change: string }[]}
 */
export function numbersOf(/** @type {FeedEvent} */ { before, after }) {
  return Object.entries(MEMBERS).filter(([member]) => after?.[member] !== undefined).map(([member, name]) => {
    const [was, is] = [before?.[member], after[member]];
    const text = (/** @type {unknown} */ value) =>
      (typeof value === 'number' ? number(value) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value));
    return { name, before: text(was), after: text(is), change: typeof was === 'number' && was !== is ? signed(is - was) : '' };
  });
}
