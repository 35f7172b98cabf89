// The operation of the node: readiness, central model, breakers, webhook, counters.

import { h } from '../../vendor/preact.js';
import { useRef, useState } from '../../vendor/hooks.js';
import { ROOT, address, call } from '../../api.js';
import { href } from '../../router.js';
import { can } from '../../session.js';
import { Badge, Curl, Loading, Long, Page, ProblemBox, say, Time } from '../../parts/basics.js';
import { useChange } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useInterval, useLoad } from '../../parts/load.js';
import { readMetrics, sourceOf, webhookOf } from './metrics.js';
import { breakerName, breakerWords, COUNTERS, passWords, readinessWords, sourceWords } from './words.js';
import { Trend } from './trend.js';

/** @typedef {import("../../api.js").Schemas} Schemas */
/** @typedef {import("./words.js").Words} Words */
/** @typedef {import("./metrics.js").Source} Source */
/** @typedef {Omit<Schemas["Readiness"], "sources"> & { sources?: Source[] }} Shown */

const EVERY_MS = 2_000;
const SAMPLES_MAX = 60;

export default function Operations() {
  const samples = useRef(/** @type {import("./trend.js").Sample[]} */ ([]));
  const node = useLoad(async (signal) => {
    const [known, counters, metrics] = await Promise.all([
      call('GET', '/node', { signal, quiet: true }).then(({ data }) => /** @type {Schemas["Node"]} */ (data).readiness),
      call('GET', '/metrics', { signal, quiet: true }).then(({ data }) => /** @type {Schemas["Counters"]} */ (data)),
      readMetrics(signal),
    ]);
    /** @type {Shown} */
    const readiness = { ...known, sources: known.sources?.map(sourceOf) };
    const webhook = webhookOf(metrics);
    if (readiness.durableSequence !== undefined) {
      samples.current = [...samples.current, { at: performance.now(), sequence: readiness.durableSequence }].slice(-SAMPLES_MAX);
    }
    return { readiness, counters, webhook, at: new Date().toISOString() };
  }, []);
  useInterval(() => { if (!node.loading) node.reload(); }, EVERY_MS);
  const { data, error } = node;

  return h(Page, { title: 'Operations', about: 'The readiness of the node, its dependencies, and its counters.' },
    error && !data && h(ProblemBox, { error, retry: node.reload }),
    !data && !error && h(Loading, null),
    data && h(Readiness, { readiness: data.readiness, samples: samples.current }),
    data && error && h('p', { class: 'waiting', role: 'status' }, 'State of ', h(Time, { at: data.at }), `. ${error.message}`),
    data && h(Central, { readiness: data.readiness, onPass: node.reload }),
    data && h('div', { class: 'panels' },
      h('div', { class: 'stack' },
        data.readiness.breakers && h(BreakerPanel, { breakers: data.readiness.breakers }),
        h(WebhookPanel, { state: data.readiness.breakers?.webhook, webhook: data.webhook })),
      h(CounterPanel, { counters: data.counters })));
}

/** @param {{ words: Words }} props */
const State = ({ words }) => h(Badge, { kind: words.kind, icon: words.icon }, words.word);

/** @param {{ readiness: Shown, samples: import("./trend.js").Sample[] }} props */
function Readiness({ readiness, samples }) {
  const words = readinessWords(readiness);
  const { durableSequence, queueDepth, syncLag, deadLetters } = readiness;
  return h('section', { class: 'panel stack', 'aria-label': 'Readiness' },
    h('div', { class: 'bar' }, h(State, { words }), h('p', null, words.means)),
    h('div', { class: 'tiles' },
      h('div', { class: 'tile' }, h('b', null, readiness.mode), h('span', null, 'mode')),
      durableSequence !== undefined && h('div', { class: 'tile' }, h('b', null, number(durableSequence)),
        h('span', null, 'durable sequence')),
      queueDepth !== undefined && h('div', { class: 'tile' }, h('b', null, number(queueDepth)), h('span', null, 'changes in the queue')),
      syncLag !== undefined && h('div', { class: 'tile' }, h('b', null, number(syncLag)), h('span', null, 'sync lag')),
      deadLetters !== undefined && h('div', { class: 'tile' }, h('b', null, number(deadLetters)),
        h('span', null, can('letters:read') ? h('a', { href: href('letters') }, 'open dead letters') : 'open dead letters')),
      durableSequence !== undefined && h('div', { class: 'tile' }, h(Trend, { samples }))));
}

/** The worker and its sources. @param {{ readiness: Shown, onPass: () => void }} props */
function Central({ readiness, onPass }) {
  const { sources } = readiness;
  const pass = useChange();
  const [done, setDone] = useState(/** @type {Schemas["Pass"] | null} */ (null));
  const run = async () => {
    setDone(null);
    const answer = await pass.run({ method: 'POST', path: '/sync' });
    if (answer === null) return;
    setDone(answer.data);
    say(passWords(answer.data));
    onPass();
  };
  const mayRun = can('sync:run') && sources !== undefined;
  const unwell = done?.sources.filter(({ state }) => state.status !== 'well') ?? [];
  return h('section', { class: 'panel stack', 'aria-label': 'Central model' },
    h('div', { class: 'bar' }, h('h2', null, 'Central model'), h('span', { class: 'grow' }),
      can('central:read') && h('a', { class: 'button', href: address('/central/inventory').href, target: '_blank', rel: 'noreferrer' },
        'Inventory (JSON)'),
      mayRun && h('button', { type: 'button', onClick: run, disabled: pass.busy }, pass.busy ? 'Running …' : 'Run a pass')),
    pass.error && h(ProblemBox, { error: pass.error }),
    pass.waiting && h('p', { class: 'waiting', role: 'status' }, `${pass.waiting.message} The request is retried. `,
      h('button', { type: 'button', class: 'quiet', onClick: pass.giveUp }, 'Stop retrying')),
    done && h('div', { class: 'note', role: 'status' }, passWords(done),
      unwell.length > 0 && ` Not completely read: ${unwell.map(({ name }) => name).join(', ')}.`),
    sources === undefined
      ? h('p', null, 'The sync worker does not run in this process (', h('code', null, 'SYNC=off'), '). ',
        h('a', { href: new URL('docs/guide/several-stores-one-centre', ROOT).href }, 'Several stores, one centre'))
      : h('ul', { class: 'rows' }, sources.map((source) => h(SourceRow, { key: source.name, source }))),
    mayRun && h(Curl, { method: 'POST', path: '/sync' }));
}

/** @param {{ source: Source }} props */
function SourceRow({ source }) {
  const words = sourceWords(source);
  const { node, lag, sequence = 0, end = 0, parkedEvents = 0, parkedLevels = 0 } = source;
  return h('li', null,
    h('div', { class: 'bar' }, h(State, { words }), h('b', { class: 'name' }, h(Long, { text: source.name })), h('span', { class: 'grow' }),
      node !== undefined && h('span', { class: 'soft' }, node === null ? 'not read yet' : `${number(sequence)} of ${number(end)}`),
      node !== null && h(Badge, { kind: lag === 0 ? 'plain' : 'low' }, lag === 0 ? 'no lag' : `lag ${number(lag)}`)),
    source.state.status !== 'well' && h('p', null, words.means),
    source.state.reason && h('p', { class: 'soft' }, 'Reason: ', h('code', { dir: 'auto' }, source.state.reason)),
    parkedEvents > 0 && h('p', null,
      `${number(parkedEvents)} events of ${number(parkedLevels)} ${parkedLevels === 1 ? 'level' : 'levels'} wait behind `,
      h('a', { href: href('letters') }, 'dead letters'), '.'));
}

/** @param {{ breakers: Record<string, string> }} props */
function BreakerPanel({ breakers }) {
  return h('section', { class: 'panel' }, h('h2', null, 'Breakers'),
    h('ul', { class: 'rows' }, Object.entries(breakers).map(([name, state]) => {
      const [{ title, about }, words] = [breakerName(name), breakerWords(state)];
      return h('li', { key: name },
        h('div', { class: 'bar' }, h('b', { class: 'name' }, h(Long, { text: title })), h('span', { class: 'grow' }), h(State, { words })),
        h('p', { class: 'soft' }, about, state !== 'closed' && `. ${words.means}`));
    })));
}

/** @param {{ state: string | undefined, webhook: ReturnType<typeof webhookOf> }} props */
function WebhookPanel({ state, webhook }) {
  const guide = h('a', { href: new URL('docs/guide/low-stock-alerts', ROOT).href }, 'Guide to alerts');
  return h('section', { class: 'panel' }, h('h2', null, 'Webhook'),
    state === undefined
      ? h('p', null, 'No receiver is configured (', h('code', null, 'ALERT_WEBHOOK_URL'), '). ', guide)
      : h('div', null,
        h('p', null, state === 'closed'
          ? (webhook.pending === 0 ? 'All alerts are delivered.' : 'Alerts are being delivered.')
          : 'The receiver does not accept alerts. They wait in the log and are sent automatically when it does. Check the receiver.'),
        h('dl', { class: 'facts' },
          h('dt', null, 'Pending'), h('dd', null, number(webhook.pending)),
          h('dt', null, 'Delivered'), h('dd', null, number(webhook.delivered)),
          h('dt', null, 'Failed attempts'), h('dd', null, number(webhook.failed)),
          h('dt', null, 'Given up'), h('dd', null, number(webhook.givenUp))),
        h('p', null, guide)));
}

/** @param {{ counters: Schemas["Counters"] }} props */
function CounterPanel({ counters }) {
  return h('section', { class: 'panel' }, h('h2', null, 'Counters'),
    h('table', { class: 'plain', 'aria-label': 'Counters since the start' }, h('tbody', null, COUNTERS.map(([name, title, about]) =>
      h('tr', { key: name }, h('th', { scope: 'row' }, title), h('td', { class: 'soft' }, about),
        h('td', { class: 'num' }, number(counters[name])))))),
    h(Curl, { method: 'GET', path: '/metrics', accept: 'application/json' }));
}
