// People and tokens: the principals, their credentials and their roles.

import { h } from '../../vendor/preact.js';
import { place, refine } from '../../router.js';
import { Page } from '../../parts/basics.js';
import { Tabs } from '../../parts/tabs.js';
import { People } from './persons.js';
import { Roles } from './roles.js';
import { Tokens } from './tokens.js';

/** @type {[string, string][]} */
const TABS = [['people', 'People'], ['tokens', 'Tokens'], ['roles', 'Roles']];
const VIEWS = { people: People, tokens: Tokens, roles: Roles };

export default function PeopleAndTokens() {
  const named = place.value.params.get('tab') ?? 'people';
  const tab = /** @type {keyof typeof VIEWS} */ (Object.hasOwn(VIEWS, named) ? named : 'people');
  return h(Page, { title: 'People and tokens', about: 'People log in with a password; tills, services, nodes and teams send a token. Roles '
    + 'grant permissions to both.' },
    h(Tabs, { label: 'Access', tabs: TABS, value: tab, onChange: (id) => refine({ tab: id === 'people' ? null : id, q: null }) },
      h(VIEWS[tab], { key: tab })));
}
