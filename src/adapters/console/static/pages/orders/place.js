// Placing an order by hand, with the plan of its lines beside it.

import { h } from '../../vendor/preact.js';
import { useState } from '../../vendor/hooks.js';
import { call } from '../../api.js';
import { go, href } from '../../router.js';
import { canSomewhere } from '../../session.js';
import { Badge, Icon, Loading, ProblemBox } from '../../parts/basics.js';
import { ChangeDialog, Field } from '../../parts/form.js';
import { number } from '../../parts/format.js';
import { useLoad } from '../../parts/load.js';
import { listed } from '../../parts/orders.js';

/** @typedef {import("../../api.js").Schemas["Plan"]} Plan */
/** @typedef {{ sku: string, qty: number }} Line */

const TYPING_MS = 300;
/** What becomes of missing pieces. @type {[string, string][]} */
const PARTIAL = [['refuse', 'Refuse the order'], ['backorder', 'Let them wait for stock'], ['cancel-rest', 'Cancel them']];
/** @type {[string, string][]} */
const STOCK = [['hold', 'Now'], ['none', 'When it is confirmed']];
/** @type {[string, string][]} */
const CONFIRM = [['hand', 'By hand'], ['auto', 'Now']];
/** The fields of the customer and of the address. @type {[path: string, label: string][]} */
const PERSONAL = [['customer.name', 'Name'], ['customer.email', 'E-mail'], ['shipTo.street', 'Street'],
  ['shipTo.postalCode', 'Postal code'], ['shipTo.city', 'City'], ['shipTo.country', 'Country']];

/** @param {{ onClose: () => void }} props */
export function PlaceDialog({ onClose }) {
  const [lines, setLines] = useState([{ id: 0, sku: '', qty: '1' }]);
  const [given, setGiven] = useState(/** @type {Record<string, string>} */ ({}));
  const isOwn = !canSomewhere('orders:place');
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => setGiven({ ...given, [name]: value });
  const change = (/** @type {number} */ id, /** @type {object} */ by) =>
    setLines(lines.map((line) => (line.id === id ? { ...line, ...by } : line)));
  const isCount = (/** @type {string} */ qty) => /^[1-9]\d{0,14}$/.test(qty.trim());
  const good = lines.filter(({ sku, qty }) => sku.trim() !== '' && isCount(qty))
    .map(({ sku, qty }) => ({ sku: sku.trim(), qty: Number(qty) }));
  const of = (/** @type {string} */ part) => {
    const members = PERSONAL.filter(([path]) => path.startsWith(part) && given[path]?.trim())
      .map(([path]) => [path.slice(part.length), given[path].trim()]);
    return members.length > 0 ? Object.fromEntries(members) : undefined;
  };
  const shipTo = of('shipTo.');
  const policy = { partial: given.partial ?? 'refuse', stock: given.stock ?? 'hold', confirm: given.confirm ?? 'hand' };
  return h(ChangeDialog, {
    title: 'Place an order', submit: 'Place the order', said: 'The order is placed', wide: true, onClose,
    onDone: ({ data }) => go(href('order', { id: data.orderId })), valid: good.length === lines.length,
    request: () => ({ method: 'POST', path: '/orders', body: {
      lines: good, customerId: given.customerId?.trim() || undefined, customer: of('customer.'),
      shipTo: shipTo && { name: given['customer.name']?.trim() || undefined, ...shipTo }, policy,
    } }),
  },
  h('div', { class: 'panels' },
    h('fieldset', { class: 'bare' }, h('legend', { class: 'offscreen' }, 'Lines'),
      lines.map(({ id, sku, qty }, index) => h('div', { key: id, class: 'grant' },
        h(Field, { label: 'SKU', value: sku, onInput: (value) => change(id, { sku: value }), required: true, maxLength: 64,
          autoComplete: 'off', autoFocus: index === lines.length - 1 }),
        h(Field, { label: 'Quantity', value: qty, onInput: (value) => change(id, { qty: value }), inputMode: 'numeric', autoComplete: 'off',
          error: isCount(qty) ? null : 'A whole number above 0.' }),
        lines.length > 1 && h('button', { type: 'button', class: 'quiet', 'aria-label': `Remove line ${index + 1}`,
          onClick: () => setLines(lines.filter((line) => line.id !== id)) }, h(Icon, { name: 'close' })))),
      h('button', { type: 'button', onClick: () => setLines([...lines, { id: lines[lines.length - 1].id + 1, sku: '', qty: '1' }]) },
        h(Icon, { name: 'plus' }), 'Add a line')),
    !isOwn && h('section', { class: 'panel', 'aria-label': 'Dry run' }, h('h2', null, 'Dry run'),
      good.length === 0 ? h('p', { class: 'soft' }, 'Shows which stores would send what. Nothing is changed and nothing is held.')
        : h(DryRun, { lines: good, policy }))),
  h('div', { class: 'fields above' },
    [...PERSONAL, ...(isOwn ? [] : [['customerId', 'Customer id']])].map(([path, label]) => h(Field, {
      key: path, label, value: given[path] ?? '', onInput: set(path), maxLength: 64, autoComplete: 'off',
    }))),
  h('div', { class: 'fields' },
    h(Field, { label: 'If pieces are missing', value: policy.partial, options: PARTIAL, onInput: set('partial') }),
    h(Field, { label: 'Stores hold the stock', value: policy.stock, options: STOCK, onInput: set('stock') }),
    h(Field, { label: 'Confirm', value: policy.confirm, options: CONFIRM, onInput: set('confirm') })));
}

const CONSEQUENCE = /** @type {Record<string, string>} */ ({
  refuse: 'The order would be refused.', backorder: 'The missing pieces would wait for stock.',
  'cancel-rest': 'The missing pieces would be cancelled.',
});
const LEFT_OUT = /** @type {Record<string, string>} */ ({
  closed: 'is closed', excluded: 'is excluded by the rules', 'nothing-to-give': 'has none of it',
});
/** Why a store comes behind the chosen one, by the rule that tells them apart. */
const BEHIND = ['does not have everything', 'has a lower priority', 'would keep fewer pieces afterwards'];

/** @param {{ lines: Line[], policy: { partial: string, stock: string } }} props */
function DryRun({ lines, policy }) {
  const body = JSON.stringify({ lines });
  const { data, error, reload } = useLoad(async (signal) => {
    await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
    signal.throwIfAborted();
    return /** @type {Plan} */ ((await call('POST', '/orders/plan', { body, signal })).data);
  }, [body]);
  if (error) return h(ProblemBox, { error, retry: reload });
  if (!data) return h(Loading, null);
  const { parts, asked, complete, stores } = data;
  const best = stores.find(({ chosen }) => chosen);
  const others = stores.filter(({ chosen }) => !chosen);
  const why = (/** @type {Plan["stores"][number]} */ { leftOut, levels, ranks }) => {
    if (leftOut) return LEFT_OUT[leftOut];
    const lacks = listed(levels.map(({ sku, missing }) => ({ sku, qty: missing })));
    if (lacks !== '') return `lacks ${lacks}`;
    const rule = ranks.findIndex((rank, index) => rank !== best?.ranks[index]);
    return BEHIND[rule] ?? 'comes later by its id';
  };
  return [
    h('p', { key: 'sum', role: 'status' }, complete ? h(Badge, { kind: 'ok', icon: 'ok' }, 'Everything is there')
      : h(Badge, { kind: 'low', icon: 'low' }, 'Pieces are missing'),
    ` ${policy.stock === 'none' ? 'No stock is held until the order is confirmed.' : complete ? '' : CONSEQUENCE[policy.partial]}`),
    h('ul', { key: 'plan', class: 'links' },
      parts.map((part) => h('li', { key: part.storeId }, h('b', null, part.storeId),
        ` ${complete || policy.partial !== 'refuse' ? 'sends' : 'has'} ${listed(part.lines)}`)),
      asked.filter(({ short }) => short > 0).map(({ sku, qty, short }) =>
        h('li', { key: `-${sku}` }, h('b', null, sku), `: ${number(short)} of ${number(qty)} missing`))),
    others.length > 0 && h('details', { key: 'others', class: 'more above' }, h('summary', null, 'Why not other stores'),
      h('ul', { class: 'links' }, others.map((store) => h('li', { key: store.storeId }, h('b', null, store.storeId), ` ${why(store)}`)))),
  ];
}
