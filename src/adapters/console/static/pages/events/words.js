// Texts of events.

import { number, signed, time } from '../../parts/format.js';

/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */

/** The types of events with their meaning. @type {Record<string, string>} */
export const TYPES = {
  ADJUST: 'stock added, sold or removed', RESERVE: 'stock reserved', RELEASE: 'reservation released',
  COMMIT: 'reservation committed', EXPIRE: 'reservation expired', COUNT: 'stock counted', IMPORT: 'step of an import',
  TAKE: 'taken over from another process', CLOCK: 'jump of the clock', PRODUCT: 'product changed',
  STORE: 'store changed', THRESHOLD: 'threshold of a store changed', ALERT: 'low-stock alert raised or cleared',
  ORDER: 'order took a step', SHIPMENT: 'shipment took a step', PRINCIPAL: 'person or service changed', TOKEN: 'token changed',
  MODE: 'mode changed',
};

/**
 * The store and the SKU of an event; null for an event without a level.
 *
 * @returns {{ storeId: string, sku: string } | null}
 */
export function placeOf(/** @type {FeedEvent} */ { payload }) {
  const about = payload.level ?? payload.threshold ?? payload.alert ?? payload;
  return typeof about?.storeId === 'string' && typeof about.sku === 'string' ? { storeId: about.storeId, sku: about.sku } : null;
}

/** Whether an event matches a filter, by the rules of `GET /events`. */
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

/** The details of an event other than store and SKU. @returns {string} */
export function detailOf(/** @type {FeedEvent} */ event) {
  const { payload, type } = event;
  const why = [payload.kind, payload.reason, payload.reference].filter(Boolean);
  const said = /** @type {Record<string, () => (string | false | undefined)[]>} */ ({
    ADJUST: () => [`${signed(payload.delta)} on hand`, ...why],
    RESERVE: () => [`${number(payload.qty)} reserved as ${payload.reservationId}`, payload.expiresAt && `until ${time(payload.expiresAt)}`,
      ...why],
    RELEASE: () => [`reservation ${payload.reservationId} released`, ...why],
    COMMIT: () => [`reservation ${payload.reservationId} committed`, ...why],
    EXPIRE: () => [`reservation ${payload.reservationId} expired`],
    COUNT: () => [`${number(payload.counted)} counted`, ...why],
    IMPORT: () => [`${payload.importId}: rows to ${number(payload.throughRow)}, ${number(payload.applied)} applied`,
      payload.refused?.length > 0 && `${number(payload.refused.length)} refused`, payload.last && 'complete'],
    TAKE: () => ['taken over from another process'],
    CLOCK: () => [`from ${time(payload.from)} to ${time(payload.to)}`],
    PRODUCT: () => [payload.product ? payload.product.name : 'removed from the catalogue'],
    STORE: () => [payload.store?.name ?? 'changed'],
    THRESHOLD: () => [payload.lowStockThreshold === undefined ? 'threshold of the store removed'
      : `threshold ${number(payload.lowStockThreshold)}`],
    ALERT: () => [payload.raised ? 'raised' : 'cleared', `${number(payload.qty)} sellable`,
      payload.threshold === undefined ? 'no threshold' : `threshold ${number(payload.threshold)}`],
    ORDER: () => [payload.orderId, payload.change, payload.reason],
    SHIPMENT: () => [payload.shipmentId, payload.storeId, payload.change, payload.refused, payload.reason],
    PRINCIPAL: () => [payload.principalId, payload.principal?.disabled && 'disabled'],
    TOKEN: () => [payload.tokenId, payload.token?.revoked && 'revoked'],
    MODE: () => [payload.mode],
  })[type]?.() ?? [];
  return said.filter(Boolean).join(' · ');
}

const MEMBERS = { qty: 'Sellable', onHand: 'On hand', reserved: 'Reserved', cancelled: 'Cancelled', waiting: 'Waiting', open: 'Held',
  held: 'Held', shipped: 'Shipped', delivered: 'Delivered', version: 'Version', rowsDone: 'Rows done', applied: 'Applied',
  refused: 'Refused', raised: 'Raised', time: 'Time' };

/**
 * The numbers before and after an event.
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
