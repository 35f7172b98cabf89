// The shell of the console: the first run, login and its end, keys, themes, narrow screens, and what all pages owe everybody.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { adjust, picture, startConsole, visit } from './console.mjs';

const STATIC = new URL('../../../src/adapters/console/static/', import.meta.url).pathname;
const README_PICTURE = new URL('../readme.png', import.meta.url).pathname;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const BUDGET = 150_000;
const PASSWORD = 'correct horse stapled';
const HOSTILE = '<img src=x onerror=alert(1)>';
const RIGHT_TO_LEFT = 'شاي أخضر ٢٥٠ غ';
const LONG = 'L'.repeat(64);

/** Addresses of every page, with what makes them show something. */
const { PAGES } = await import(join(STATIC, 'pages/list.js'));
const ORDER = 'o'.repeat(58);
const addresses = PAGES.flatMap(({ id }) => {
  if (id === 'sku') return '/sku?sku=TEA&store=BERLIN';
  if (id === 'orders') return ['/orders', '/orders?view=board'];
  if (id === 'order') return `/order?id=${ORDER}`;
  if (id === 'shipments') return '/shipments?store=BERLIN';
  return id === '' ? '' : `/${id}`;
});
const nameOf = (address) => address.replace(/\?view=/, '-').replace(/\?.*/, '').slice(1) || 'start';

/** `open` asks nobody who they are and has stock with names of all kinds. */
let open;

before(async () => {
  open = await startConsole();
  for (const [sku, name] of [['TEA', HOSTILE], ['POT', RIGHT_TO_LEFT], [LONG, 'A name '.repeat(25).trim()]]) {
    await open.post('/products', { sku, name, category: 'tea', lowStockThreshold: 5 });
    await adjust(open, 'BERLIN', sku, 10, { reason: HOSTILE });
    await adjust(open, LONG, sku, 4);
  }
  await open.post('/stores/BERLIN/inventory/TEA/reserve', { qty: 3, reservationId: 'order-77', ttlSeconds: 86_400 });
  await open.post('/stores/BERLIN/inventory/POT/adjust', { delta: -10, reason: 'sale' });
  await open.post('/orders', {
    orderId: ORDER, customerId: LONG, customer: { name: HOSTILE, email: `${LONG}@example.org` },
    shipTo: { name: RIGHT_TO_LEFT, street: LONG }, storeId: 'BERLIN', policy: { partial: 'backorder' },
    lines: [{ sku: 'TEA', qty: 2 }, { sku: LONG, qty: 1 }, { sku: 'POT', qty: 9_000_000 }],
  });
});
after(() => open?.stop());

/** The heading of the page, once it has loaded what it shows. */
async function settled(page) {
  await page.locator('main h1').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('main .loading'));
}

describe('every page', () => {
  for (const theme of ['light', 'dark']) {
    for (const width of [1440, 390]) {
      test(`has no fault that axe finds, ${theme}, ${width} px`, async (story) => {
        const { page, context } = await visit(story, open, '', { theme, width, height: width === 390 ? 844 : 900 });
        await context.addInitScript({ path: AXE });
        for (const address of addresses) {
          await page.goto(`${open.url}/console${address}`);
          await settled(page);
          const found = await page.evaluate(() => globalThis.axe.run(document, {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
          }));
          const faults = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
          assert.deepEqual(faults, [], nameOf(address));
          assert.equal(await page.locator('main img[src=x]').count(), 0, `${nameOf(address)} made markup of a name`);
          await picture(page, `console-${nameOf(address)}-${width}-${theme}`);
        }
      });
    }
  }

  test('fits into 320 px', async (story) => {
    const { page } = await visit(story, open, '', { width: 320, height: 640 });
    for (const address of addresses) {
      await page.goto(`${open.url}/console${address}`);
      await settled(page);
      const [wide, main] = await page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector('main').scrollWidth]);
      assert.deepEqual([wide, main], [320, 320], nameOf(address));
    }
  });

  test('takes at most 150 KB, all files gzipped as one', async () => {
    const files = [];
    for (const entry of await readdir(STATIC, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) files.push(await readFile(join(entry.parentPath ?? entry.path, entry.name)));
    }
    const size = gzipSync(Buffer.concat(files), { level: 9 }).length;
    assert.ok(size > 50_000 && size <= BUDGET, `${size} bytes`);
  });
});

describe('the first run', () => {
  test('a browser is led from / to the console, and loads a sample to look around in', async (story) => {
    const node = await startConsole();
    story.after(() => node.stop());
    const { page } = await visit(story, node);
    await page.goto(`${node.url}/`);
    assert.equal(new URL(page.url()).pathname, '/console');
    await page.getByRole('button', { name: 'Load the sample history' }).click();
    await page.getByRole('button', { name: 'Load it' }).click();
    await page.getByRole('button', { name: 'Look around' }).click();
    await page.getByRole('link', { name: 'Show the stock of all stores' }).click();
    await page.getByRole('cell', { name: 'Green tea 250 g' }).first().waitFor();
    const levels = await node.get('/stock/current?limit=1000');
    assert.equal(levels.body.items.length, 120, 'four stores, thirty products');
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.getByRole('row', { name: /BERLIN/ }).first().waitFor();
    if (process.env.README_PICTURE) await page.screenshot({ path: README_PICTURE });
  });

  test('at /dashboard.html it is the same', async (story) => {
    const { page } = await visit(story, open);
    await page.goto(`${open.url}/dashboard.html`);
    await page.getByRole('heading', { name: 'Start' }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Stock', exact: true }).click();
    await page.waitForURL('**/console/stock');
  });
});

describe('with people', () => {
  let node;
  before(async () => {
    node = await startConsole();
    await adjust(node, 'BERLIN', 'TEA', 10);
    await node.post('/users', { login: 'ada', password: PASSWORD, grants: [{ role: 'admin' }] });
    const { accessToken } = await node.post('/auth/login', { login: 'ada', password: PASSWORD });
    const bearer = { authorization: `Bearer ${accessToken}` };
    await node.post('/users', { login: 'eve', password: PASSWORD, grants: [{ role: 'viewer' }] }, bearer);
  });
  after(() => node?.stop());

  /** Fills the form of the login, and sends it. */
  async function logIn(page, login, password) {
    await page.getByLabel('Login or e-mail').fill(login);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  /** Opens a page that asks for a login first. */
  async function arrive(story, path = '') {
    const { openBrowser } = await import('../harness.mjs');
    const browser = await openBrowser({ allowed: [`127.0.0.1:${node.port}`] });
    story.after(async () => {
      await browser.close();
      assert.deepEqual(browser.complaints.filter((complaint) => !complaint.includes('401 (Unauthorized)')), []);
    });
    await browser.page.goto(`${node.url}/console${path}`);
    await browser.page.getByRole('dialog', { name: 'Log in to Onhand' }).waitFor();
    return browser;
  }

  test('a wrong password is said in words, the right one opens the page that was asked for', async (story) => {
    const { page } = await arrive(story, '/stock');
    await picture(page, 'console-login');
    await logIn(page, 'ada', 'something else');
    await page.getByText('Login or password is wrong.').waitFor();
    await logIn(page, 'ada', PASSWORD);
    await page.getByRole('heading', { name: 'Stock', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('dialog').waitFor();
  });

  test('a viewer is offered no page of access, and an address of one says what it needs', async (story) => {
    const { page } = await arrive(story);
    await logIn(page, 'eve', PASSWORD);
    await page.getByRole('link', { name: 'Stock', exact: true }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'People and tokens' }).count(), 0);
    await page.goto(`${node.url}/console/people`);
    await page.getByText('It needs the permission identity:read').waitFor();
  });
});

describe('by the keyboard alone', () => {
  test('a person goes from the start to a level, finds it and reads the help', async (story) => {
    const { page } = await visit(story, open);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the page');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'Stock', level: 1 }).waitFor();
    await page.getByRole('row', { name: /BERLIN.*TEA/ }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('TEA');
    await page.waitForFunction(() => document.querySelectorAll('main tbody tr:not(.space)').length === 2);
    // From the search on to the table, and down.
    for (let pressed = 0; !(await page.evaluate(() => document.activeElement.matches('tbody tr'))); pressed += 1) {
      assert.ok(pressed < 30, 'the table can be reached');
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/console/sku?sku=TEA*');
    await page.getByRole('heading', { name: /TEA/, level: 1 }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys and help' }).waitFor();
    await page.getByLabel('Single-key shortcuts').press('Space');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.keyboard.press('g');
    await page.keyboard.press('h');
    assert.match(page.url(), /sku/, 'the keys are switched off');
  });
});

describe('a page that is open', () => {
  test('keeps its theme', async (story) => {
    const { page } = await visit(story, open);
    await page.getByRole('button', { name: /^Auto theme/ }).click();
    await page.getByRole('button', { name: /^light theme/ }).click();
    await page.reload();
    await page.getByRole('button', { name: /^dark theme/ }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  });

  test('shares one stream of changes among all tabs, and another one goes on when it is closed', async (story) => {
    const { page, context } = await visit(story, open, '/stock');
    const other = await context.newPage();
    await other.goto(`${open.url}/console/stock`);
    await Promise.all([page, other].map((tab) => tab.getByText('Live', { exact: true }).waitFor()));
    const followers = async () => {
      const text = await (await fetch(`${open.url}/metrics`)).text();
      return Number(/^onhand_feed_followers (\d+)$/m.exec(text)[1]);
    };
    assert.equal(await followers(), 1);
    await page.close();
    await adjust(open, 'BERLIN', 'TEA', 1111);
    await other.getByRole('cell', { name: '1,121' }).first().waitFor();
    // The number above may have been read again before the stream stands.
    while ((await followers()) !== 1) await other.waitForTimeout(20);
  });
});
