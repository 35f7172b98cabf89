// Small components of all pages.

import { h } from '../vendor/preact.js';
import { useEffect, useRef, useState } from '../vendor/hooks.js';
import { ROOT, curl } from '../api.js';
import { relative, time, utc } from './format.js';

/** @typedef {import("../api.js").ApiError} ApiError */
/** @typedef {import("preact").ComponentChildren} Children */

/** The paths of the icons, on a grid of 16. */
const ICONS = {
  ok: 'M3 8.5l3.2 3.2L13 4.8',
  low: 'M8 2.5l6 11H2zM8 6.5v3.2M8 11.6v.4',
  out: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  menu: 'M2 4h12M2 8h12M2 12h12',
  close: 'M4 4l8 8M12 4l-8 8',
  sun: 'M8 5a3 3 0 100 6 3 3 0 000-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13 9.5A5.5 5.5 0 016.5 3a5.5 5.5 0 106.5 6.5z',
  copy: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5l7 4.5-7 4.5z',
  download: 'M8 2v8M4.5 7L8 10.5 11.5 7M3 13.5h10',
};

/** @param {{ name: keyof typeof ICONS }} props */
export function Icon({ name }) {
  return h('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' }, h('path', { d: ICONS[name] }));
}

/**
 * The frame of a page: heading, description, actions and content.
 *
 * @param {{ title: string, about?: Children, actions?: Children, children?: Children }} props
 */
export function Page({ title, about, actions, children }) {
  useEffect(() => { document.title = `${title} · Onhand`; }, [title]);
  return h('div', { class: 'page' },
    h('header', { class: 'page-head' },
      h('div', null, h('h1', null, title), about && h('p', { class: 'about' }, about)),
      actions && h('div', { class: 'actions' }, actions)),
    children);
}

/** @param {{ kind?: "ok" | "low" | "out" | "plain", icon?: keyof typeof ICONS, children?: Children }} props */
export function Badge({ kind = 'plain', icon, children }) {
  return h('span', { class: `badge ${kind}` }, icon && h(Icon, { name: icon }), children);
}

/** A time in the time zone of the browser, with UTC on hover. @param {{ at: string, short?: boolean }} props */
export function Time({ at, short = false }) {
  return h('time', { dateTime: at, title: utc(at) }, short ? relative(at) : time(at));
}

/** The loading state. @param {{ what?: string }} props */
export function Loading({ what = 'Loading' }) {
  return h('p', { class: 'loading', role: 'status' }, `${what} …`);
}

/** The empty state, with the next action. @param {{ title: string, children?: Children }} props */
export function Empty({ title, children }) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), children && h('div', null, children));
}

/**
 * An error response with the explanation of the node.
 *
 * @param {{ error: ApiError | Error, retry?: () => void }} props
 */
export function ProblemBox({ error, retry }) {
  const problem = /** @type {Partial<import("../api.js").Problem>} */ ('problem' in error ? error.problem : {});
  const { needs, scope, have } = problem;
  const fields = /** @type {{ pointer?: string, parameter?: string, detail: string }[]} */ (problem.errors ?? []);
  return h('div', { class: 'problem', role: 'alert' },
    h('p', { class: 'problem-title' }, h(Icon, { name: 'low' }), problem.title ?? 'The request failed'),
    h('p', null, error.message),
    fields.length > 0 && h('ul', null, fields.map((field) =>
      h('li', { key: field.pointer ?? field.parameter }, h('code', null, field.pointer ?? field.parameter), ' ', field.detail))),
    needs && h('p', null, 'It needs the permission ', h('code', null, needs), scope ? [' in the store ', h('code', null, scope)]
      : ' everywhere',
      have && have.length > 0 ? `; you have it in ${have.join(', ')}.` : '.'),
    h('p', { class: 'soft' },
      problem.type && h('a', { href: new URL(problem.type.replace(/^\//, ''), ROOT).href, target: '_blank', rel: 'noreferrer' },
        'What this means'),
      problem.requestId && h('span', null, ' Request ', h('code', null, problem.requestId))),
    retry && h('button', { type: 'button', onClick: retry }, 'Try again'));
}

/** A button that copies text and confirms it. @param {{ text: string, label?: string }} props */
export function Copy({ text, label = 'Copy' }) {
  const [done, setDone] = useState(false);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const copy = async () => {
    // Browsers offer the clipboard only on HTTPS and localhost.
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else {
      field.current?.select();
      document.execCommand('copy');
    }
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  };
  return h('span', { class: 'copy' },
    !navigator.clipboard && h('textarea', { ref: field, class: 'offscreen', tabIndex: -1, 'aria-hidden': 'true', readOnly: true,
      value: text }),
    h('button', { type: 'button', class: 'quiet', onClick: copy }, h(Icon, { name: done ? 'ok' : 'copy' }), done ? 'Copied' : label));
}

/** Text to copy. @param {{ text: string, label?: string, copy?: string, tall?: boolean }} props */
export function Code({ text, label, copy, tall = false }) {
  return h('div', { class: 'code' },
    h('pre', { tabIndex: 0, role: label && 'group', 'aria-label': label, class: tall ? 'tall' : undefined }, text),
    h(Copy, { text, label: copy }));
}

/**
 * A call as a collapsed shell command.
 *
 * @param {{ method: string, path: string, query?: import("../api.js").Query, body?: unknown, accept?: string }} props
 */
export function Curl({ method, path, query, body, accept }) {
  const text = curl(method, path, { query, body, accept });
  return h('details', { class: 'curl' }, h('summary', null, 'As curl'),
    h(Code, { text }));
}

/** Text that may be long: truncated, with the full text on hover. @param {{ text: string, code?: boolean }} props */
export function Long({ text, code = false }) {
  return h(code ? 'code' : 'span', { class: 'long', title: text, dir: 'auto' }, text);
}

/** The status of a level by colour, icon and word. @param {{ qty: number, threshold?: number | null }} props */
export function StockBadge({ qty, threshold }) {
  const kind = stockKind(qty, threshold);
  return h(Badge, { kind, icon: kind }, STOCK_WORDS[kind]);
}

export const STOCK_WORDS = { ok: 'In stock', low: 'Low', out: 'Sold out' };

/** @returns {"ok" | "low" | "out"} */
function stockKind(/** @type {number} */ qty, /** @type {number | null | undefined} */ threshold) {
  if (qty <= 0) return 'out';
  return threshold !== undefined && threshold !== null && qty <= threshold ? 'low' : 'ok';
}

/** Announces an event to screen readers, at most once in five seconds. */
let lastSaid = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let saying;
export function say(/** @type {string} */ text) {
  clearTimeout(saying);
  saying = setTimeout(() => {
    lastSaid = Date.now();
    const region = document.getElementById('said');
    if (region) region.textContent = text;
  }, Math.max(0, lastSaid + 5000 - Date.now()));
}
