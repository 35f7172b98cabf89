// What the metrics of Prometheus say and nothing else does: the webhook, and the details of readiness for a session, which
// readiness shows to tokens alone.

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

/** What the webhook has done. */
export function webhookOf(/** @type {Metrics} */ metrics) {
  const outcome = (/** @type {string} */ name) =>
    one(metrics('onhand_webhook_deliveries_total').filter(({ labels }) => labels.outcome === name)) ?? 0;
  return {
    pending: one(metrics('onhand_webhook_pending_alerts')) ?? 0,
    delivered: outcome('delivered'), failed: outcome('failed'), givenUp: outcome('given_up'),
  };
}

/**
 * The details of readiness. The reason of a source that fails, and how far its log is read, are not among the metrics.
 *
 * @returns {Pick<Schemas["Readiness"], "breakers" | "queueDepth" | "durableSequence" | "syncLag" | "deadLetters"> & { sources?: Source[] }}
 */
export function detailsOf(/** @type {Metrics} */ metrics) {
  const lags = new Map(metrics('onhand_sync_source_lag_events').map(({ labels, value }) => [labels.source, value]));
  const sources = metrics('onhand_sync_source_well').map(({ labels: { source }, value }) =>
    /** @type {Source} */ ({ name: source, lag: lags.get(source) ?? 0, state: { status: value === 1 ? 'well' : 'failing' } }));
  return {
    breakers: Object.fromEntries(metrics('onhand_breaker_state').map(({ labels, value }) =>
      [labels.breaker, /** @type {const} */ (['closed', 'half-open', 'open'])[value] ?? 'open'])),
    queueDepth: one(metrics('onhand_log_queue_entries')), durableSequence: one(metrics('onhand_log_durable_sequence')),
    syncLag: one(metrics('onhand_sync_lag_events')),
    ...(sources.length > 0 && { sources, deadLetters: one(metrics('onhand_dead_letters_open')) }),
  };
}

/**
 * A log that is followed. Without `node` it has not answered yet, or it is not known how far it is read.
 *
 * @typedef {{ name: string, lag: number, state: Schemas["Source"]["state"] } & Partial<Schemas["Source"]>} Source
 */

/** @returns {Source} */
export const sourceOf = (/** @type {Schemas["Source"]} */ source) => ({ ...source, lag: Math.max(0, source.end - source.sequence) });
