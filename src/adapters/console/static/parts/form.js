// Forms: fields with labels and errors, dialogs, and changes that are retried until the node answers.

import { h } from '../vendor/preact.js';
import { useEffect, useId, useRef, useState } from '../vendor/hooks.js';
import { ApiError, change, newKey } from '../api.js';
import { place, refine } from '../router.js';
import { Curl, Icon, ProblemBox, say } from './basics.js';

/** @typedef {import("preact").ComponentChildren} Children */

/** The delay after an input of a filter. */
const TYPING_MS = 300;

/**
 * A field with its label. `hint` describes valid input, `error` the fault of the current input.
 *
 * @param {{
 *   label: string, value: string, onInput: (value: string) => void, type?: string, hint?: Children, error?: string | null,
 *   required?: boolean, inputMode?: any, autoComplete?: string, options?: ([value: string, text: string] | string)[],
 *   multiline?: boolean, min?: number, max?: number, step?: number, maxLength?: number, list?: string, autoFocus?: boolean,
 *   name?: string, placeholder?: string, wide?: boolean,
 * }} props
 */
export function Field({
  label, value, onInput, type = 'text', hint, error, options, multiline = false, autoFocus = false, wide = false, ...rest
}) {
  const id = useId();
  const input = useRef(/** @type {any} */ (null));
  useEffect(() => { if (autoFocus) input.current?.focus(); }, [autoFocus]);
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const common = {
    id, ref: input, value, 'aria-describedby': described, 'aria-invalid': error ? true : undefined,
    onInput: (/** @type {any} */ event) => onInput(event.currentTarget.value), ...rest,
  };
  return h('div', { class: wide ? 'field search' : 'field' },
    h('label', { htmlFor: id }, label),
    options
      ? h('select', common, options.map((option) => {
        const [key, text] = typeof option === 'string' ? [option, option] : option;
        return h('option', { key, value: key, selected: key === value }, text);
      }))
      : multiline ? h('textarea', { ...common, rows: 4 }) : h('input', { ...common, type }),
    hint && h('p', { class: 'hint', id: `${id}-hint` }, hint),
    error && h('p', { class: 'fault', id: `${id}-error` }, error));
}

/** The search field of a list. @param {{ label?: string, value: string, placeholder?: string, onInput: (text: string) => void }} props */
export function Search({ label = 'Search', ...rest }) {
  return h(Field, { label, type: 'search', autoComplete: 'off', wide: true, ...rest });
}

/** The input of a parameter, with a delay before it changes the address. @returns {[string, (text: string) => void]} */
export function useParameter(/** @type {string} */ name) {
  const given = place.value.params.get(name) ?? '';
  const [text, setText] = useState(given);
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  useEffect(() => setText((before) => (before.trim() === given ? before : given)), [given]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return [text, (next) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => refine({ [name]: next.trim() }), TYPING_MS);
  }];
}

/** A checkbox. @param {{ label: Children, checked: boolean, onChange: (checked: boolean) => void, disabled?: boolean }} props */
export function Check({ label, checked, onChange, disabled }) {
  return h('label', { class: 'check' },
    h('input', { type: 'checkbox', checked, disabled, onChange: (/** @type {any} */ event) => onChange(event.currentTarget.checked) }),
    h('span', null, label));
}

/**
 * A modal dialog. Escape and the close button close it; the focus returns to the previous element.
 *
 * @param {{ title: string, onClose?: () => void, children?: Children, wide?: boolean }} props
 */
export function Dialog({ title, onClose, children, wide = false }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return h('dialog', {
    ref: dialog, 'aria-labelledby': id, class: wide ? 'wide' : undefined,
    onCancel: (/** @type {Event} */ event) => {
      event.preventDefault();
      onClose?.();
    },
  },
  h('header', null, h('h2', { id }, title),
    onClose && h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close', onClick: onClose }, h(Icon, { name: 'close' }))),
  children);
}

/**
 * @typedef {{ method: string, path: string, body?: unknown, headers?: Record<string, string>, query?: import("../api.js").Query }} Request
 */

/**
 * Sends changes and retries them until the node answers. A change without a response keeps its Idempotency-Key, so it takes effect
 * once. `waiting` is the reason of the current retry.
 */
export function useChange() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const [waiting, setWaiting] = useState(/** @type {ApiError | null} */ (null));
  const controller = useRef(/** @type {AbortController | null} */ (null));
  const last = useRef({ text: '', key: '' });
  useEffect(() => () => controller.current?.abort(new Error('closed')), []);

  /**
   * @param {Request} request
   * @returns {Promise<import("../api.js").Answer<any> | null>} Null when it was rejected or canceled.
   */
  const run = async ({ method, path, body, headers, query }) => {
    const text = JSON.stringify([method, path, body, headers, query]);
    // A canceled change that is submitted again keeps its key.
    if (last.current.text !== text) last.current = { text, key: newKey() };
    controller.current = new AbortController();
    setBusy(true);
    setError(null);
    try {
      const answer = await change(method, path, {
        body, headers, query, key: last.current.key, signal: controller.current.signal, onWait: setWaiting,
      });
      last.current = { text: '', key: '' };
      return answer;
    } catch (problem) {
      if (controller.current.signal.aborted) return null;
      // Behind a failure of the node or of a proxy, nobody knows whether the change was made.
      if (problem instanceof ApiError && problem.status < 500 && problem.status !== 401) last.current = { text: '', key: '' };
      setError(/** @type {Error} */ (problem));
      return null;
    } finally {
      setBusy(false);
      setWaiting(null);
    }
  };
  return {
    run, busy, error, waiting, clear: () => setError(null),
    giveUp: () => controller.current?.abort(new Error('given up')),
  };
}

/**
 * A form in a dialog that makes one change.
 *
 * @param {{
 *   title: string, request: () => Request, onClose: () => void, onDone: (answer: import("../api.js").Answer<any>) => void,
 *   submit?: string, danger?: boolean, said?: string, children?: Children, valid?: boolean,
 *   explain?: (error: ApiError) => Children, wide?: boolean, onBusy?: (busy: boolean) => void,
 * }} props `onBusy` is told when the change is sent, and when it was refused.
 */
export function ChangeDialog({
  title, request, onClose, onDone, submit = 'Save', danger = false, said, children, valid = true, explain, wide, onBusy,
}) {
  const { run, busy, error, waiting, giveUp } = useChange();
  const onSubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    onBusy?.(true);
    const answer = await run(request());
    if (answer === null) {
      onBusy?.(false);
      return;
    }
    say(said ?? `${title}: done`);
    onDone(answer);
    onClose();
  };
  const shown = request();
  return h(Dialog, { title, onClose, wide },
    h('form', { onSubmit, noValidate: false },
      children,
      error && ((error instanceof ApiError && explain?.(error)) || h(ProblemBox, { error })),
      waiting && h('p', { class: 'waiting', role: 'status' },
        `${waiting.message} Your input is kept. The change is retried with the same Idempotency-Key.`),
      h('footer', null,
        h(Curl, shown),
        h('span', { class: 'grow' }),
        busy && waiting && h('button', { type: 'button', class: 'quiet', onClick: giveUp }, 'Stop retrying'),
        h('button', { type: 'button', onClick: onClose }, 'Cancel'),
        h('button', { type: 'submit', class: danger ? 'danger' : 'primary', disabled: busy || !valid }, busy ? 'Sending …' : submit))));
}
