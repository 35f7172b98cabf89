// Highlights rows that have just changed.

import { useEffect, useMemo } from '../vendor/hooks.js';

/** The duration of the animation `flash` in base.css. */
const FLASH_MS = 1_200;

/**
 * The highlights of a table. `classOf` returns the class of a row by its key; `redraw` is called when highlights end.
 *
 * @param {() => void} redraw
 */
export function useFlash(redraw) {
  const flash = useMemo(() => {
    /** The end of each highlight. @type {Map<string | number, number>} */
    const marks = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const sweep = () => {
      timer = undefined;
      const now = performance.now();
      for (const [key, ends] of marks) if (ends <= now) marks.delete(key);
      if (marks.size > 0) timer = setTimeout(sweep, FLASH_MS);
      redraw();
    };
    return {
      mark(/** @type {Iterable<string | number>} */ keys) {
        const ends = performance.now() + FLASH_MS;
        for (const key of keys) if (!marks.has(key)) marks.set(key, ends);
        if (marks.size > 0 && timer === undefined) timer = setTimeout(sweep, FLASH_MS);
      },
      classOf: (/** @type {string | number} */ key) => (marks.has(key) ? 'flash' : ''),
      end: () => clearTimeout(timer),
    };
  }, []);
  useEffect(() => flash.end, []);
  return flash;
}
