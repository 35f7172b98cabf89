// Numbers and times as the reader's browser writes them.

const NUMBER = new Intl.NumberFormat();
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]];

/** A whole number with its separators. */
export const number = (/** @type {number} */ value) => NUMBER.format(value);

/** A number with its sign. */
export const signed = (/** @type {number} */ value) => (value > 0 ? `+${NUMBER.format(value)}` : NUMBER.format(value));

/** A time in the zone of the reader. */
export const time = (/** @type {string | number | Date} */ at) => TIME.format(new Date(at));

/** A time in UTC. */
export const utc = (/** @type {string | number | Date} */ at) => new Date(at).toISOString().replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

/** A time relative to now. */
export function relative(/** @type {string | number | Date} */ at, now = Date.now()) {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[UNITS.length - 1];
  return RELATIVE.format(Math.round(seconds / length), unit);
}

/** A word for a shell, in quotes where it needs them. */
export const shellWord = (/** @type {string} */ text) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A size in bytes. */
export function bytes(/** @type {number} */ size) {
  const power = size < 1000 ? 0 : Math.min(Math.floor(Math.log10(size) / 3), BYTE_UNITS.length - 1);
  return `${(size / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${BYTE_UNITS[power]}`;
}
