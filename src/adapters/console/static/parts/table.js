// A virtual table: only the visible rows are in the document.

import { h } from '../vendor/preact.js';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';
import { Icon } from './basics.js';

/** Rows that are rendered above and below the visible ones. */
const MARGIN = 8;
/** The height of a row in pixels, as `--row` in base.css. */
const ROW = 36;
/** Rows that are rendered before the height of the page is known. */
const FIRST_ROWS = 40;

/**
 * @template T
 * @typedef {object} Column
 * @property {string} id
 * @property {string} title
 * @property {(row: T, index: number) => import("preact").ComponentChildren} cell
 * @property {boolean} [sortable]
 * @property {boolean} [num] Right-aligned.
 * @property {string} [width] A CSS length or a share such as `20%`; with `vw`, narrower on narrow screens.
 * @property {boolean} [wide] Hidden on narrow screens.
 * @property {boolean} [head] The header of its row.
 */

/**
 * @template T
 * @typedef {object} TableProps
 * @property {string} label What the table shows.
 * @property {Column<T>[]} columns
 * @property {number} count
 * @property {(index: number) => T} row
 * @property {(row: T, index: number) => string | number} [keyOf]
 * @property {{ by: string, descending: boolean }} [sort]
 * @property {(by: string, descending: boolean) => void} [onSort]
 * @property {(row: T) => void} [onOpen] What Enter or a click on a row does.
 * @property {(row: T) => string} [rowClass]
 * @property {() => void} [onEnd] The last row is visible: there may be more to load.
 * @property {boolean} [fit] As high as its rows, up to half a screen. Otherwise the table fills the page.
 */

// `h` cannot infer the type of the rows.
/** @param {TableProps<any>} props */
export function Table({ label, columns, count, row, keyOf, sort, onSort, onOpen, rowClass, onEnd, fit = false }) {
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const body = useRef(/** @type {HTMLTableSectionElement | null} */ (null));
  const [seen, setSeen] = useState({ first: 0, last: FIRST_ROWS });
  const [active, setActive] = useState(0);
  const toFocus = useRef(/** @type {number | null} */ (null));

  const look = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const first = Math.max(0, Math.floor(element.scrollTop / ROW) - MARGIN);
    const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW) + MARGIN;
    setSeen((before) => (before.first === first && before.last === last ? before : { first, last }));
  }, []);
  useLayoutEffect(() => {
    look();
    const observer = new ResizeObserver(look);
    if (scroller.current) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [look]);
  const last = Math.min(count, seen.last);
  const first = Math.min(seen.first, Math.max(0, last - 1));
  useEffect(() => { if (last >= count && count > 0) onEnd?.(); }, [last, count]);
  useLayoutEffect(() => {
    if (toFocus.current === null) return;
    const target = body.current?.querySelector(`[aria-rowindex="${toFocus.current + 2}"]`);
    if (target instanceof HTMLElement) {
      toFocus.current = null;
      target.focus();
    }
  });

  const move = (/** @type {number} */ to) => {
    const next = Math.max(0, Math.min(count - 1, to));
    setActive(next);
    toFocus.current = next;
    const element = scroller.current;
    if (!element) return;
    const [top, height] = [next * ROW, element.clientHeight - ROW];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + height) element.scrollTop = top + ROW - height;
    look();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? ROW) / ROW) - 2);
    // Rows may have been added above the focused one.
    const at = event.target instanceof HTMLTableRowElement ? Number(event.target.getAttribute('aria-rowindex')) - 2 : active;
    const steps = /** @type {Record<string, number>} */ ({
      j: at + 1, k: at - 1, ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page,
      Home: 0, End: count - 1,
    });
    if (event.key in steps) {
      event.preventDefault();
      move(steps[event.key]);
    } else if (event.key === 'Enter' && onOpen && event.target instanceof HTMLTableRowElement) {
      event.preventDefault();
      onOpen(row(at));
    }
  };

  const rows = [];
  for (let index = first; index < last; index += 1) {
    const item = row(index);
    rows.push(h('tr', {
      key: keyOf ? keyOf(item, index) : index, 'aria-rowindex': index + 2, tabIndex: index === active ? 0 : -1,
      class: `${rowClass?.(item) ?? ''} ${onOpen ? 'opens' : ''}`,
      onFocus: () => setActive(index),
      onClick: onOpen && ((/** @type {MouseEvent} */ event) => {
        const inside = event.target instanceof Element && event.target.closest('a, button, input, summary');
        if (!inside && String(getSelection()) === '') onOpen(item);
      }),
    }, columns.map((column) => h(column.head ? 'th' : 'td', {
      key: column.id, scope: column.head ? 'row' : undefined, class: classOf(column),
    }, column.cell(item, index)))));
  }
  const space = (/** @type {number} */ height) => height > 0 && h('tr', { class: 'space', 'aria-hidden': 'true' },
    h('td', { style: { height: `${height}px` } }));

  return h('div', { class: `table ${fit ? 'fit' : 'fill'}`, ref: scroller, onScroll: look, onKeyDown },
    h('table', { 'aria-rowcount': count + 1, 'aria-label': label },
      h('colgroup', null, columns.map((column) => h('col', { key: column.id, class: classOf(column), style: { width: column.width } }))),
      h('thead', null, h('tr', { 'aria-rowindex': 1 }, columns.map((column) => {
        const sorted = sort?.by === column.id;
        const direction = sort?.descending ? 'descending' : 'ascending';
        return h('th', {
          key: column.id, scope: 'col', class: classOf(column), 'aria-sort': column.sortable ? (sorted ? direction : 'none') : undefined,
        }, column.sortable
          ? h('button', { type: 'button', class: 'sort',
            onClick: () => onSort?.(column.id, sorted ? !sort?.descending : Boolean(column.num)) },
            column.title, sorted && h(Icon, { name: sort?.descending ? 'down' : 'up' }))
          : column.title);
      }))),
      h('tbody', { ref: body }, space(first * ROW), rows, space((count - last) * ROW))));
}

/** @param {Column<any>} column */
function classOf(column) {
  return [column.num && 'num', column.wide && 'wide'].filter(Boolean).join(' ') || undefined;
}

/** True in fields, where letters are input and not shortcuts. */
export function isTyping(/** @type {EventTarget | null} */ target) {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}
