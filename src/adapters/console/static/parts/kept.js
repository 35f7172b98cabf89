// Settings of this browser. Storage may be disabled; then they last until the page is closed.

export function kept(/** @type {string} */ name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

export function keep(/** @type {string} */ name, /** @type {string} */ value) {
  try { localStorage.setItem(name, value); } catch { /* See above. */ }
}
