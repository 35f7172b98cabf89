// Downloads. A link cannot set an `Accept` header, so the file is fetched.

import { h } from '../vendor/preact.js';
import { useState } from '../vendor/hooks.js';
import { send } from '../api.js';
import { Icon, ProblemBox, say } from './basics.js';
import { Dialog } from './form.js';

/** Saves a file as a download of the browser. */
export function save(/** @type {Blob} */ content, /** @type {string} */ name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has started by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * A button that downloads a file.
 *
 * @param {{ path: string, query?: import("../api.js").Query, accept: string, name: string, label: string }} props
 */
export function Download({ path, query, accept, name, label }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const fetchFile = async () => {
    setBusy(true);
    setError(null);
    try {
      save(await (await send('GET', path, { query, accept })).blob(), name);
      say(`${name} downloaded`);
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
    } finally {
      setBusy(false);
    }
  };
  return [
    h('button', { type: 'button', onClick: fetchFile, disabled: busy }, h(Icon, { name: 'download' }), busy ? 'Fetching …' : label),
    error && h(Dialog, { title: label, onClose: () => setError(null) },
      h('div', { class: 'form-body' }, h(ProblemBox, { error, retry: fetchFile }))),
  ];
}
