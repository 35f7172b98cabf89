// The chart of on-hand and reserved quantity over time.

import { h } from '../../vendor/preact.js';
import { useEffect, useMemo, useRef, useState } from '../../vendor/hooks.js';
import uPlot from '../../vendor/uplot.js';
import { number, time } from '../../parts/format.js';

/** @typedef {{ sequence: number, ts: string, type: string, payload: any, before: any, after: any, actor: string }} Movement */

const HEIGHT = 220;
const DAY_S = 86_400;
const MONTH_S = 28 * DAY_S;
/** The length of the line after the last movement, as a share of the history. */
const TAIL = 0.1;
const MONTH = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const SECOND = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The labels of the time axis, with the precision of its steps. */
function marks(/** @type {number[]} */ splits, /** @type {number} */ step) {
  const format = step >= MONTH_S ? MONTH : step >= DAY_S ? DAY : step >= 60 ? HOUR : SECOND;
  const texts = splits.map((seconds) => format.format(seconds * 1000));
  return texts.map((text, index) => (text === texts[index - 1] ? '' : text));
}

/** A number that changes with the theme. */
function useTheme() {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const next = () => setTurn((before) => before + 1);
    const media = matchMedia('(prefers-color-scheme: dark)');
    const observer = new MutationObserver(next);
    media.addEventListener('change', next);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      media.removeEventListener('change', next);
      observer.disconnect();
    };
  }, []);
  return turn;
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
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const moment = useRef(at);
  moment.current = at;
  const theme = useTheme();
  const points = useMemo(() => pointsOf(movements), [movements]);

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const style = getComputedStyle(document.documentElement);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color('--soft'), grid: { stroke: color('--line'), width: 1 }, ticks: { stroke: color('--line'), width: 1 },
      font: `12px ${style.fontFamily}` };
    const steps = uPlot.paths.stepped?.({ align: 1 });
    const chart = new uPlot({
      width: element.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { show: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] } },
      axes: [{ ...axis, space: 80, values: (_, splits, __, ___, step) => marks(splits, step) },
        { ...axis, size: 56, values: (_, values) => values.map((value) => (Number.isInteger(value) ? number(value) : '')) }],
      series: [
        {},
        { label: 'On hand', stroke: color('--accent'), width: 2, paths: steps, points: { show: false } },
        { label: 'Reserved', stroke: color('--low'), width: 2, dash: [6, 3], paths: steps, points: { show: false } },
      ],
      hooks: {
        draw: [(drawn) => {
          if (moment.current === null) return;
          const x = Math.round(drawn.valToPos(moment.current / 1000, 'x', true));
          const { top, height } = drawn.bbox;
          drawn.ctx.save();
          drawn.ctx.strokeStyle = color('--focus');
          drawn.ctx.lineWidth = 2 * devicePixelRatio;
          drawn.ctx.setLineDash([]);
          drawn.ctx.beginPath();
          drawn.ctx.moveTo(x, top);
          drawn.ctx.lineTo(x, top + height);
          drawn.ctx.stroke();
          drawn.ctx.restore();
        }],
      },
    }, points, element);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [theme]);
  useEffect(() => { if (plot.current && plot.current.data !== points) plot.current.setData(points); }, [points]);
  useEffect(() => plot.current?.redraw(false), [at]);

  const last = movements[movements.length - 1].after;
  const [times, onHand] = points;
  const text = `On-hand and reserved quantity from ${time(times[0] * 1000)} to ${time(times[times.length - 1] * 1000)}: `
    + `${number(movements.length)} movements, on hand between `
    + `${number(onHand.reduce((one, other) => Math.min(one, other)))} and ${number(onHand.reduce((one, other) => Math.max(one, other)))}, `
    + `now ${number(last.onHand)} on hand and ${number(last.reserved)} reserved. The table “History” lists all movements.`;
  return h('figure', { class: 'chart' },
    h('div', { ref: place, class: 'chart-place', role: 'img', 'aria-label': text }),
    h('figcaption', { class: 'soft', 'aria-hidden': 'true' },
      h('span', { class: 'legend' }, 'On hand'), h('span', { class: 'legend reserved' }, 'Reserved')));
}
