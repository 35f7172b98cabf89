// Where somebody who was invited chooses a password. It works without a session.

import { h } from '../../../vendor/preact.js';
import { useState } from '../../../vendor/hooks.js';
import { ApiError, call } from '../../../api.js';
import { go, href } from '../../../router.js';
import { me } from '../../../session.js';
import { Empty, Page, ProblemBox } from '../../../parts/basics.js';
import { Field } from '../../../parts/form.js';

const PASSWORD_MIN = 12;

export default function ChoosePassword() {
  const [link] = useState(decodeURIComponent(location.hash.slice(1)));
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
      // The link is of no use any more.
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
        ? h(Empty, { title: 'The link is missing' }, 'Open the whole address that you were given. A link that was used is used up; an '
          + 'administrator makes another one.')
        : h('form', { class: 'panel narrow', onSubmit },
          h('p', null, 'You were given this link to choose your password for Onhand. It is good once.'),
          h(Field, {
            label: 'Password', type: 'password', name: 'new-password', value: password, onInput: setPassword, required: true,
            maxLength: 256, autoComplete: 'new-password',
            autoFocus: true, hint: `${PASSWORD_MIN} characters or more, any of them. Several words are good.`,
            error: password !== '' && password.length < PASSWORD_MIN && again !== '' ? `${PASSWORD_MIN} characters or more.` : null,
          }),
          h(Field, {
            label: 'The same again', type: 'password', value: again, onInput: setAgain, required: true, autoComplete: 'new-password',
            error: differs ? 'The two are not the same.' : null,
          }),
          error && (isSpent ? h('p', { class: 'problem', role: 'alert' },
            'This link was used, or its half hour is over. Ask an administrator for another one.') : h(ProblemBox, { error })),
          h('button', { type: 'submit', class: 'primary', disabled: busy || differs || password.length < PASSWORD_MIN || again === '' },
            busy ? 'One moment …' : 'Set the password')));
}
