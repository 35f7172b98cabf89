// Imports: the browser checks a CSV file of movements and sends it step by step, exactly once.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { place } from '../../router.js';
import { Icon, Page, ProblemBox } from '../../parts/basics.js';
import { bytes } from '../../parts/format.js';
import { readHead } from './csv.js';
import { begin, forget, mine } from './job.js';
import { Known } from './known.js';
import { Mapping } from './mapping.js';
import { Result } from './result.js';
import { guessColumn } from './rows.js';
import { guessLayout } from './times.js';

export default function Imports() {
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const current = mine();
  // The options cannot change while rows are sent.
  const isOpen = current !== null && ['read', 'checking', 'checked', 'stopped'].includes(current.phase);
  const importId = place.value.params.get('import');
  const choose = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    setError(null);
    try {
      begin(await chosen(file));
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
    }
  };
  return h(Page, {
    title: 'Imports',
    about: 'Imports a CSV file of movements. Each row is applied or refused once. An interrupted import continues with the same file.',
    actions: current && h('button', { type: 'button', onClick: forget }, current.phase === 'done' ? 'Import another file'
      : 'Choose another file'),
  },
  error && h(ProblemBox, { error }),
  !current && importId && h(Known, { importId }),
  current
    ? [
      h('p', { key: 'file' }, h('strong', { dir: 'auto' }, current.file.name),
        h('span', { class: 'soft' }, ` · ${bytes(current.file.size)} · ${current.names.length} columns`)),
      isOpen && h(Mapping, { key: 'mapping', job: current }),
      h(Result, { key: 'result', job: current }),
    ]
    : h(Choose, { onFile: choose }));
}

/** @param {{ onFile: (file: File | undefined) => void }} props */
function Choose({ onFile }) {
  const [isOver, setOver] = useState(false);
  return h('div', {
    class: `drop ${isOver ? 'over' : ''}`,
    onDragOver: (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(false);
      onFile(event.dataTransfer?.files[0]);
    },
  },
  h('p', { class: 'empty-title' }, h(Icon, { name: 'plus' }), ' Drop a CSV file here or choose one'),
  h('p', null, h('label', { class: 'file' }, h('span', { class: 'offscreen' }, 'CSV file'),
    h('input', { type: 'file', accept: '.csv,.tsv,.txt,text/csv',
      onChange: (/** @type {any} */ event) => onFile(event.currentTarget.files?.[0]) }))),
  h('p', { class: 'soft' }, 'UTF-8 with a header line; comma, semicolon or tab as delimiter. The browser checks the file first and sends '
    + 'nothing.'));
}

/** The options for a file, guessed from its header and first rows. */
async function chosen(/** @type {File} */ file) {
  const { names, rows, delimiter } = await readHead(file);
  const guess = (/** @type {Parameters<typeof guessColumn>[0]} */ what) => guessColumn(what, names);
  const timeColumn = guess('time');
  const { layout, isUnsure } = guessLayout(rows.map((row) => row[names.indexOf(timeColumn)] ?? ''));
  return {
    file, names, sample: rows, isTimeUnsure: timeColumn !== '' && isUnsure,
    reading: {
      kind: /** @type {const} */ ('sale'), kindColumn: guess('kind'), storeColumn: guess('store'), storeId: '', exactStores: false,
      storeNames: [],
      skuColumn: guess('sku'), quantityColumn: guess('quantity'), timeColumn, timeFormat: layout, referenceColumn: guess('reference'),
      openingStock: 0, delimiter,
    },
  };
}
