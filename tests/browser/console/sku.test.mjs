// The page of one SKU: changes with a reason, conflicts, and the level as it was.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';

const HOSTILE = '<img src=x onerror=alert(1)>';
/** What the browser writes while a node is away. */
const AWAY = ['ERR_CONNECTION_REFUSED', 'ERR_INCOMPLETE_CHUNKED_ENCODING', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE',
  'ERR_SOCKET_NOT_CONNECTED'];
/** A SKU that the catalogue does not know is 404 there, as is a threshold that a store does not have. */
const UNKNOWN = '404 (Not Found)';

let node;
before(async () => {
  node = await startConsole();
  await node.post('/catalogue/products',
    { products: ['TEA', 'COFFEE', 'CUP', 'POT', 'JUG'].map((sku) => ({ sku, name: `${sku} ${HOSTILE}`, lowStockThreshold: 5 })) });
});
after(() => node?.stop());

const level = async (sku, store = 'BERLIN') => (await node.get(`/stores/${store}/inventory/${sku}`)).body;
/** The row of a store among the levels. */
const rowOf = (page, sku, store = 'BERLIN') => page.getByRole('table',
  { name: `Levels of ${sku}` }).getByRole('row').filter({ hasText: store });
const history = (page) => page.getByRole('table', { name: 'History' });
const act = (page, name) => page.getByRole('main').getByRole('button', { name, exact: true }).click();

async function open(story, sku, { store = 'BERLIN', ...options } = {}) {
  const browser = await visit(story, node, `/sku?sku=${sku}&store=${store}`, options);
  await history(browser.page).waitFor();
  return browser;
}

describe('the page of a SKU', () => {
  test('a sale in one tab is seen in another one', async (story) => {
    await adjust(node, 'BERLIN', 'TEA', 10);
    const { page, context } = await open(story, 'TEA');
    const other = await context.newPage();
    await other.goto(`${node.url}/console/stock?q=TEA`);
    const seen = other.getByRole('row').filter({ hasText: 'BERLIN' });
    await seen.getByText('10', { exact: true }).first().waitFor();
    await page.bringToFront();
    await act(page, 'Adjust');
    const dialog = page.getByRole('dialog', { name: 'Adjust stock' });
    await dialog.getByLabel(/Change of the quantity/).fill('-6');
    await dialog.getByLabel('Reason').fill('sold at the till');
    await dialog.getByText('On hand: 10 → 4').waitFor();
    await dialog.getByRole('button', { name: 'Adjust' }).click();
    await dialog.waitFor({ state: 'detached' });
    await rowOf(page, 'TEA').getByText('Low').waitFor();
    await history(page).getByText('sold at the till').waitFor();
    await other.bringToFront();
    await seen.getByText('Low').waitFor();
    await seen.getByText('4', { exact: true }).first().waitFor();
    assert.equal(await page.locator('main img').count(), 0);
  });

  test('a change by somebody else is shown as a difference, and what was typed goes on', async (story) => {
    await adjust(node, 'BERLIN', 'COFFEE', 10);
    const { page } = await open(story, 'COFFEE');
    await page.getByText('Live', { exact: true }).waitFor();
    await act(page, 'Count');
    const dialog = page.getByRole('dialog', { name: 'Count stock' });
    await dialog.getByLabel('Counted quantity').fill('9');
    await dialog.getByLabel('Reason').fill('counted twice');
    await adjust(node, 'BERLIN', 'COFFEE', 5);
    const difference = dialog.getByRole('alert', { name: 'The level has changed' });
    await difference.getByRole('row', { name: 'On hand 10 15 +5' }).waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Record the count' }).isDisabled());
    await picture(page, 'sku-difference');
    await difference.getByRole('button', { name: 'Continue with version 2' }).click();
    await dialog.getByText('On hand: 15 → 9 (-6)').waitFor();
    await dialog.getByRole('button', { name: 'Record the count' }).click();
    await dialog.waitFor({ state: 'detached' });
    await history(page).getByText('counted twice').waitFor();
    assert.equal((await level('COFFEE')).onHand, 9);
  });

  test('a change that the page has not heard of is refused, and then shown as a difference', async (story) => {
    await adjust(node, 'BERLIN', 'CUP', 10);
    const { page } = await visit(story, node, '', { refused: ['409 (Conflict)', 'ERR_FAILED'] });
    // Without the feed, the page knows nothing of others.
    await page.route('**/events?**', (route) => route.abort());
    await page.goto(`${node.url}/console/sku?sku=CUP&store=BERLIN`);
    await act(page, 'Adjust');
    const dialog = page.getByRole('dialog', { name: 'Adjust stock' });
    await dialog.getByLabel(/Change of the quantity/).fill('-3');
    await adjust(node, 'BERLIN', 'CUP', -2);
    await dialog.getByRole('button', { name: 'Adjust' }).click();
    const difference = dialog.getByRole('alert', { name: 'The level has changed' });
    await difference.getByRole('row', { name: 'On hand 10 8 -2' }).waitFor();
    assert.equal((await level('CUP')).onHand, 8);
    await difference.getByRole('button', { name: 'Continue with version 2' }).click();
    assert.equal(await dialog.getByLabel(/Change of the quantity/).inputValue(), '-3');
    await dialog.getByRole('button', { name: 'Adjust' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal((await level('CUP')).onHand, 5);
  });

  test('pieces are reserved with a time, committed and released', async (story) => {
    await adjust(node, 'BERLIN', 'POT', 10);
    const { page } = await open(story, 'POT');
    await act(page, 'Reserve');
    const dialog = page.getByRole('dialog', { name: 'Reserve stock' });
    await dialog.getByLabel('Quantity').fill('4');
    await dialog.getByLabel('Reservation id').fill('order-1');
    await dialog.getByLabel(/Expires after/).fill('15');
    await dialog.getByRole('button', { name: 'Reserve' }).click();
    const holds = page.getByRole('region', { name: 'Open reservations' });
    await holds.getByRole('row', { name: /order-1 4 in 1[45]:\d\d/ }).waitFor();
    await picture(page, 'sku');
    await holds.getByRole('button', { name: 'Commit order-1' }).click();
    const commit = page.getByRole('dialog', { name: 'Commit a reservation' });
    await commit.getByLabel('Quantity').fill('3');
    await commit.getByRole('button', { name: 'Commit' }).click();
    await holds.getByRole('row', { name: /order-1 1 / }).waitFor();
    await holds.getByRole('button', { name: 'Release order-1' }).click();
    await page.getByRole('dialog', { name: 'Release a reservation' }).getByRole('button', { name: 'Release' }).click();
    await holds.getByText('No pieces are reserved.').waitFor();
    const { onHand, reserved } = await level('POT');
    assert.deepEqual([onHand, reserved], [7, 0]);
  });

  test('the level is shown as it was, and the address keeps the moment', async (story) => {
    for (const delta of [8, -3, -2]) await adjust(node, 'ROME', 'POT', delta);
    const { page } = await open(story, 'POT', { store: 'ROME' });
    const slider = page.getByRole('slider', { name: 'As of' });
    const numbers = page.getByRole('group', { name: 'Level at the selected time' });
    await numbers.getByText('Now').waitFor();
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    await numbers.getByText('On hand 5 (now 3)').waitFor();
    await page.keyboard.press('Home');
    await numbers.getByText('On hand 8 (now 3)').waitFor();
    await page.reload();
    await numbers.getByText('On hand 8 (now 3)').waitFor();
    await page.getByRole('img', { name: /on hand between 0 and 8, now 3 on hand and 0 reserved/ }).waitFor();
    await page.getByRole('button', { name: 'Back to now' }).click();
    await numbers.getByText('Now').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('asOf'), null);
  });

  test('a store has a threshold of its own, and loses it again', async (story) => {
    await adjust(node, 'BERLIN', 'JUG', 10);
    const { page } = await open(story, 'JUG', { refused: [UNKNOWN] });
    await rowOf(page, 'JUG').getByText('In stock').waitFor();
    await act(page, 'Threshold');
    const dialog = page.getByRole('dialog', { name: 'Low-stock threshold' });
    await dialog.getByLabel('Threshold', { exact: true }).fill('12');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await rowOf(page, 'JUG').getByText('Low').waitFor();
    await act(page, 'Threshold');
    await dialog.getByLabel(/its own threshold/).uncheck();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await rowOf(page, 'JUG').getByText('In stock').waitFor();
  });

  test('a change waits for a node that was killed, and takes effect once', async (story) => {
    const other = await startConsole();
    story.after(() => other.stop());
    await adjust(other, 'BERLIN', 'TEA', 10);
    const { page } = await visit(story, other, '/sku?sku=TEA&store=BERLIN', { refused: [...AWAY, UNKNOWN] });
    await history(page).waitFor();
    await act(page, 'Adjust');
    const dialog = page.getByRole('dialog', { name: 'Adjust stock' });
    await dialog.getByLabel(/Change of the quantity/).fill('-4');
    await other.kill();
    await dialog.getByRole('button', { name: 'Adjust' }).click();
    await dialog.getByText('Your input is kept').waitFor();
    await other.restart();
    await dialog.waitFor({ state: 'detached' });
    await adjust(other, 'BERLIN', 'TEA', 1);
    await rowOf(page, 'TEA').getByText('7', { exact: true }).first().waitFor();
    // The first row names the columns.
    await page.getByText(/^3 movements/).waitFor();
    assert.equal(await history(page).getByRole('row').count(), 4);
  });
});
