// Events per second as a line.

import { h } from '../../vendor/preact.js';
import { number } from '../../parts/format.js';

const [WIDTH, HEIGHT] = [240, 40];

/** @typedef {{ at: number, sequence: number }} Sample */

/** The durable events per second between adjacent samples. */
function ratesOf(/** @type {Sample[]} */ samples) {
  return samples.slice(1).map(({ at, sequence }, index) =>
    Math.max(0, sequence - samples[index].sequence) / Math.max(0.001, (at - samples[index].at) / 1000));
}

/** @param {{ samples: Sample[] }} props */
export function Trend({ samples }) {
  const known = ratesOf(samples);
  const rates = known.length < 2 ? [0, known[0] ?? 0] : known;
  const highest = Math.max(...rates);
  const most = Math.max(1, highest);
  const latest = rates[rates.length - 1];
  const step = WIDTH / (rates.length - 1);
  const points = rates.map((rate, index) =>
    `${(index * step).toFixed(1)},${(HEIGHT - 2 - (rate / most) * (HEIGHT - 4)).toFixed(1)}`).join(' ');
  const text = `${number(Math.round(latest))} events/s, maximum ${number(Math.round(highest))}`;
  return h('figure', { class: 'trend' },
    h('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' },
      h('polyline', { points })),
    h('figcaption', null, text));
}
