// The history of an order in sentences.

import { listed, money, pieces, REFUSALS, sum } from '../../parts/orders.js';

/** @typedef {import("../../api.js").Schemas["OrderRevision"]} Revision */

/** The sentence of an event; none when that of a shipment beside it says the same. */
function sentenceOf(/** @type {Revision} */ revision, /** @type {string | undefined} */ currency) {
  const { change, shipmentId, storeId, lines = [], pieces: moved = [], refused, payment, return: returned } = revision;
  const [what, name] = [listed(moved), `Shipment ${shipmentId?.replace(/^.*\.s/, '')}`];
  const of = (/** @type {"waiting" | "cancelled"} */ key) => sum(lines.map((line) => line.pieces[key] ?? 0));
  const waiting = of('waiting');
  const said = /** @type {Record<string, string>} */ (shipmentId ? {
    held: `${storeId} holds ${what} (${name.toLowerCase()}).`, instructed: `${storeId} is to send ${name.toLowerCase()}.`,
    shipped: `${what} left ${storeId}.`, delivered: `${what} from ${storeId} reached the customer.`,
    refused: `${storeId} does not send ${what}: ${REFUSALS[refused ?? '']?.[0].toLowerCase()}.`,
    cancelled: `${name} of ${storeId} was cancelled.`,
  } : {
    placed: 'The order was placed.', confirmed: 'The order was confirmed.', cancelled: `${pieces(of('cancelled'))} cancelled.`,
    allotted: `Stores were found for ${pieces(-waiting)}.`, refused: waiting > 0 ? `${pieces(waiting)} waiting for stock.` : '',
    withdrawn: `${pieces(waiting)} waiting for a store.`, shipped: '', delivered: '',
    payment: `Payment ${payment?.paymentId}: ${money(payment?.amount, currency)} ${payment?.kind}.`,
    return: `Return ${returned?.returnId}: ${returned?.state}.`, held: 'The order was put on hold.',
    'hold-released': 'The hold was released.',
  });
  return said[change] ?? `${change}.`;
}

/** What happened, the last first: everything of one change together, that of the order in front. */
export function toldOf(/** @type {Revision[]} */ history, /** @type {string | undefined} */ currency) {
  /** @type {{ at: string, actor: string, revisions: Revision[] }[]} */
  const changes = [];
  for (const revision of history) {
    const last = changes[changes.length - 1];
    if (last?.at === revision.ts && last.actor === revision.actor) last.revisions.push(revision);
    else changes.push({ at: revision.ts, actor: revision.actor, revisions: [revision] });
  }
  return changes.reverse().map(({ at, actor, revisions }) => {
    const [whole, parts] = [revisions.filter((one) => !one.shipmentId), revisions.filter((one) => one.shipmentId)];
    const reason = revisions.find((one) => one.reason)?.reason;
    const ordered = whole[0]?.change === 'refused' ? [...parts, ...whole] : [...whole, ...parts];
    const sentences = [...ordered.map((one) => sentenceOf(one, currency)), reason && `Reason: ${reason}`];
    return { at, actor, sentences: sentences.filter(Boolean).join(' ') };
  });
}
