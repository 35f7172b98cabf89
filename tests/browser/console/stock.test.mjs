// The stock monitor: what it shows, how it is narrowed down, and that it follows the node.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';

const LONG = `L${'0'.repeat(62)}G`;
const HOSTILE = '<img src=x onerror=alert(1)>';
const ARABIC = 'شاي أخضر ٢٥٠ غرام';
/** What the browser writes while a node is away. */
const AWAY = ['ERR_CONNECTION_REFUSED', 'ERR_INCOMPLETE_CHUNKED_ENCODING', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE',
  'ERR_SOCKET_NOT_CONNECTED'];

let node;
before(async () => {
  node = await startConsole();
  await node.post('/catalogue/products', {
    products: [
      { sku: 'TEA', name: 'Green tea 250 g', category: 'tea', lowStockThreshold: 5 },
      { sku: 'MATE', name: 'Mate 500 g', category: 'tea' },
      { sku: 'CUP', name: HOSTILE, category: 'mugs' },
      { sku: LONG, name: ARABIC },
      { sku: 'SUM', name: '=SUM("1", 2)' },
    ],
  });
  for (const [store, sku, pieces] of [['BERLIN', 'TEA', 10], ['BERLIN', 'MATE', 3], ['PARIS', 'TEA', 4], ['PARIS', 'CUP', 7],
    ['ROME', LONG, 2], ['ROME', 'SUM', 1]]) {
    await adjust(node, store, sku, pieces);
  }
  await adjust(node, 'BERLIN', 'MATE', -3);
});
after(() => node?.stop());

/** The row of a level. */
const rowOf = (page, store,
  sku) => page.getByRole('row').filter({ hasText: store }).filter({ has: page.getByRole('rowheader', { name: sku, exact: true }) });
const tile = (page, name) => page.getByRole('group', { name: 'Levels by status' }).getByRole('button', { name });
/** The SKUs of the shown rows, in their order. */
const skus = (page) => page.getByRole('rowheader').allInnerTexts();

describe('the stock monitor', () => {
  test('a change by the API is shown without a reload, with its status and the counts', async (story) => {
    const { page } = await visit(story, node, '/stock');
    const row = rowOf(page, 'PARIS', 'CUP');
    await row.getByText('7', { exact: true }).first().waitFor();
    await tile(page, '1 Sold out').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await adjust(node, 'PARIS', 'CUP', -7);
    await row.getByText('Sold out').waitFor();
    await tile(page, '2 Sold out').waitFor();
    await adjust(node, 'PARIS', 'CUP', 7);
    await row.getByText('In stock').waitFor();
  });

  test('a level that comes to be, a threshold and a name are shown, too', async (story) => {
    const { page } = await visit(story, node, '/stock?store=OSLO');
    await page.getByText('No level matches').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await adjust(node, 'OSLO', 'NEW', 6);
    const row = rowOf(page, 'OSLO', 'NEW');
    await row.getByText('In stock').waitFor();
    await node.post('/catalogue/products', { products: [{ sku: 'NEW', name: 'Oolong', lowStockThreshold: 8 }] });
    await row.getByText('Oolong').waitFor();
    await row.getByText('Low').waitFor();
  });

  test('filters, search and order narrow the table down, and the address keeps them', async (story) => {
    const { page } = await visit(story, node, '/stock');
    await rowOf(page, 'BERLIN', 'TEA').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('tea 250');
    await page.getByText(/^2 of \d+ levels/).waitFor();
    assert.deepEqual(await skus(page), ['TEA', 'TEA']);
    await page.getByRole('button', { name: 'Sellable' }).click();
    await page.getByRole('columnheader', { name: 'Sellable' }).and(page.locator('[aria-sort=descending]')).waitFor();
    assert.match(await page.getByRole('row').nth(1).innerText(), /BERLIN/);
    await page.getByRole('button', { name: 'Sellable' }).click();
    await page.getByRole('columnheader', { name: 'Sellable' }).and(page.locator('[aria-sort=ascending]')).waitFor();
    assert.match(await page.getByRole('row').nth(1).innerText(), /PARIS/);
    await tile(page, 'Low').click();
    await page.getByText(/^1 of \d+ levels/).waitFor();
    assert.equal(await tile(page, 'Low').getAttribute('aria-pressed'), 'true');
    assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), { q: 'tea 250', sort: 'qty', status: 'low' });

    await page.reload();
    await rowOf(page, 'PARIS', 'TEA').waitFor();
    assert.equal(await page.getByRole('searchbox').inputValue(), 'tea 250');
    await page.getByRole('button', { name: 'Clear filters' }).first().click();
    await page.getByLabel('Category').selectOption('mugs');
    await page.getByText(/^1 of \d+ levels/).waitFor();
    await page.getByLabel('Category').selectOption('');
    await page.getByLabel('Store').selectOption('ROME');
    await page.getByText(/^2 of \d+ levels/).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('store'), 'ROME');
    await rowOf(page, 'ROME', 'SUM').click();
    await page.getByRole('heading', { level: 1, name: 'SUM' }).waitFor();
    await page.goBack();
    await rowOf(page, 'ROME', 'SUM').waitFor();
  });

  test('names and SKUs are text, whatever they look like', async (story) => {
    const { page } = await visit(story, node, '/stock?sort=sku');
    await rowOf(page, 'PARIS', 'CUP').getByText(HOSTILE).waitFor();
    await rowOf(page, 'ROME', LONG).getByText(ARABIC).waitFor();
    await rowOf(page, 'ROME', 'SUM').getByText('=SUM("1", 2)', { exact: true }).waitFor();
    assert.equal(await page.locator('main img').count(), 0);
    await picture(page, 'stock');
    await page.setViewportSize({ width: 320, height: 640 });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  });

  test('the table is there as a file', async (story) => {
    const { page } = await visit(story, node, '/stock');
    await rowOf(page, 'BERLIN', 'TEA').waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download CSV' }).click()]);
    assert.equal(file.suggestedFilename(), 'stock.csv');
    let text = '';
    for await (const part of await file.createReadStream()) text += part;
    assert.match(text, /^storeId,sku,name,qty,/);
    assert.match(text, /\nBERLIN,TEA,Green tea 250 g,/);
  });

  test('it goes on without a gap and without a repeat after the node was killed', async (story) => {
    const other = await startConsole();
    story.after(() => other.stop());
    await adjust(other, 'BERLIN', 'TEA', 100);
    const { page } = await visit(story, other, '/stock', { refused: AWAY });
    const row = rowOf(page, 'BERLIN', 'TEA');
    await row.waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await adjust(other, 'BERLIN', 'TEA', -1);
    await row.getByText('99', { exact: true }).first().waitFor();
    await other.kill();
    await page.getByText('The node does not answer.').first().waitFor();
    await other.restart();
    await adjust(other, 'BERLIN', 'TEA', -1);
    await adjust(other, 'ROME', 'TEA', 5);
    await row.getByText('98', { exact: true }).first().waitFor();
    await rowOf(page, 'ROME', 'TEA').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await adjust(other, 'BERLIN', 'TEA', -1);
    await row.getByText('97', { exact: true }).first().waitFor();
    await page.getByText(/^2 levels$/).waitFor();
  });

  test('a customer sees how much is for sale, and nothing more', async (story) => {
    const guarded = await startConsole();
    story.after(() => guarded.stop());
    await adjust(guarded, 'BERLIN', 'TEA', 10);
    await guarded.post('/stores/BERLIN/inventory/TEA/reserve', { qty: 4 });
    const password = 'correct horse stapled';
    await guarded.post('/users', { login: 'ada', password, grants: [{ role: 'admin' }] });
    const { accessToken } = await guarded.post('/auth/login', { login: 'ada', password });
    await guarded.post('/users', { login: 'carl', password, grants: [{ role: 'customer' }] }, { authorization: `Bearer ${accessToken}` });
    const { page } = await visit(story, guarded, '/stock', { refused: ['401 (Unauthorized)'] });
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Login or e-mail').fill('carl');
    await dialog.getByLabel('Password').fill(password);
    await dialog.getByRole('button', { name: 'Log in' }).click();
    await rowOf(page, 'BERLIN', 'TEA').getByText('6', { exact: true }).waitFor();
    assert.deepEqual(await page.getByRole('columnheader').allInnerTexts(), ['Store', 'SKU', 'Name', 'Status', 'Sellable']);
    assert.equal(await tile(page, 'Low').count(), 0);
    await rowOf(page, 'BERLIN', 'TEA').click();
    await page.getByRole('table', { name: 'Levels of TEA' }).getByRole('row', { name: 'BERLIN In stock 6' }).waitFor();
    assert.equal(await page.getByRole('main').getByRole('button').count(), 0);
  });

  test('an empty node says what to do', async (story) => {
    const empty = await startConsole();
    story.after(() => empty.stop());
    const { page } = await visit(story, empty, '/stock');
    await page.getByText('There is no stock yet').waitFor();
    await page.getByRole('link', { name: 'Import a CSV file' }).waitFor();
  });
});
