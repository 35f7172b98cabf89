// Addresses of pages: `/console/<page>?<parameters>`. Each view has its own link.

import { signal } from './vendor/signals.js';
import { ROOT } from './api.js';

const HOME = new URL('console', ROOT);

/** @typedef {{ page: string, params: URLSearchParams }} Place */

/** The current page. @type {import("@preact/signals").Signal<Place>} */
export const place = signal(read());

function read() {
  // `/dashboard.html` shows the start page.
  if (!location.pathname.startsWith(HOME.pathname)) return { page: '', params: new URLSearchParams() };
  const path = location.pathname.slice(HOME.pathname.length).replace(/^\//, '');
  return { page: decoded(path.split('/')[0]), params: new URLSearchParams(location.search) };
}

/** A part of an address as text; as it is, where it is not encoded as an address should be. */
export function decoded(/** @type {string} */ part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

/** The address of a page. Empty parameters are left out. */
export function href(/** @type {string} */ page, /** @type {Record<string, string | number | null | undefined>} */ params = {}) {
  const url = new URL(page === '' ? HOME.href : `${HOME.href}/${encodeURIComponent(page)}`);
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
  }
  return url.pathname + url.search;
}

/** Opens a page. */
export function go(/** @type {string} */ address) {
  if (address !== location.pathname + location.search) history.pushState(null, '', address);
  place.value = read();
}

/** Changes parameters of this page without a new entry in the browser history, such as a filter. */
export function refine(/** @type {Record<string, string | number | null | undefined>} */ params) {
  const all = { ...Object.fromEntries(place.value.params), ...params };
  history.replaceState(null, '', href(place.value.page, all));
  place.value = read();
}

addEventListener('popstate', () => { place.value = read(); });

// A link to another page of the console does not reload the console.
document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  const inside = url.pathname === HOME.pathname || url.pathname.startsWith(`${HOME.pathname}/`);
  if (url.origin !== location.origin || !inside || url.hash !== '') return;
  event.preventDefault();
  go(url.pathname + url.search);
});
