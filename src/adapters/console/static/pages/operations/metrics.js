// The metrics of the webhook. Only the Prometheus format has them.

import { send } from '../../api.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {{ labels: Record<string, string>, value: number }} Series */
/** @typedef {(name: string) => Series[]} Metrics */

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** @returns {Promise<Metrics>} */
export async function readMetrics(/** @type {AbortSignal} */ signal) {
  const text = await (await send('GET', '/metrics', { accept: 'text/plain', signal, quiet: true })).text();
  /** @type {Map<string, Series[]>} */
  const found = new Map();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const series = { labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, label, quoted]) => [label, unquoted(quoted)])),
      value: Number(value) };
    found.set(name, [...(found.get(name) ?? []), series]);
  }
  return (name) => found.get(name) ?? [];
}

const unquoted = (/** @type {string} */ text) => text.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));

const one = (/** @type {Series[]} */ series) => series[0]?.value;

/** The counters of the webhook. */
export function webhookOf(/** @type {Metrics} */ metrics) {
  const outcome = (/** @type {string} */ name) =>
    one(metrics('onhand_webhook_deliveries_total').filter(({ labels }) => labels.outcome === name)) ?? 0;
  return {
    pending: one(metrics('onhand_webhook_pending_alerts')) ?? 0,
    delivered: outcome('delivered'), failed: outcome('failed'), givenUp: outcome('given_up'),
  };
}

/**
 * A source of the central model. Without `node` it has not answered yet.
 *
 * @typedef {{ name: string, lag: number, state: Schemas["Source"]["state"] } & Partial<Schemas["Source"]>} Source
 */

/** @returns {Source} */
export const sourceOf = (/** @type {Schemas["Source"]} */ source) => ({ ...source, lag: Math.max(0, source.end - source.sequence) });
