// The shell around each page: navigation, login, connection state, keyboard shortcuts.

import { h, render } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';
import './vendor/signals.js';
import { ApiError, ROOT } from './api.js';
import { feedState, start as startFeed } from './feed.js';
import { go, href, place } from './router.js';
import { can, canEverywhere, load, logIn, logOut, me, state } from './session.js';
import { nodeState, watch } from './status.js';
import { Icon, Loading, ProblemBox } from './parts/basics.js';
import { Check, Dialog, Field } from './parts/form.js';
import { keep, kept } from './parts/kept.js';
import { isTyping } from './parts/table.js';
import { PAGES } from './pages/list.js';

/** @typedef {import("./pages/list.js").PageEntry} PageEntry */

const KEYS_WAIT_MS = 1_500;

const shown = (/** @type {PageEntry} */ { needs, everywhere }) =>
  needs.length === 0 || needs.some((need) => (everywhere ? canEverywhere(need) : can(need)));

function App() {
  const [help, setHelp] = useState(false);
  const [menu, setMenu] = useState(false);
  const [keys, setKeys] = useState(kept('onhand.keys') !== 'off');
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const { page: id } = place.value;
  const page = PAGES.find((known) => known.id === id);
  useKeys(keys, () => setHelp(true));
  const isFirst = useRef(true);
  useEffect(() => {
    setMenu(false);
    // Screen readers continue at the new page.
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
    main.current?.scrollTo(0, 0);
  }, [id]);

  if (state.value === 'loading') return h('main', { class: 'alone' }, h(Loading, { what: 'Connecting to the node' }));
  const known = state.value !== 'setup' && (me.value !== null || state.value === 'out');
  const isFree = page?.loggedOut ?? false;
  return h('div', { class: `shell ${menu ? 'menu-open' : ''}` },
    h('a', { class: 'skip', href: '#main', onClick: (/** @type {Event} */ event) => { event.preventDefault(); main.current?.focus(); } },
      'Skip to the page'),
    h('header', { class: 'top' },
      h('button', { type: 'button', class: 'quiet menu-button', 'aria-label': 'Navigation', 'aria-expanded': menu,
        onClick: () => setMenu(!menu) }, h(Icon, { name: menu ? 'close' : 'menu' })),
      h('a', { class: 'brand', href: href('') },
        h('img', { src: new URL('icon.svg', import.meta.url).href, alt: '', width: 24, height: 24 }), 'Onhand'),
      h('span', { class: 'grow' }),
      h(Live, null),
      h(ThemeSwitch, null),
      h('button', { type: 'button', class: 'quiet', 'aria-label': 'Help', title: 'Keys and help (?)', onClick: () => setHelp(true) }, '?'),
      h(Account, null)),
    h('nav', { class: 'side', 'aria-label': 'Pages' }, me.value && h(Navigation, { id })),
    h('main', { id: 'main', ref: main, tabIndex: -1 },
      h(Banner, null),
      state.value === 'setup' && h(Setup, null),
      known && (me.value !== null || isFree) && (page && shown(page)
        ? h(PageFrame, { key: `${me.value?.principalId} ${page.id}`, page })
        : h('div', { class: 'page' }, h('h1', null, page ? 'Permission required' : 'Page not found'),
          h('p', null, page ? `It needs the permission ${page.needs.join(' or ')}. An administrator can grant it.`
            : 'The address is wrong.'),
          h('p', null, h('a', { href: href('') }, 'Go to the start'))))),
    h('div', { id: 'said', class: 'offscreen', role: 'status', 'aria-live': 'polite' }),
    state.value === 'out' && !isFree && h(Login, { again: me.value !== null && me.value.principalId !== 'local' }),
    help && h(Help, { keys, setKeys: (on) => { setKeys(on); keep('onhand.keys', on ? 'on' : 'off'); }, onClose: () => setHelp(false) }));
}

/** @param {{ id: string }} props */
function Navigation({ id }) {
  const groups = [...new Set(PAGES.map((page) => page.group))].filter((group) => group !== '');
  return groups.map((group) => {
    const pages = PAGES.filter((page) => page.group === group && shown(page));
    return pages.length > 0 && h('section', { key: group }, h('h2', null, group), h('ul', null, pages.map((page) =>
      h('li', { key: page.id }, h('a', { href: href(page.id), 'aria-current': page.id === id ? 'page' : undefined }, page.title)))));
  });
}

/** One page. Its code is loaded when it opens. @param {{ page: PageEntry }} props */
function PageFrame({ page }) {
  const [Content, setContent] = useState(/** @type {any} */ (null));
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null));
  useEffect(() => {
    page.load().then((module) => setContent(() => module.default), setFailed);
  }, [page]);
  if (failed) {
    return h('div', { class: 'page' }, h('h1', null, page.title),
      h('p', null, 'The code of this page could not be loaded. The node does not answer, or it was updated.'),
      h('button', { type: 'button', class: 'primary', onClick: () => location.reload() }, 'Reload'));
  }
  return Content ? h(Content, null) : h(Loading, null);
}

const LIVE = {
  connecting: ['plain', 'Connecting'], live: ['ok', 'Live'], waiting: ['low', 'Not live'], off: ['plain', 'Every 10 s'],
};

/** The state of the live updates. */
function Live() {
  const isAway = nodeState.value === 'away' && feedState.value === 'live';
  const [kind, word] = LIVE[isAway ? 'waiting' : feedState.value];
  return h('span', { class: `live ${kind}`, title: 'State of the live updates' },
    h('span', { class: 'dot', 'aria-hidden': 'true' }), word);
}

const BANNERS = {
  ok: '',
  away: 'The node does not answer. This page shows the last known state and reconnects automatically.',
  'read-only': 'The node is read-only: its disk is full or rejects writes. Reads work; changes wait until the disk works again.',
  draining: 'The node is shutting down. Changes wait until it has restarted.',
  busy: 'The node is not ready. Changes wait until it is.',
};

function Banner() {
  const text = BANNERS[nodeState.value];
  return h('div', { role: 'status', class: text ? `banner ${nodeState.value}` : 'offscreen' }, text && h(Icon, { name: 'low' }), text);
}

const THEMES = ['system', 'light', 'dark'];

function ThemeSwitch() {
  const [theme, setTheme] = useState(kept('onhand.theme') ?? 'system');
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  const change = () => {
    setTheme(next);
    keep('onhand.theme', next);
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
  };
  return h('button', { type: 'button', class: 'quiet', onClick: change,
    'aria-label': `${theme === 'system' ? 'Auto' : theme} theme. Change to ${next}`, title: `Theme: ${theme}` },
    theme === 'system' ? 'Auto' : h(Icon, { name: theme === 'dark' ? 'moon' : 'sun' }));
}

function Account() {
  const who = me.value;
  if (!who) return null;
  if (state.value === 'open') return h('span', { class: 'account soft',
    title: 'Until an administrator exists, every user of this machine has all permissions' }, 'no login');
  const name = /** @type {any} */ (who).name ?? /** @type {any} */ (who).login ?? who.principalId;
  return h('span', { class: 'account' }, h('span', { class: 'who', title: who.grants.map((grant) => grant.role).join(', '),
    dir: 'auto' }, name),
    h('button', { type: 'button', class: 'quiet', onClick: () => { logOut(); } }, 'Log out'));
}

/** The login form. It covers a page whose session has ended, so that the input on that page is kept. @param {{ again: boolean }} props */
function Login({ again }) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const [busy, setBusy] = useState(false);
  const onSubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await logIn(login, password);
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
      setPassword('');
    } finally {
      setBusy(false);
    }
  };
  const wrong = error instanceof ApiError && error.status === 401;
  return h(Dialog, { title: again ? 'Your session has ended' : 'Log in to Onhand' },
    h('form', { onSubmit },
      again && h('p', null, 'Log in again to continue. Your input is kept.'),
      h(Field, { label: 'Login or e-mail', name: 'username', value: login, onInput: setLogin, required: true, autoComplete: 'username',
        autoFocus: true }),
      h(Field, { label: 'Password', name: 'password', type: 'password', value: password, onInput: setPassword, required: true,
        autoComplete: 'current-password',
        error: wrong ? 'Login or password is wrong.' : null }),
      error && !wrong && h(ProblemBox, { error }),
      h('footer', null, h('a', { href: new URL('docs', ROOT).href }, 'API documentation'), h('span', { class: 'grow' }),
        h('button', { type: 'submit', class: 'primary', disabled: busy }, busy ? 'One moment …' : 'Log in'))));
}

/** The page of a node that is reachable from other machines and has no administrator yet. */
function Setup() {
  return h('div', { class: 'page' }, h('h1', null, 'This node needs its first administrator'),
    h('p', null, 'The node is reachable from other machines and rejects all requests until an administrator exists. Run on the machine of '
      + 'the node:'),
    h('pre', { class: 'code-block', tabIndex: 0 }, 'onhand user add ada --admin --data-dir <data directory>'),
    h('p', null, 'Then reload this page and log in.'),
    h('p', null, h('button', { type: 'button', class: 'primary', onClick: () => location.reload() }, 'Reload')));
}

/** @param {{ keys: boolean, setKeys: (on: boolean) => void, onClose: () => void }} props */
function Help({ keys, setKeys, onClose }) {
  /** @type {[string, string][]} */
  const rows = [['/', 'search field of the page'], ['j, k', 'next and previous row; Enter opens it'], ['?', 'this help'],
    ['Esc', 'close the dialog'],
    ...PAGES.filter((page) => page.key && shown(page)).map((page) => /** @type {[string, string]} */ ([`g ${page.key}`, page.title]))];
  return h(Dialog, { title: 'Keys and help', onClose },
    h('div', { class: 'form-body' },
      h('table', { class: 'plain' },
        h('tbody', null, rows.map(([key, what]) => h('tr', { key }, h('th', { scope: 'row' }, h('kbd', null, key)), h('td', null, what))))),
      h(Check, { label: 'Single-key shortcuts', checked: keys, onChange: setKeys }),
      h('p', null, h('a', { href: new URL('docs/guide', ROOT).href }, 'Guides'), ' · ', h('a', { href: new URL('docs', ROOT).href },
        'API'), ' · ',
        h('a', { href: new URL('problems', ROOT).href }, 'Error codes'))));
}

/** `/` focuses the search field, `?` opens the help, `g` and a letter open a page. */
function useKeys(/** @type {boolean} */ on, /** @type {() => void} */ help) {
  useEffect(() => {
    if (!on) return undefined;
    let goes = 0;
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector('dialog[open]')) return;
      if (Date.now() < goes) {
        goes = 0;
        const page = PAGES.find((known) => known.key === event.key && shown(known));
        if (page) {
          event.preventDefault();
          go(href(page.id));
        }
      } else if (event.key === 'g') goes = Date.now() + KEYS_WAIT_MS;
      else if (event.key === '?') {
        event.preventDefault();
        help();
      } else if (event.key === '/') {
        const search = document.querySelector('main input[type=search]');
        if (search instanceof HTMLInputElement) {
          event.preventDefault();
          search.focus();
          search.select();
        }
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [on]);
}

async function begin() {
  const element = document.getElementById('app');
  if (!element) return;
  // A relative address would change with the address of the page.
  const icon = document.querySelector('link[rel="icon"]');
  if (icon instanceof HTMLLinkElement) icon.href = new URL('icon.svg', import.meta.url).href;
  render(h(App, null), element);
  watch();
  for (;;) {
    try {
      await load();
      break;
    } catch {
      // The node does not answer. `watch` reports it, and the next attempt may succeed.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
  startFeed();
}

begin();
