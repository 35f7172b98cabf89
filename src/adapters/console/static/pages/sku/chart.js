// The chart of on-hand and reserved quantity over time.

import { h } from '../../vendor/preact.js';
import { useEffect, useMemo, useRef, useState } from '../../vendor/hooks.js';
import { number, time } from '../../parts/format.js';

/** @typedef {{ sequence: number, ts: string, type: string, payload: any, before: any, after: any, actor: string }} Movement */

const HEIGHT = 220;
/** The room around the lines. */
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 8, 8, 24];
/** The room of a label. */
const [WIDE, HIGH] = [90, 36];
const [DAY_S, MONTH_S] = [86_400, 30 * 86_400];
/** The steps of the time axis in seconds. Those of days and months are as long as these are for the reader. */
const STEPS = [1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, ...[1, 2, 7, 14].map((days) => days * DAY_S),
  ...[1, 3, 6, 12, 24, 60, 120].map((months) => months * MONTH_S)];
/** The length of the line after the last movement, as a share of the history. */
const TAIL = 0.1;
const MONTH = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const SECOND = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The marks of the time axis with their labels: at most so many. @returns {[seconds: number, label: string][]} */
function marksOf(/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ most) {
  const step = STEPS.find((length) => (to - from) / length <= most) ?? STEPS[STEPS.length - 1];
  const format = step >= MONTH_S ? MONTH : step >= DAY_S ? DAY : step >= 60 ? HOUR : SECOND;
  const date = new Date(from * 1000);
  date.setHours(0, 0, 0, 0);
  if (step >= MONTH_S) date.setMonth(0, 1);
  else if (step < DAY_S) date.setSeconds(Math.floor((from - date.getTime() / 1000) / step) * step);
  /** @type {[number, string][]} */
  const marks = [];
  while (date.getTime() <= to * 1000) {
    if (date.getTime() >= from * 1000) marks.push([date.getTime() / 1000, format.format(date)]);
    if (step >= MONTH_S) date.setMonth(date.getMonth() + step / MONTH_S);
    else if (step >= DAY_S) date.setDate(date.getDate() + step / DAY_S);
    else date.setTime(date.getTime() + step * 1000);
  }
  return marks;
}

/** The marks of the axis of pieces: whole numbers. */
function countsOf(/** @type {number} */ top, /** @type {number} */ most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, top / most)));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((length) => top / length <= most) ?? 10 * power;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
}

/**
 * A line in steps. Of many points above one another, it goes through the lowest and the highest.
 *
 * @param {number[]} xs
 * @param {number[]} ys
 */
function pathOf(xs, ys) {
  let path = `M${xs[0].toFixed(1)},${ys[0].toFixed(1)}`;
  for (let index = 1; index < xs.length; ) {
    const x = xs[index].toFixed(1);
    let [low, high] = [ys[index], ys[index]];
    for (; index < xs.length && xs[index].toFixed(1) === x; index += 1) {
      low = Math.min(low, ys[index]);
      high = Math.max(high, ys[index]);
    }
    const between = low === high ? '' : `V${low.toFixed(1)}V${high.toFixed(1)}`;
    path += `H${x}${between}V${ys[index - 1].toFixed(1)}`;
  }
  return path;
}

/**
 * The time of each movement in milliseconds. An imported movement has the time when it occurred, if that matches the order of the
 * log.
 */
export function momentsOf(/** @type {Movement[]} */ movements) {
  const happened = movements.map(({ ts, payload }) => Date.parse(payload.occurredAt ?? ts));
  const isOrdered = happened.every((moment, index) => index === 0 || moment >= happened[index - 1]);
  return isOrdered ? happened : movements.map(({ ts }) => Date.parse(ts));
}

/** Times, on-hand and reserved quantities: a point before the first movement, one for each movement, and one after the last. */
function pointsOf(/** @type {Movement[]} */ movements) {
  const { before } = movements[0];
  const last = movements[movements.length - 1];
  const moments = momentsOf(movements).map((moment) => moment / 1000);
  const [begin, end] = [moments[0], moments[moments.length - 1]];
  // The line ends now, or earlier if the last movement is long ago.
  const tail = Math.max(0, Math.min(Date.now() / 1000 - end, Math.max(60, (end - begin) * TAIL)));
  const times = [begin, ...moments, end + tail];
  const values = (/** @type {"onHand" | "reserved"} */ key) => [before[key], ...movements.map(({ after }) => after[key]), last.after[key]];
  return /** @type {[number[], number[], number[]]} */ ([times, values('onHand'), values('reserved')]);
}

/**
 * @param {{ movements: Movement[], at: number | null }} props `at` is the selected time in milliseconds.
 */
export function Chart({ movements, at }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => setWidth(contentRect.width));
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const [times, onHand, reserved] = useMemo(() => pointsOf(movements), [movements]);
  const [from, to, bottom] = [times[0], times[times.length - 1], HEIGHT - BOTTOM];
  const top = useMemo(() => [...onHand, ...reserved].reduce((one, other) => Math.max(one, other), 1) * 1.08, [onHand]);
  const x = (/** @type {number} */ seconds) => LEFT + (Math.max(1, width - LEFT - RIGHT) * (seconds - from)) / Math.max(1, to - from);
  const y = (/** @type {number} */ value) => bottom - ((bottom - TOP) * value) / top;
  const lines = useMemo(() => [onHand, reserved].map((values) => pathOf(times.map(x), values.map(y))), [times, width]);

  const last = movements[movements.length - 1].after;
  const text = `On-hand and reserved quantity from ${time(times[0] * 1000)} to ${time(times[times.length - 1] * 1000)}: `
    + `${number(movements.length)} movements, on hand between `
    + `${number(onHand.reduce((one, other) => Math.min(one, other)))} and ${number(onHand.reduce((one, other) => Math.max(one, other)))}, `
    + `now ${number(last.onHand)} on hand and ${number(last.reserved)} reserved. The table “History” lists all movements.`;
  return h('figure', { class: 'chart' },
    h('div', { ref: place, class: 'chart-place', role: 'img', 'aria-label': text },
      h('svg', { width, height: HEIGHT, 'aria-hidden': 'true' },
        countsOf(top, (bottom - TOP) / HIGH).map((value) => h('g', { key: value },
          h('line', { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
          h('text', { x: LEFT - 8, y: y(value) + 4, 'text-anchor': 'end' }, number(value)))),
        marksOf(from, to, (width - LEFT - RIGHT) / WIDE).map(([seconds, label]) => h('g', { key: seconds },
          h('line', { x1: x(seconds), x2: x(seconds), y1: TOP, y2: bottom }),
          x(seconds) < width - WIDE / 3 && h('text', { x: x(seconds), y: HEIGHT - 6, 'text-anchor': 'middle' }, label))),
        lines.map((path, index) => h('path', { key: index, d: path, class: index === 0 ? undefined : 'reserved' })),
        at !== null && h('line', { class: 'at', x1: x(at / 1000), x2: x(at / 1000), y1: TOP, y2: bottom }))),
    h('figcaption', { class: 'soft', 'aria-hidden': 'true' },
      h('span', { class: 'legend' }, 'On hand'), h('span', { class: 'legend reserved' }, 'Reserved')));
}
