// Changes of a level, each in a dialog, for the version that was on the page when the dialog opened.

import { h } from '../../vendor/preact.js';
import { useEffect, useId, useState } from '../../vendor/hooks.js';
import { ApiError, read } from '../../api.js';
import { Long, ProblemBox } from '../../parts/basics.js';
import { ChangeDialog, Check, Field } from '../../parts/form.js';
import { number, signed } from '../../parts/format.js';

/** @typedef {import("../../parts/form.js").Request} Request */
/**
 * @typedef {{
 *   storeId: string, sku: string, qty: number, onHand: number, reserved: number, version: number, lowStockThreshold?: number,
 * }} Level
 */
/** @typedef {{ reservationId: string, qty: number, expiresAt?: string }} Hold */
/**
 * @typedef {{ kind: "adjust" | "count" | "reserve" | "threshold", level: Level }
 *   | { kind: "release" | "commit", level: Level, hold: Hold }
 *   | { kind: "add", sku: string, stores: string[] }} Action
 */

const pathOf = (/** @type {Level} */ { storeId, sku }, /** @type {string} */ what = '') =>
  `/stores/${encodeURIComponent(storeId)}/inventory/${encodeURIComponent(sku)}${what}`;

const isWhole = (/** @type {string} */ text) => /^[+-]?\d{1,15}$/.test(text.trim());
/** What is sent for a field that may be left empty. */
const textOf = (/** @type {string} */ text) => (text.trim() === '' ? undefined : text.trim());
const numberOf = (/** @type {string} */ text) => (isWhole(text) ? Number(text) : undefined);

/**
 * One change. `now` is the level as the page knows it, which may be ahead of the one that the dialog opened with.
 *
 * @param {{ action: Action, now: Level | undefined, onClose: () => void }} props
 */
export function ActionDialog({ action, now, onClose }) {
  if (action.kind === 'add') return h(AddDialog, { sku: action.sku, stores: action.stores, onClose });
  if (action.kind === 'threshold') return h(ThresholdDialog, { level: action.level, onClose });
  if (action.kind === 'release' || action.kind === 'commit') {
    return h(HoldDialog, { kind: action.kind, hold: action.hold, level: action.level, now, onClose });
  }
  return h({ adjust: AdjustDialog, count: CountDialog, reserve: ReserveDialog }[action.kind], { level: action.level, now, onClose });
}

/**
 * A change for one version of a level. When there is a newer one, the dialog shows the difference and waits for a decision; what
 * was typed stays.
 *
 * @param {{
 *   title: string, submit: string, said: string, level: Level, now: Level | undefined, onClose: () => void, what: string, body: unknown,
 *   valid: boolean, danger?: boolean, effect?: (level: Level) => import("preact").ComponentChildren,
 *   children?: import("preact").ComponentChildren,
 * }} props
 */
function LevelDialog({ title, submit, said, level, now, onClose, what, body, valid, danger, effect, children }) {
  const [base, setBase] = useState(level);
  const [read, setRead] = useState(level);
  const newest = [level, read, now].reduce((one, other) => (other && one && other.version > one.version ? other : one)) ?? level;
  const differs = newest.version > base.version;
  return h(ChangeDialog, {
    title, submit, said, onClose, onDone: () => {}, danger, valid: valid && !differs,
    request: () => ({ method: 'POST', path: pathOf(level, what), body, headers: { 'if-match': `"${base.version}"` } }),
    explain: (error) => isConflict(error) && h(Reread, { error, known: base.version, level, onLevel: setRead }),
  },
  h('p', { class: 'soft' }, h(Long, { text: level.sku }), ' in ', h(Long, { text: level.storeId }), `, version ${number(base.version)}: `,
    `${number(base.onHand)} on hand, ${number(base.reserved)} reserved, ${number(base.qty)} sellable.`),
  differs && h(Difference, { before: base, after: newest, onAccept: () => setBase(newest) }),
  children,
  effect && h('p', { class: 'effect', role: 'status' }, effect(base)));
}

const isConflict = (/** @type {Error} */ error) => error instanceof ApiError && (error.code === 'version-conflict' || error.status === 412);

/**
 * Reads the level that the node has refused a change of.
 *
 * @param {{ error: ApiError, known: number, level: Level, onLevel: (level: Level) => void }} props
 */
function Reread({ error, known, level, onLevel }) {
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setFailed(null);
    read(pathOf(level), {}, { signal: controller.signal }).then(({ data }) => onLevel(data),
      (problem) => { if (!controller.signal.aborted) setFailed(problem); });
    return () => controller.abort(new Error('no longer needed'));
  }, [error, turn]);
  if (failed) return h(ProblemBox, { error: failed, retry: () => setTurn(turn + 1) });
  const current = error.problem.currentVersion ?? 0;
  return h('p', { class: 'hint', role: 'status' }, known >= current
    ? `Nothing was changed yet. The next try is for version ${number(known)}.`
    : 'Nothing was changed: somebody was faster. What you typed is still here.');
}

/** What was shown, and what it is now. @param {{ before: Level, after: Level, onAccept: () => void }} props */
function Difference({ before, after, onAccept }) {
  const rows = /** @type {const} */ ([['On hand', 'onHand'], ['Reserved', 'reserved'], ['Sellable', 'qty'], ['Version', 'version']]);
  return h('section', { class: 'note', role: 'alert', 'aria-label': 'The level has changed' },
    h('p', null, h('strong', null, 'The level has changed since you opened this.')),
    h('table', { class: 'plain' },
      h('thead', null, h('tr', null, h('td', null), h('th', { scope: 'col', class: 'num' }, 'You saw'),
        h('th', { scope: 'col', class: 'num' }, 'It is now'),
        h('th', { scope: 'col', class: 'num' }, 'Difference'))),
      h('tbody', null, rows.map(([title, key]) => h('tr', { key },
        h('th', { scope: 'row' }, title), h('td', { class: 'num' }, number(before[key])), h('td', { class: 'num' }, number(after[key])),
        h('td', { class: 'num' }, after[key] === before[key] ? '' : signed(after[key] - before[key])))))),
    h('p', { class: 'actions' }, h('button', { type: 'button', onClick: onAccept }, `Go on with version ${number(after.version)}`)));
}

/** @typedef {{ level: Level, now: Level | undefined, onClose: () => void }} DialogProps */

/** @param {DialogProps} props */
function AdjustDialog(props) {
  const [delta, setDelta] = useState('');
  const [reason, setReason] = useState('');
  const [reference, setReference] = useState('');
  const valid = isWhole(delta) && Number(delta) !== 0;
  return h(LevelDialog, {
    ...props, title: 'Adjust stock', submit: 'Adjust', said: 'The stock is adjusted', what: '/adjust', valid,
    body: { delta: numberOf(delta), reason: textOf(reason), reference: textOf(reference) },
    effect: (level) => (valid ? `On hand: ${number(level.onHand)} → ${number(level.onHand + Number(delta))}` : ''),
  },
  h(Field, {
    label: 'Pieces that come, or (with a minus) go', value: delta, onInput: setDelta, inputMode: 'text', autoComplete: 'off',
    required: true, autoFocus: true,
    placeholder: '-2', error: delta !== '' && delta !== '-' && delta !== '+' && !valid ? 'A whole number that is not 0.' : null,
  }),
  h(Field, { label: 'Reason', value: reason, onInput: setReason, maxLength: 256, hint: 'It stays in the history, such as “breakage”.' }),
  h(Field, { label: 'Reference', value: reference, onInput: setReference, maxLength: 256,
    hint: 'A number of a receipt or a delivery, if there is one.' }));
}

/** @param {DialogProps} props */
function CountDialog(props) {
  const [counted, setCounted] = useState('');
  const [reason, setReason] = useState('');
  const valid = isWhole(counted) && Number(counted) >= 0;
  return h(LevelDialog, {
    ...props, title: 'Count stock', submit: 'Record the count', said: 'The count is recorded', what: '/count', valid,
    body: { counted: numberOf(counted), reason: textOf(reason) },
    effect: (level) => (valid
      ? `On hand: ${number(level.onHand)} → ${number(Number(counted))} (${signed(Number(counted) - level.onHand)})` : ''),
  },
  h(Field, {
    label: 'Pieces that are physically there', value: counted, onInput: setCounted, inputMode: 'numeric', autoComplete: 'off',
    required: true, autoFocus: true,
    error: counted !== '' && !valid ? 'A whole number, 0 or more.' : null, hint: 'Reserved pieces are counted too: they are still there.',
  }),
  h(Field, { label: 'Reason', value: reason, onInput: setReason, maxLength: 256, hint: 'Such as “yearly count”.' }));
}

/** @param {DialogProps} props */
function ReserveDialog(props) {
  const [qty, setQty] = useState('');
  const [reservationId, setReservationId] = useState('');
  const [minutes, setMinutes] = useState('');
  const [reference, setReference] = useState('');
  const valid = isWhole(qty) && Number(qty) > 0 && (minutes === '' || (isWhole(minutes) && Number(minutes) > 0));
  return h(LevelDialog, {
    ...props, title: 'Reserve pieces', submit: 'Reserve', said: 'The pieces are reserved', what: '/reserve', valid,
    body: {
      qty: numberOf(qty), reservationId: textOf(reservationId), ttlSeconds: isWhole(minutes) ? Number(minutes) * 60 : undefined,
      reference: textOf(reference),
    },
    effect: (level) => (valid ? `Sellable: ${number(level.qty)} → ${number(level.qty - Number(qty))}` : ''),
  },
  h(Field, {
    label: 'Pieces', value: qty, onInput: setQty, inputMode: 'numeric', autoComplete: 'off', required: true, autoFocus: true,
    error: qty !== '' && !(isWhole(qty) && Number(qty) > 0) ? 'A whole number above 0.' : null,
  }),
  h('div', { class: 'fields' },
    h(Field, { label: 'Name of the reservation', value: reservationId, onInput: setReservationId, maxLength: 64,
      hint: 'Without one the node makes one.' }),
    h(Field, { label: 'Expires after (minutes)', value: minutes, onInput: setMinutes, inputMode: 'numeric',
      hint: 'Without a time it does not expire.' })),
  h(Field, { label: 'Reference', value: reference, onInput: setReference, maxLength: 256, hint: 'Such as the number of an order.' }));
}

/** @param {DialogProps & { kind: "release" | "commit", hold: Hold }} props */
function HoldDialog({ kind, hold, ...props }) {
  const [qty, setQty] = useState('');
  const [rest, setRest] = useState(false);
  const isCommit = kind === 'commit';
  const valid = qty === '' || (isWhole(qty) && Number(qty) > 0 && Number(qty) <= hold.qty);
  const pieces = qty === '' ? hold.qty : Number(qty);
  return h(LevelDialog, {
    ...props, what: `/${kind}`, valid, title: isCommit ? 'Commit a reservation' : 'Release a reservation',
    submit: isCommit ? 'Commit' : 'Release',
    said: isCommit ? 'The reservation is committed' : 'The reservation is released',
    body: { reservationId: hold.reservationId, qty: numberOf(qty), closeRemainder: isCommit && rest ? true : undefined },
    effect: (level) => (!valid ? '' : isCommit
      ? `On hand: ${number(level.onHand)} → ${number(level.onHand - pieces)}`
      : `Sellable: ${number(level.qty)} → ${number(level.qty + pieces)}`),
  },
  h('p', null, isCommit ? 'The pieces leave the store: ' : 'The pieces are for sale again: ',
    h(Long, { text: hold.reservationId, code: true }),
    ` holds ${number(hold.qty)}.`),
  h(Field, {
    label: 'Pieces', value: qty, onInput: setQty, inputMode: 'numeric', autoComplete: 'off', autoFocus: true, placeholder: String(hold.qty),
    hint: 'Empty: all of them.', error: valid ? null : `A whole number from 1 to ${number(hold.qty)}.`,
  }),
  isCommit && h(Check, { label: 'Release what is not committed', checked: rest, onChange: setRest }));
}

/** Stock in a store that has had none. @param {{ sku: string, stores: string[], onClose: () => void }} props */
function AddDialog({ sku: given, stores, onClose }) {
  const [sku, setSku] = useState(given);
  const [storeId, setStoreId] = useState('');
  const [delta, setDelta] = useState('');
  const [reason, setReason] = useState('');
  const list = useId();
  const isName = /^[A-Za-z0-9._-]{1,64}$/.test(storeId.trim());
  const isSku = /^[A-Za-z0-9._-]+( [A-Za-z0-9._-]+)*$/.test(sku.trim()) && sku.length <= 64;
  const isPieces = isWhole(delta) && Number(delta) > 0;
  const level = { storeId: storeId.trim(), sku: sku.trim() };
  return h(ChangeDialog, {
    title: 'Add stock', submit: 'Add', said: 'The stock is added', onClose, onDone: () => {}, valid: isName && isSku && isPieces,
    request: () => ({ method: 'POST', path: pathOf(/** @type {Level} */ (level), '/adjust'),
      body: { delta: numberOf(delta), reason: textOf(reason) } }),
  },
  given === '' && h(Field, { label: 'SKU', value: sku, onInput: setSku, required: true, maxLength: 64, autoFocus: true }),
  h(Field, {
    label: 'Store', value: storeId, onInput: setStoreId, required: true, maxLength: 64, list, autoComplete: 'off', autoFocus: given !== '',
    error: storeId !== '' && !isName ? 'Letters, digits, points, hyphens and underscores.' : null,
  }),
  h('datalist', { id: list }, stores.map((id) => h('option', { key: id, value: id }))),
  h(Field, {
    label: 'Pieces', value: delta, onInput: setDelta, inputMode: 'numeric', autoComplete: 'off', required: true,
    error: delta !== '' && !isPieces ? 'A whole number above 0.' : null,
  }),
  h(Field, { label: 'Reason', value: reason, onInput: setReason, maxLength: 256, hint: 'Such as “delivery”.' }));
}

/** The low-stock threshold of one store, which has a version of its own. @param {{ level: Level, onClose: () => void }} props */
function ThresholdDialog({ level, onClose }) {
  const [own, setOwn] = useState(/** @type {{ lowStockThreshold: number, version: number } | null | undefined} */ (undefined));
  const [seen, setSeen] = useState(/** @type {typeof own} */ (undefined));
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null));
  const [value, setValue] = useState('');
  const [isOwn, setIsOwn] = useState(true);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    // Where none counts, the store has none of its own, either.
    const answer = turn === 0 && level.lowStockThreshold === undefined ? Promise.resolve({ data: null })
      : read(pathOf(level, '/threshold'), {}, { signal: controller.signal, quiet: true });
    answer.then(({ data }) => data, (error) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }).then((data) => {
      setOwn(data);
      if (turn > 0) return;
      setSeen(data);
      const first = data?.lowStockThreshold ?? level.lowStockThreshold;
      setValue(first === undefined ? '' : String(first));
    }).catch((error) => { if (!controller.signal.aborted) setFailed(error); });
    return () => controller.abort(new Error('no longer needed'));
  }, [turn]);
  const word = (/** @type {typeof own} */ one) => (one ? number(one.lowStockThreshold) : 'that of the product');
  const isDifferent = (own?.version ?? 0) !== (seen?.version ?? 0);
  const valid = seen !== undefined && !isDifferent && (!isOwn ? seen !== null : isWhole(value) && Number(value) >= 0);
  const headers = /** @type {Record<string, string>} */ (seen ? { 'if-match': `"${seen.version}"` } : {});
  return h(ChangeDialog, {
    title: 'Low-stock threshold', submit: isOwn ? 'Save' : 'Take it away', said: 'The threshold is saved', onClose, onDone: () => {}, valid,
    request: () => (isOwn
      ? { method: 'PUT', path: pathOf(level, '/threshold'), body: { lowStockThreshold: numberOf(value) }, headers }
      : { method: 'DELETE', path: pathOf(level, '/threshold'), headers }),
    explain: (error) => (isConflict(error) || error.status === 404)
      && h(Again, { key: error.problem.requestId, onAgain: () => setTurn(turn + 1) }),
  },
  h('p', { class: 'soft' }, h(Long, { text: level.sku }), ' in ', h(Long, { text: level.storeId }),
    ' is low at so many sellable pieces or fewer.'),
  failed && h(ProblemBox, { error: failed }),
  isDifferent && h('section', { class: 'note', role: 'alert', 'aria-label': 'The threshold has changed' },
    h('p', null, h('strong', null, 'The threshold has changed since you opened this.')),
    h('p', null, `You saw ${word(seen)}; it is now ${word(own)}.`),
    h('button', { type: 'button', onClick: () => setSeen(own) }, 'Go on with it')),
  h(Check, { label: 'This store has a threshold of its own', checked: isOwn, onChange: setIsOwn, disabled: !seen }),
  isOwn
    ? h(Field, {
      label: 'Threshold', value, onInput: setValue, inputMode: 'numeric', autoComplete: 'off', required: true, autoFocus: true,
      error: value !== '' && !(isWhole(value) && Number(value) >= 0) ? 'A whole number, 0 or more.' : null,
    })
    : h('p', { class: 'hint' }, 'The product’s threshold counts in this store from then on, if it has one.'));
}

/** Asks for another look, once. @param {{ onAgain: () => void }} props */
function Again({ onAgain }) {
  useEffect(onAgain, []);
  return h('p', { class: 'hint', role: 'status' }, 'Nothing was changed: somebody was faster. What you typed is still here.');
}
