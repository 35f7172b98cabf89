// What is shown once: the address by which somebody chooses a password, or the text of a token.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { ApiError, call, curl } from '../../api.js';
import { href } from '../../router.js';
import { Copy, ProblemBox, Time } from '../../parts/basics.js';
import { Dialog } from '../../parts/form.js';

/** @typedef {import("../../api.js").Schemas} Schemas */

/** The page where a link is used. The link stands behind `#`, which no server and no log sees. */
export function linkAddress(/** @type {string} */ link) {
  return `${location.origin}${href('link')}#${link}`;
}

/** @param {{ user: Schemas["User"], link: Schemas["PasswordLink"] | null, onClose: () => void }} props */
export function LinkDialog({ user, link: first, onClose }) {
  const [link, setLink] = useState(first);
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    setError(null);
    try {
      setLink((await call('POST', `/users/${user.userId}/reset`)).data.link);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return h(Dialog, { title: link ? 'The link, shown once' : 'Another password', onClose },
    h('div', { class: 'form-body' },
      link
        ? [
          h('p', { key: 'how' }, 'Give this address to ', h('b', { dir: 'auto' }, user.name ?? user.login),
            '. There they choose a password; nobody else needs to know it. It is good once, until ',
            h(Time, { at: link.expiresAt }), '.'),
          h('div', { class: 'code', key: 'link' }, h('pre', { tabIndex: 0, role: 'group', 'aria-label': 'Link' }, linkAddress(link.text)),
            h(Copy, { text: linkAddress(link.text) })),
        ]
        : h('p', null, 'A link by which ', h('b', { dir: 'auto' }, user.name ?? user.login),
          ' chooses another password, good once, for half an hour. The present password and sessions are good until it is used.'),
      error && h(ProblemBox, { error }),
      h('footer', null, h('span', { class: 'grow' }),
        link ? h('button', { type: 'button', class: 'primary', onClick: onClose }, 'I have passed it on')
          : [h('button', { type: 'button', onClick: onClose, key: 'no' }, 'Cancel'),
            h('button', { type: 'button', class: 'primary', onClick: make, disabled: busy, key: 'yes' },
              busy ? 'One moment …' : 'Make the link')])));
}

/** @param {{ token: Schemas["Token"], onClose: () => void }} props */
export function TokenDialog({ token, onClose }) {
  const example = token.token ? curl('GET', '/auth/me', { headers: { authorization: `Bearer ${token.token}` } }) : '';
  return h(Dialog, { title: token.token ? 'The token, shown once' : 'The token is issued', onClose },
    h('div', { class: 'form-body' },
      token.token
        ? [
          h('p', { key: 'how' }, 'Copy it now to where ', h('b', { dir: 'auto' }, token.name ?? token.principalId),
            ' uses it. The node keeps no copy. It is good until ', h(Time, { at: token.expiresAt }), '.'),
          h('div', { class: 'code', key: 'token' }, h('pre', { tabIndex: 0, role: 'group', 'aria-label': 'Token' }, token.token),
            h(Copy, { text: token.token, label: 'Copy token' })),
          h('p', { key: 'try', class: 'above' }, 'To try it:'),
          h('div', { class: 'code', key: 'curl' }, h('pre', { tabIndex: 0, role: 'group', 'aria-label': 'Example' }, example),
            h(Copy, { text: example, label: 'Copy curl' })),
        ]
        : h('p', null, 'The answer with its text was lost on its way, and the node does not show it again. Rotate the token to get another '
          + 'text.'),
      h('footer', null, h('span', { class: 'grow' }), h('button', { type: 'button', class: 'primary', onClick: onClose },
        token.token ? 'I have copied it' : 'Close'))));
}
