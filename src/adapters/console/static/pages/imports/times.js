// Times of a CSV column: RFC 3339 or a strftime format. Times without an offset are UTC.

/** The formats of the form. */
export const LAYOUTS = [
  '%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M', '%d.%m.%Y %H:%M', '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M', '%d/%m/%Y %H:%M:%S', '%d.%m.%Y %H:%M:%S',
  '%Y-%m-%dT%H:%M:%S', '%Y-%m-%d', '%d/%m/%Y', '%m/%d/%Y', '%d.%m.%Y', '%s',
];

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** The pattern of each directive. @type {Record<string, string>} */
const DIRECTIVES = {
  Y: '\\d{1,4}', y: '\\d{1,2}', m: '\\d{1,2}', d: '\\d{1,2}', e: '\\d{1,2}', H: '\\d{1,2}', k: '\\d{1,2}', I: '\\d{1,2}', M: '\\d{1,2}',
  S: '\\d{1,2}',
  p: '[AaPp][Mm]', b: MONTHS.join('|'), z: '[+-]\\d\\d:?\\d\\d', s: '-?\\d+',
};
/** @type {Record<string, string>} */
const SHORT = { F: '%Y-%m-%d', T: '%H:%M:%S', R: '%H:%M', D: '%m/%d/%y', h: '%b' };

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?([Zz]|[+-]\d\d(?::?\d\d)?)$/;
const MS_MIN = new Date(0).setUTCFullYear(0, 0, 1);
const MS_MAX = new Date('9999-12-31T23:59:59.999Z').getTime();

/** @typedef {(text: string) => string | null} TimeReader Returns the time in the format of the API, or null. */

/**
 * The parser of a format; null for an invalid format. An empty format is RFC 3339.
 *
 * @returns {TimeReader | null}
 */
export function timeReader(/** @type {string} */ layout) {
  if (layout === '') return rfc3339;
  const whole = layout.replace(/%([FTRDh])/g, (_, letter) => SHORT[letter]);
  /** @type {string[]} */
  const letters = [];
  let pattern = '';
  for (let at = 0; at < whole.length; at += 1) {
    const letter = whole[at];
    if (letter !== '%') pattern += /\s/.test(letter) ? '\\s*' : letter.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    else {
      at += 1;
      if (whole[at] === '%') pattern += '%';
      else if (whole[at] in DIRECTIVES) {
        pattern += `(${DIRECTIVES[whole[at]]})`;
        letters.push(whole[at]);
      } else return null;
    }
  }
  const has = (/** @type {string} */ any) => [...any].some((letter) => letters.includes(letter));
  if (!has('s') && !(has('Yy') && has('mb') && has('de'))) return null;
  const matcher = new RegExp(`^${pattern}$`, 'i');
  return (text) => {
    const match = matcher.exec(text);
    if (!match) return null;
    const part = (/** @type {string} */ any) => {
      const index = letters.findIndex((letter) => any.includes(letter));
      return index === -1 ? undefined : match[index + 1];
    };
    const number = (/** @type {string} */ any) => Number(part(any) ?? 0);
    const seconds = part('s');
    if (seconds !== undefined) return written(Number(seconds) * 1000);
    const short = part('y');
    const year = short === undefined ? number('Y') : Number(short) + (Number(short) < 69 ? 2000 : 1900);
    const name = part('b');
    const month = name === undefined ? number('m') : MONTHS.indexOf(name.toLowerCase()) + 1;
    let hour = number('Hk');
    const twelve = part('I');
    if (twelve !== undefined) {
      if (Number(twelve) < 1 || Number(twelve) > 12) return null;
      hour = (Number(twelve) % 12) + (part('p')?.toLowerCase() === 'pm' ? 12 : 0);
    }
    return moment([year, month, number('de'), hour, number('M'), number('S'), 0], offset(part('z') ?? 'Z'));
  };
}

function rfc3339(/** @type {string} */ text) {
  const match = RFC_3339.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute = 0, second = 0, fraction = '', zone] = match;
  return moment([year, month, day, hour, minute, second, fraction.padEnd(3, '0').slice(0, 3)].map(Number), offset(zone));
}

/** Minutes before UTC. */
function offset(/** @type {string} */ zone) {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (!match) return 0;
  return (match[1] === '-' ? 1 : -1) * (Number(match[2]) * 60 + Number(match[3] ?? 0));
}

function moment(/** @type {number[]} */ [year, month, day, hour, minute, second, millisecond], /** @type {number} */ before) {
  if (hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  // A leap second is the last second of its minute.
  date.setUTCHours(hour, minute + before, 0, 0);
  return written(date.getTime() + Math.min(second, 59) * 1000 + millisecond);
}

function written(/** @type {number} */ ms) {
  return ms >= MS_MIN && ms <= MS_MAX ? new Date(ms).toISOString() : null;
}

/**
 * The format that matches most examples; '' is RFC 3339. `isUnsure` is true if day and month may be swapped.
 */
export function guessLayout(/** @type {string[]} */ examples) {
  const some = examples.filter((text) => text !== '');
  const fits = ['', ...LAYOUTS].map((layout) => {
    const reader = timeReader(layout);
    return { layout, count: some.filter((text) => reader?.(text)).length };
  });
  const most = Math.max(...fits.map(({ count }) => count));
  if (most === 0) return { layout: '', isUnsure: false };
  const best = fits.filter(({ count }) => count === most).map(({ layout }) => layout);
  return { layout: best[0], isUnsure: ['%d/%m', '%m/%d'].every((begin) => best.some((layout) => layout.startsWith(begin))) };
}
