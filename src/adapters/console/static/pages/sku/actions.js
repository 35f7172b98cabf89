// Dialogs for the changes of a level. Each change requires the version that the dialog opened with.

import { h } from '../../vendor/preact.js';
import { useEffect, useId, useState } from '../../vendor/hooks.js';
import { ApiError, levelPath, read } from '../../api.js';
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

const isWhole = (/** @type {string} */ text) => /^[+-]?\d{1,15}$/.test(text.trim());
/** The value of an optional field. */
const textOf = (/** @type {string} */ text) => (text.trim() === '' ? undefined : text.trim());
const numberOf = (/** @type {string} */ text) => (isWhole(text) ? Number(text) : undefined);

/**
 * The dialog of one change. `now` is the current level of the page. It may be newer than the level that the dialog opened with.
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
 * A change for one version of a level. With a newer version, the dialog shows the difference and waits for a decision. The input is
 * kept.
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
    request: () => ({ method: 'POST', path: levelPath(level, what), body, headers: { 'if-match': `"${base.version}"` } }),
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
 * Loads the level after a rejected change.
 *
 * @param {{ error: ApiError, known: number, level: Level, onLevel: (level: Level) => void }} props
 */
function Reread({ error, known, level, onLevel }) {
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setFailed(null);
    read(levelPath(level), {}, { signal: controller.signal }).then(({ data }) => onLevel(data),
      (problem) => { if (!controller.signal.aborted) setFailed(problem); });
    return () => controller.abort(new Error('no longer needed'));
  }, [error, turn]);
  if (failed) return h(ProblemBox, { error: failed, retry: () => setTurn(turn + 1) });
  const current = error.problem.currentVersion ?? 0;
  return h('p', { class: 'hint', role: 'status' }, known >= current
    ? `Nothing was changed. The next attempt is for version ${number(known)}.`
    : 'Nothing was changed: another change came first. Your input is kept.');
}

/** The level of the dialog and the current level. @param {{ before: Level, after: Level, onAccept: () => void }} props */
function Difference({ before, after, onAccept }) {
  const rows = /** @type {const} */ ([['On hand', 'onHand'], ['Reserved', 'reserved'], ['Sellable', 'qty'], ['Version', 'version']]);
  return h('section', { class: 'note', role: 'alert', 'aria-label': 'The level has changed' },
    h('p', null, h('strong', null, 'The level has changed since this dialog was opened.')),
    h('table', { class: 'plain' },
      h('thead', null, h('tr', null, h('td', null), h('th', { scope: 'col', class: 'num' }, 'Before'),
        h('th', { scope: 'col', class: 'num' }, 'Now'),
        h('th', { scope: 'col', class: 'num' }, 'Difference'))),
      h('tbody', null, rows.map(([title, key]) => h('tr', { key },
        h('th', { scope: 'row' }, title), h('td', { class: 'num' }, number(before[key])), h('td', { class: 'num' }, number(after[key])),
        h('td', { class: 'num' }, after[key] === before[key] ? '' : signed(after[key] - before[key])))))),
    h('p', { class: 'actions' }, h('button', { type: 'button', onClick: onAccept }, `Continue with version ${number(after.version)}`)));
}

/** @typedef {{ level: Level, now: Level | undefined, onClose: () => void }} DialogProps */

/** @param {DialogProps} props */
function AdjustDialog(props) {
  const [delta, setDelta] = useState('');
  const [reason, setReason] = useState('');
  const [reference, setReference] = useState('');
  const valid = isWhole(delta) && Number(delta) !== 0;
  return h(LevelDialog, {
    ...props, title: 'Adjust stock', submit: 'Adjust', said: 'Stock adjusted', what: '/adjust', valid,
    body: { delta: numberOf(delta), reason: textOf(reason), reference: textOf(reference) },
    effect: (level) => (valid ? `On hand: ${number(level.onHand)} → ${number(level.onHand + Number(delta))}` : ''),
  },
  h(Field, {
    label: 'Change of the quantity (negative to remove)', value: delta, onInput: setDelta, inputMode: 'text', autoComplete: 'off',
    required: true, autoFocus: true,
    placeholder: '-2', error: delta !== '' && delta !== '-' && delta !== '+' && !valid ? 'A whole number other than 0.' : null,
  }),
  h(Field, { label: 'Reason', value: reason, onInput: setReason, maxLength: 256,
    hint: 'Part of the history, for example “breakage”.' }),
  h(Field, { label: 'Reference', value: reference, onInput: setReference, maxLength: 256,
    hint: 'For example the number of a receipt or a delivery.' }));
}

/** @param {DialogProps} props */
function CountDialog(props) {
  const [counted, setCounted] = useState('');
  const [reason, setReason] = useState('');
  const valid = isWhole(counted) && Number(counted) >= 0;
  return h(LevelDialog, {
    ...props, title: 'Count stock', submit: 'Record the count', said: 'Count recorded', what: '/count', valid,
    body: { counted: numberOf(counted), reason: textOf(reason) },
    effect: (level) => (valid
      ? `On hand: ${number(level.onHand)} → ${number(Number(counted))} (${signed(Number(counted) - level.onHand)})` : ''),
  },
  h(Field, {
    label: 'Counted quantity', value: counted, onInput: setCounted, inputMode: 'numeric', autoComplete: 'off',
    required: true, autoFocus: true,
    error: counted !== '' && !valid ? 'A whole number, 0 or more.' : null, hint: 'Include reserved pieces: they are still in the store.',
  }),
  h(Field, { label: 'Reason', value: reason, onInput: setReason, maxLength: 256, hint: 'For example “annual stocktaking”.' }));
}

/** @param {DialogProps} props */
function ReserveDialog(props) {
  const [qty, setQty] = useState('');
  const [reservationId, setReservationId] = useState('');
  const [minutes, setMinutes] = useState('');
  const [reference, setReference] = useState('');
  const valid = isWhole(qty) && Number(qty) > 0 && (minutes === '' || (isWhole(minutes) && Number(minutes) > 0));
  return h(LevelDialog, {
    ...props, title: 'Reserve stock', submit: 'Reserve', said: 'Stock reserved', what: '/reserve', valid,
    body: {
      qty: numberOf(qty), reservationId: textOf(reservationId), ttlSeconds: isWhole(minutes) ? Number(minutes) * 60 : undefined,
      reference: textOf(reference),
    },
    effect: (level) => (valid ? `Sellable: ${number(level.qty)} → ${number(level.qty - Number(qty))}` : ''),
  },
  h(Field, {
    label: 'Quantity', value: qty, onInput: setQty, inputMode: 'numeric', autoComplete: 'off', required: true, autoFocus: true,
    error: qty !== '' && !(isWhole(qty) && Number(qty) > 0) ? 'A whole number above 0.' : null,
  }),
  h('div', { class: 'fields' },
    h(Field, { label: 'Reservation id', value: reservationId, onInput: setReservationId, maxLength: 64,
      hint: 'Optional. The node generates one.' }),
    h(Field, { label: 'Expires after (minutes)', value: minutes, onInput: setMinutes, inputMode: 'numeric',
      hint: 'Optional. Otherwise it does not expire.' })),
  h(Field, { label: 'Reference', value: reference, onInput: setReference, maxLength: 256, hint: 'For example the number of an order.' }));
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
    said: isCommit ? 'Reservation committed' : 'Reservation released',
    body: { reservationId: hold.reservationId, qty: numberOf(qty), closeRemainder: isCommit && rest ? true : undefined },
    effect: (level) => (!valid ? '' : isCommit
      ? `On hand: ${number(level.onHand)} → ${number(level.onHand - pieces)}`
      : `Sellable: ${number(level.qty)} → ${number(level.qty + pieces)}`),
  },
  h('p', null, isCommit ? 'The reserved pieces leave the store. ' : 'The reserved pieces become sellable again. ',
    h(Long, { text: hold.reservationId, code: true }),
    ` holds ${number(hold.qty)}.`),
  h(Field, {
    label: 'Quantity', value: qty, onInput: setQty, inputMode: 'numeric', autoComplete: 'off', autoFocus: true,
    placeholder: String(hold.qty),
    hint: 'Optional. Otherwise the whole reservation.', error: valid ? null : `A whole number from 1 to ${number(hold.qty)}.`,
  }),
  isCommit && h(Check, { label: 'Release the remaining pieces', checked: rest, onChange: setRest }));
}

/** Adds stock of a SKU to a store without a level. @param {{ sku: string, stores: string[], onClose: () => void }} props */
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
    title: 'Add stock', submit: 'Add', said: 'Stock added', onClose, onDone: () => {}, valid: isName && isSku && isPieces,
    request: () => ({ method: 'POST', path: levelPath(level, '/adjust'),
      body: { delta: numberOf(delta), reason: textOf(reason) } }),
  },
  given === '' && h(Field, { label: 'SKU', value: sku, onInput: setSku, required: true, maxLength: 64, autoFocus: true }),
  h(Field, {
    label: 'Store', value: storeId, onInput: setStoreId, required: true, maxLength: 64, list, autoComplete: 'off', autoFocus: given !== '',
    error: storeId !== '' && !isName ? 'Letters, digits, periods, hyphens and underscores.' : null,
  }),
  h('datalist', { id: list }, stores.map((id) => h('option', { key: id, value: id }))),
  h(Field, {
    label: 'Quantity', value: delta, onInput: setDelta, inputMode: 'numeric', autoComplete: 'off', required: true,
    error: delta !== '' && !isPieces ? 'A whole number above 0.' : null,
  }),
  h(Field, { label: 'Reason', value: reason, onInput: setReason, maxLength: 256, hint: 'For example “delivery”.' }));
}

/** The low-stock threshold of a store. It has its own version. @param {{ level: Level, onClose: () => void }} props */
function ThresholdDialog({ level, onClose }) {
  const [own, setOwn] = useState(/** @type {{ lowStockThreshold: number, version: number } | null | undefined} */ (undefined));
  const [seen, setSeen] = useState(/** @type {typeof own} */ (undefined));
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null));
  const [value, setValue] = useState('');
  const [isOwn, setIsOwn] = useState(true);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    // Without an effective threshold, the store has no threshold.
    const answer = turn === 0 && level.lowStockThreshold === undefined ? Promise.resolve({ data: null })
      : read(levelPath(level, '/threshold'), {}, { signal: controller.signal, quiet: true });
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
  const word = (/** @type {typeof own} */ one) => (one ? number(one.lowStockThreshold) : 'the threshold of the product');
  const isDifferent = (own?.version ?? 0) !== (seen?.version ?? 0);
  const valid = seen !== undefined && !isDifferent && (!isOwn ? seen !== null : isWhole(value) && Number(value) >= 0);
  const headers = /** @type {Record<string, string>} */ (seen ? { 'if-match': `"${seen.version}"` } : {});
  return h(ChangeDialog, {
    title: 'Low-stock threshold', submit: isOwn ? 'Save' : 'Remove', said: 'Threshold saved', onClose, onDone: () => {}, valid,
    request: () => (isOwn
      ? { method: 'PUT', path: levelPath(level, '/threshold'), body: { lowStockThreshold: numberOf(value) }, headers }
      : { method: 'DELETE', path: levelPath(level, '/threshold'), headers }),
    explain: (error) => (isConflict(error) || error.status === 404)
      && h(Again, { key: error.problem.requestId, onAgain: () => setTurn(turn + 1) }),
  },
  h('p', { class: 'soft' }, h(Long, { text: level.sku }), ' in ', h(Long, { text: level.storeId }),
    ' is low when the sellable quantity is at or below the threshold.'),
  failed && h(ProblemBox, { error: failed }),
  isDifferent && h('section', { class: 'note', role: 'alert', 'aria-label': 'The threshold has changed' },
    h('p', null, h('strong', null, 'The threshold has changed since this dialog was opened.')),
    h('p', null, `Before: ${word(seen)}. Now: ${word(own)}.`),
    h('button', { type: 'button', onClick: () => setSeen(own) }, 'Continue')),
  h(Check, { label: 'This store has its own threshold', checked: isOwn, onChange: setIsOwn, disabled: !seen }),
  isOwn
    ? h(Field, {
      label: 'Threshold', value, onInput: setValue, inputMode: 'numeric', autoComplete: 'off', required: true, autoFocus: true,
      error: value !== '' && !(isWhole(value) && Number(value) >= 0) ? 'A whole number, 0 or more.' : null,
    })
    : h('p', { class: 'hint' }, 'The store then uses the threshold of the product, if the product has one.'));
}

/** Loads the threshold again, once. @param {{ onAgain: () => void }} props */
function Again({ onAgain }) {
  useEffect(onAgain, []);
  return h('p', { class: 'hint', role: 'status' }, 'Nothing was changed: another change came first. Your input is kept.');
}
