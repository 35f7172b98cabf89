// One dead letter: its reason, its event, and the actions.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { read } from '../../api.js';
import { href } from '../../router.js';
import { can } from '../../session.js';
import { Badge, Code, Curl, Loading, ProblemBox, Time } from '../../parts/basics.js';
import { ChangeDialog, Dialog, Field } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useLoad } from '../../parts/load.js';
import { resultOf, STATES } from './words.js';

/** @typedef {import("../../api.js").Schemas["DeadLetter"]} Letter */
/** @typedef {import("../../api.js").Schemas["Driven"]} Driven */

/** @param {{ id: string, onClose: () => void, onDone: () => void }} props */
export function LetterDialog({ id, onClose, onDone }) {
  const path = `/dead-letters/${encodeURIComponent(id)}`;
  const loaded = useLoad(async (signal) => /** @type {Letter} */ ((await read(path, {}, { signal })).data), [id]);
  const [doing, setDoing] = useState(/** @type {"redrive" | "discard" | null} */ (null));
  const [result, setResult] = useState(/** @type {Driven | null} */ (null));
  const letter = loaded.data;
  const mayAct = letter?.state === 'open' && can('letters:manage');
  const done = (/** @type {{ data: Driven }} */ { data }) => {
    setResult(data);
    loaded.set(data.letter);
    onDone();
  };
  return h(Dialog, { title: 'Dead letter', onClose, wide: true },
    h('div', { class: 'form-body' },
      loaded.error && h(ProblemBox, { error: loaded.error, retry: loaded.reload }),
      !letter && !loaded.error && h(Loading, null),
      h('div', { class: 'stack' },
        result && h('p', { class: 'note', role: 'status' }, resultOf(result)),
        letter && h(Facts, { letter })),
      h('footer', null, h(Curl, { method: 'GET', path }), h('span', { class: 'grow' }),
        mayAct && h('button', { type: 'button', class: 'danger', onClick: () => setDoing('discard') }, 'Discard …'),
        mayAct && h('button', { type: 'button', class: 'primary', onClick: () => setDoing('redrive') }, 'Redrive …'))),
    doing === 'redrive' && h(ChangeDialog, {
      title: 'Redrive the event', submit: 'Redrive', request: () => ({ method: 'POST', path: `${path}/redrive` }),
      onClose: () => setDoing(null), onDone: done,
    }, h('p', null, 'Reads the event from its source again and applies it and the events that wait behind it. Redrive it after the cause ' +
      'is fixed. If the event cannot be applied, the letter stays open.')),
    doing === 'discard' && h(Discard, { path, onClose: () => setDoing(null), onDone: done }));
}

/** @param {{ path: string, onClose: () => void, onDone: (answer: { data: Driven }) => void }} props */
function Discard({ path, onClose, onDone }) {
  const [reason, setReason] = useState('');
  return h(ChangeDialog, {
    title: 'Discard the event', submit: 'Discard', danger: true, valid: reason.trim() !== '', onClose, onDone,
    request: () => ({ method: 'DELETE', path, query: { reason: reason.trim() } }),
  },
  h('p', null, 'Skips the event permanently and applies the events that wait behind it. The letter and the reason are kept.'),
  h(Field, { label: 'Reason', value: reason, onInput: setReason, required: true, maxLength: 256, autoFocus: true,
    hint: 'Why the event can be skipped.' }));
}

/** @param {{ letter: Letter }} props */
function Facts({ letter }) {
  const state = STATES[letter.state];
  const json = typeof letter.event === 'string' ? letter.event : JSON.stringify(letter.event, null, 2);
  return h('div', { class: 'stack' },
    h('dl', { class: 'facts' },
      h('dt', null, 'State'), h('dd', null, h(Badge, { kind: state.kind, icon: state.icon }, state.word)),
      h('dt', null, 'Reason'), h('dd', { dir: 'auto' }, letter.reason),
      letter.note && h('dt', null, letter.state === 'discarded' ? 'Reason for discarding' : 'Note'),
      letter.note && h('dd', { dir: 'auto' }, letter.note),
      letter.storeId && letter.sku && h('dt', null, 'Store and SKU'),
      letter.storeId && letter.sku && h('dd', null,
        h('a', { href: href('sku', { store: letter.storeId, sku: letter.sku }) }, h('bdi', null, `${letter.storeId} / ${letter.sku}`))),
      h('dt', null, 'Source'), h('dd', null, h('bdi', null, letter.source)),
      h('dt', null, 'Node and sequence'), h('dd', null, h('code', null, letter.node), ', ', number(letter.sequence)),
      h('dt', null, 'Attempts'), h('dd', null, `${number(letter.tries)}, from `, h(Time, { at: letter.firstAt }), ' to ',
        h(Time, { at: letter.lastAt }))),
    h(Code, { text: json, label: 'The event as it was read', tall: true }));
}
