// The log of events: live, or a page of it from a sequence or a time.

import { h } from '../../vendor/preact.js';
import { useRef, useState } from '../../vendor/hooks.js';
import { href, place, refine } from '../../router.js';
import { Empty, Icon, Loading, Page, ProblemBox, say, Time } from '../../parts/basics.js';
import { Field, useParameter } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useLive, useLoad } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { COLUMNS, EventDialog } from './event.js';
import { added, readOlder, readPage, readTail, resumeTail, PAGE, ROWS_MAX } from './tail.js';
import { matches, TYPES } from './words.js';

/** @typedef {import("../../feed.js").FeedEvent} FeedEvent */
/** @typedef {import("./tail.js").Filter} Filter */
/** @typedef {import("./tail.js").Tail} Tail */

const FRESH_MS = 1_500;

export default function Events() {
  const { params } = place.value;
  const filter = { type: params.get('type') ?? '', storeId: params.get('store') ?? '', sku: params.get('sku') ?? '' };
  const [from, since] = [params.get('from') ?? '', params.get('since') ?? ''];
  return h(Page, { title: 'Events', about: 'All durable changes of this node, in the order of the log.' },
    h(Filters, null),
    from !== '' || since !== '' ? h(Back, { filter, from, since }) : h(Live, { filter }));
}

/** A time as the value of a `datetime-local` field. */
function localOf(/** @type {string} */ since) {
  const at = new Date(since);
  return Number.isNaN(at.getTime()) ? '' : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function Filters() {
  const { params } = place.value;
  const [store, setStore] = useParameter('store');
  const [sku, setSku] = useParameter('sku');
  const [from, setFrom] = useParameter('from');
  const since = params.get('since') ?? '';
  return h('div', { class: 'filters', role: 'search', 'aria-label': 'Events' },
    h(Field, { label: 'Type', value: params.get('type') ?? '', onInput: (type) => refine({ type }),
      options: [['', 'All types'], .../** @type {[string, string][]} */ (Object.entries(TYPES).map(([type, words]) =>
        [type, `${type}: ${words}`]))] }),
    h(Field, { label: 'Store', value: store, onInput: setStore, maxLength: 64 }),
    h(Field, { label: 'SKU', type: 'search', value: sku, onInput: setSku, maxLength: 64 }),
    h(Field, { label: 'From sequence', type: 'number', value: from, min: 1, onInput: setFrom, placeholder: 'live' }),
    h(Field, { label: 'Since', type: 'datetime-local', step: 1, value: localOf(since),
      onInput: (text) => refine({ since: text === '' ? '' : new Date(text).toISOString() }) }));
}

/** The event that the address names. @param {{ known: (sequence: number) => FeedEvent | undefined }} props */
function Opened({ known }) {
  const sequence = Number(place.value.params.get('event'));
  if (!Number.isSafeInteger(sequence) || sequence < 1) return null;
  return h(EventDialog, { key: sequence, sequence, known: known(sequence) ?? null, onClose: () => refine({ event: null }) });
}

const countOf = (/** @type {number} */ count) => `${number(count)} ${count === 1 ? 'event' : 'events'}`;

const open = (/** @type {FeedEvent} */ event) => refine({ event: event.sequence });

/** The latest events, live. @param {{ filter: Filter }} props */
function Live({ filter }) {
  const { type, storeId, sku } = filter;
  const key = JSON.stringify(filter);
  const kept = useRef(/** @type {{ key: string, tail: Tail } | null} */ (null));
  // The latest rows, which are highlighted.
  const fresh = useRef({ after: Infinity, until: 0 });
  const keep = (/** @type {Tail} */ tail) => {
    kept.current = { key, tail };
    return kept.current;
  };
  const events = useLive(async (signal) => {
    const before = kept.current?.key === key ? await resumeTail(kept.current.tail, filter, signal) : null;
    const tail = before ?? await readTail(filter, signal);
    return { data: signal.aborted ? { key, tail } : keep(tail), sequence: tail.to };
  }, (shown, more) => {
    if (shown.key !== key) return null;
    fresh.current = { after: shown.tail.to, until: performance.now() + FRESH_MS };
    return keep(added(shown.tail, more.filter((event) => matches(event, filter)), more[more.length - 1].sequence));
  }, [type, storeId, sku]);

  const [paused, setPaused] = useState(/** @type {{ key: string, tail: Tail } | null} */ (null));
  const [older, setOlder] = useState(/** @type {{ key: string, rows: FeedEvent[], from: number, to: number } | null} */ (null));
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null));
  const [reading, setReading] = useState(false);

  const live = events.data?.tail ?? null;
  const isPaused = paused !== null && paused.key === key;
  const shown = isPaused ? paused.tail : live;
  const came = isPaused && live ? Math.max(0, live.came - paused.tail.came) : 0;
  const behind = older !== null && older.key === key && older.to === shown?.from ? older : null;
  const from = behind?.from ?? shown?.from ?? 0;
  const newest = shown?.rows ?? [];
  const earlier = behind?.rows.slice(-Math.max(1, ROWS_MAX - newest.length)) ?? [];
  const count = newest.length + earlier.length;
  const isFull = count >= ROWS_MAX;
  const row = (/** @type {number} */ index) => (index < newest.length ? newest[newest.length - 1 - index] : earlier[count - 1 - index]);

  const readMore = async () => {
    if (shown === null) return;
    setReading(true);
    setFailed(null);
    try {
      const more = await readOlder(filter, from);
      setOlder({ key, rows: [...more.rows, ...(behind?.rows ?? [])], from: more.from, to: shown.from });
    } catch (error) {
      setFailed(/** @type {Error} */ (error));
    } finally {
      setReading(false);
    }
  };
  const pause = () => {
    say(isPaused ? `Live, ${number(came)} more events` : 'Paused');
    setPaused(isPaused || !live ? null : { key, tail: live });
  };
  const error = events.error ?? failed;
  const lights = performance.now() < fresh.current.until;
  const params = Object.fromEntries(place.value.params);

  return [
    error && h(ProblemBox, { key: 'problem', error, retry: events.error ? events.reload : readMore }),
    !shown && events.loading && h(Loading, { key: 'loading' }),
    shown && h('div', { key: 'bar', class: 'bar' },
      h('p', { role: 'status' }, isPaused
        ? h('b', null, `Paused: ${number(came)} new ${came === 1 ? 'event' : 'events'}`)
        : `${countOf(count)} of sequences ${number(from + 1)} to ${number(shown.to)}, newest first`,
      isFull && ` (at most ${number(ROWS_MAX)} are shown)`),
      h('span', { class: 'grow' }),
      from > 0 && !isFull && h('button', { type: 'button', onClick: readMore, disabled: reading },
        reading ? 'Loading …' : 'Load older events'),
      from > 0 && h('a', { class: 'button', href: href('events', { ...params, from: Math.max(1, from + 1 - PAGE) }) },
        'Browse pages'),
      h('button', { type: 'button', class: isPaused ? 'primary' : undefined, onClick: pause },
        h(Icon, { name: isPaused ? 'play' : 'pause' }), isPaused ? 'Continue' : 'Pause')),
    shown && count === 0 && h(Empty, { key: 'empty', title: shown.to === 0 ? 'There are no events yet' : 'No event matches the filter' },
      from === 0 ? 'New events appear here.'
        : `Searched from sequence ${number(from + 1)}. Older events may match.`),
    shown && count > 0 && h(Table, {
      key: 'table', label: 'Events, newest first', columns: COLUMNS, count, row, keyOf: (event) => event.sequence, onOpen: open,
      rowClass: (event) => (lights && !isPaused && event.sequence > fresh.current.after ? 'flash' : ''),
    }),
    h(Opened, { key: 'opened', known: (sequence) => [...newest, ...earlier].find((event) => event.sequence === sequence) }),
  ];
}

/** A page of the log. @param {{ filter: Filter, from: string, since: string }} props */
function Back({ filter, from, since }) {
  const first = Math.max(1, Math.floor(Number(from)) || 1);
  const page = useLoad((signal) => readPage({ ...filter, since }, first - 1, signal),
    [filter.type, filter.storeId, filter.sku, first, since]);
  const { data } = page;
  const params = Object.fromEntries(place.value.params);
  const at = (/** @type {Record<string, number | null>} */ more) => href('events', { ...params, event: null, ...more });
  return [
    page.error && h(ProblemBox, { key: 'problem', error: page.error, retry: page.reload }),
    !data && page.loading && h(Loading, { key: 'loading' }),
    data && h('div', { key: 'bar', class: 'bar' },
      h('p', { role: 'status' }, `${countOf(data.rows.length)} of sequences ${number(first)} to ${number(data.through)}`,
        since !== '' && [' since ', h(Time, { at: since })], `, oldest first; the log ends at ${number(data.end)}`),
      h('span', { class: 'grow' }),
      first > 1 && h('a', { class: 'button', href: at({ from: Math.max(1, first - PAGE) }) }, 'Earlier'),
      data.through < data.end && h('a', { class: 'button', href: at({ from: data.through + 1 }) }, 'Later'),
      h('a', { class: 'button primary', href: at({ from: null, since: null }) }, h(Icon, { name: 'play' }), 'Follow live')),
    data && data.rows.length === 0 && h(Empty, { key: 'empty', title: 'No event matches from here' },
      'Open an earlier page or change the filter.'),
    data && data.rows.length > 0 && h(Table, {
      key: 'table', label: 'Events, oldest first', columns: COLUMNS, count: data.rows.length, row: (index) => data.rows[index],
      keyOf: (event) => event.sequence, onOpen: open,
    }),
    h(Opened, { key: 'opened', known: (sequence) => data?.rows.find((event) => event.sequence === sequence) }),
  ];
}
