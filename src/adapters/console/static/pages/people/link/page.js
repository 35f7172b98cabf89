// The page for choosing a password by a link. It works without a session.

import { h } from '../../../vendor/preact.js';
import { useState } from '../../../vendor/hooks.js';
import { ApiError, call } from '../../../api.js';
import { decoded, go, href } from '../../../router.js';
import { me } from '../../../session.js';
import { Empty, Page, ProblemBox } from '../../../parts/basics.js';
import { Field } from '../../../parts/form.js';
import { PASSWORD_MIN } from '../words.js';

export default function ChoosePassword() {
  const [link] = useState(decoded(location.hash.slice(1)));
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const differs = again !== '' && again !== password;
  const onSubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy || differs) return;
    setBusy(true);
    setError(null);
    try {
      await call('POST', '/auth/link', { body: { link, password }, quiet: true });
      // The link is used up.
      history.replaceState(null, '', href('link'));
      setDone(true);
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
    } finally {
      setBusy(false);
    }
  };
  const isSpent = error instanceof ApiError && error.status === 401;
  return h(Page, { title: 'Choose a password' },
    done
      ? h('div', { class: 'panel narrow' }, h('h2', null, 'The password is set'),
        h('p', null, 'Log in with your login or e-mail address and this password.'),
        h('button', { type: 'button', class: 'primary', onClick: () => go(href('')) }, me.value ? 'Go to the start' : 'Log in'))
      : link === ''
        ? h(Empty, { title: 'The link is missing' }, 'Open the complete address. A link can be used once; an administrator can create a '
          + 'new one.')
        : h('form', { class: 'panel narrow', onSubmit },
          h('p', null, 'Choose your password for Onhand. The link can be used once.'),
          h(Field, {
            label: 'Password', type: 'password', name: 'new-password', value: password, onInput: setPassword, required: true,
            maxLength: 256, autoComplete: 'new-password',
            autoFocus: true, hint: `${PASSWORD_MIN} characters or more, for example several words.`,
            error: password !== '' && password.length < PASSWORD_MIN && again !== '' ? `${PASSWORD_MIN} characters or more.` : null,
          }),
          h(Field, {
            label: 'Repeat the password', type: 'password', value: again, onInput: setAgain, required: true, autoComplete: 'new-password',
            error: differs ? 'The passwords do not match.' : null,
          }),
          error && (isSpent ? h('p', { class: 'problem', role: 'alert' },
            'The link was used or has expired. An administrator can create a new one.') : h(ProblemBox, { error })),
          h('button', { type: 'submit', class: 'primary', disabled: busy || differs || password.length < PASSWORD_MIN || again === '' },
            busy ? 'Sending …' : 'Set the password')));
}
