// Secrets that are shown once: the link for choosing a password, and the text of a token.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { ApiError, call, curl } from '../../api.js';
import { href } from '../../router.js';
import { Code, ProblemBox, Time } from '../../parts/basics.js';
import { Dialog } from '../../parts/form.js';

/** @typedef {import("../../api.js").Schemas} Schemas */

/** The address for a link. The link is in the fragment, which browsers do not send to servers. */
function linkAddress(/** @type {string} */ link) {
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
  return h(Dialog, { title: link ? 'Link (shown once)' : 'Link for a new password', onClose },
    h('div', { class: 'form-body' },
      link
        ? [
          h('p', { key: 'how' }, 'Send this address to ', h('b', { dir: 'auto' }, user.name ?? user.login),
            ' to choose a password. It can be used once, until ',
            h(Time, { at: link.expiresAt }), '.'),
          h(Code, { key: 'link', text: linkAddress(link.text), label: 'Link' }),
        ]
        : h('p', null, 'Creates a link for ', h('b', { dir: 'auto' }, user.name ?? user.login),
          ' to choose a new password. It can be used once, within half an hour. Password and sessions stay valid until then.'),
      error && h(ProblemBox, { error }),
      h('footer', null, h('span', { class: 'grow' }),
        link ? h('button', { type: 'button', class: 'primary', onClick: onClose }, 'Done')
          : [h('button', { type: 'button', onClick: onClose, key: 'no' }, 'Cancel'),
            h('button', { type: 'button', class: 'primary', onClick: make, disabled: busy, key: 'yes' },
              busy ? 'Creating …' : 'Create the link')])));
}

/** @param {{ token: Schemas["Token"], onClose: () => void }} props */
export function TokenDialog({ token, onClose }) {
  const example = token.token ? curl('GET', '/auth/me', { headers: { authorization: `Bearer ${token.token}` } }) : '';
  return h(Dialog, { title: token.token ? 'Token (shown once)' : 'Token issued', onClose },
    h('div', { class: 'form-body' },
      token.token
        ? [
          h('p', { key: 'how' }, 'Copy the token of ', h('b', { dir: 'auto' }, token.name ?? token.principalId),
            ' now. The node cannot show it again. It is valid until ', h(Time, { at: token.expiresAt }), '.'),
          h(Code, { key: 'token', text: token.token, label: 'Token', copy: 'Copy token' }),
          h('p', { key: 'try', class: 'above' }, 'Example:'),
          h(Code, { key: 'curl', text: example, label: 'Example', copy: 'Copy curl' }),
        ]
        : h('p', null, 'The response with the token was lost, and the node cannot show it again. Rotate the token.'),
      h('footer', null, h('span', { class: 'grow' }), h('button', { type: 'button', class: 'primary', onClick: onClose },
        token.token ? 'Done' : 'Close'))));
}
