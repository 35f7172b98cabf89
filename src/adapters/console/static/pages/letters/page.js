// Dead letters: events that could not be applied to the central model.

import { h } from '../../vendor/preact.js';
import { readPages } from '../../api.js';
import { href, place, refine } from '../../router.js';
import { canEverywhere } from '../../session.js';
import { Badge, Empty, Loading, Long, Page, ProblemBox, Time } from '../../parts/basics.js';
import { Field } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useInterval, useLoad } from '../../parts/load.js';
import { Table } from '../../parts/table.js';
import { LetterDialog } from './letter.js';
import { STATES } from './words.js';

/** @typedef {import("../../api.js").Schemas["DeadLetter"]} Letter */

const EVERY_MS = 5_000;
const ROWS_MAX = 5_000;

export default function Letters() {
  const { params } = place.value;
  const state = params.get('state') ?? 'open';
  const opened = params.get('letter');
  // The feed has no dead letters, so the list is polled.
  const letters = useLoad(async (signal) => {
    /** @type {Letter[]} */
    const rows = [];
    await readPages('/dead-letters', { state: state === 'all' ? '' : state, limit: 1000 }, (/** @type {Letter[]} */ items) => {
      rows.push(...items);
      return rows.length < ROWS_MAX;
    }, { signal });
    return { state, rows };
  }, [state]);
  useInterval(() => { if (!letters.loading && !letters.error) letters.reload(); }, EVERY_MS);
  const { data } = letters;
  const rows = data?.state === state ? data.rows : null;

  return h(Page, { title: 'Dead letters', about: 'Events that could not be applied to the central model. Later events of the same ' +
    'store and SKU wait until the letter is redriven or discarded.' },
    h('div', { class: 'filters', role: 'search', 'aria-label': 'Dead letters' },
      h(Field, { label: 'State', value: state, onInput: (text) => refine({ state: text }),
        options: [['open', 'Open'], ['redriven', 'Redriven'], ['discarded', 'Discarded'], ['all', 'All']] })),
    letters.error && h(ProblemBox, { error: letters.error, retry: letters.reload }),
    !rows && letters.loading && !letters.error && h(Loading, null),
    rows && rows.length > 0 && h('p', { class: 'bar', role: 'status' }, h('span', { class: 'soft' },
      `${number(rows.length)}${rows.length >= ROWS_MAX ? ' or more' : ''} ${rows.length === 1 ? 'letter' : 'letters'}, oldest first`)),
    rows?.length === 0 && (state === 'open'
      ? h(Empty, { title: 'No dead letter is open' }, 'All events that were read are in the central model.',
        canEverywhere('ops:read') && [' ', h('a', { href: href('operations') }, 'Show the progress of the sources')])
      : h(Empty, { title: 'No dead letters' }, 'No letter has this state.')),
    rows && rows.length > 0 && h(Table, {
      label: 'Dead letters', count: rows.length, row: (index) => rows[index], keyOf: (row) => row.id,
      onOpen: (row) => refine({ letter: row.id }),
      columns: [
        { id: 'state', title: 'State', width: '8rem', wide: true,
          cell: (row) => h(Badge, { kind: STATES[row.state].kind, icon: STATES[row.state].icon }, STATES[row.state].word) },
        { id: 'sku', title: 'SKU', head: true, width: '15%', cell: (row) => h(Long, { text: row.sku ?? 'no SKU' }) },
        { id: 'store', title: 'Store', width: '13%', cell: (row) => h(Long, { text: row.storeId ?? '' }) },
        { id: 'reason', title: 'Reason', cell: (row) => h(Long, { text: row.reason }) },
        { id: 'source', title: 'Source', wide: true, width: '13%', cell: (row) => h(Long, { text: row.source }) },
        { id: 'tries', title: 'Attempts', num: true, wide: true, width: '6rem', cell: (row) => number(row.tries) },
        { id: 'at', title: 'Last attempt', wide: true, width: '13.5rem', cell: (row) => h(Time, { at: row.lastAt }) },
      ],
    }),
    opened && h(LetterDialog, { key: opened, id: opened, onClose: () => refine({ letter: null }), onDone: letters.reload }));
}
