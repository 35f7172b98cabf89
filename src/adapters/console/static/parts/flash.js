// What has just changed is marked for a moment.

import { useEffect, useMemo } from '../vendor/hooks.js';

/** As long as the animation `flash` of base.css. */
const FLASH_MS = 1_200;

/**
 * The marks of a table. `classOf` has the class of a row whose key was marked a moment ago; `redraw` is called when marks end.
 *
 * @param {() => void} redraw
 */
export function useFlash(redraw) {
  const flash = useMemo(() => {
    /** When each mark ends. @type {Map<string | number, number>} */
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
