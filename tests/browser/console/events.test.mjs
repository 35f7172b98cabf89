// The page of events: what happens stands there at once, in order, and nothing is lost or shown twice.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';

const AWAY = ['ERR_CONNECTION_REFUSED', 'ERR_INCOMPLETE_CHUNKED_ENCODING', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE',
  'ERR_SOCKET_NOT_CONNECTED'];

/** The sequences of the rows that are in the document, from the top on. */
const sequences = (page) => page.locator('main table tbody tr[aria-rowindex] th').allInnerTexts()
  .then((texts) => texts.map((text) => Number(text.replaceAll(',', ''))));

/** Waits until the first row is the event with this sequence. */
const newest = (page, sequence) => page.locator('tr[aria-rowindex="2"]').getByRole('rowheader',
  { name: sequence.toLocaleString('en-GB'), exact: true }).waitFor();

describe('the page of events', () => {
  let node;
  before(async () => {
    node = await startConsole();
    await adjust(node, 'BERLIN', 'TEA', 10);
    await adjust(node, 'PARIS', 'TEA', 10);
    await adjust(node, 'BERLIN', 'CUP', 3, { reason: '<b>first</b> delivery' });
  });
  after(() => node?.stop());

  const end = async () => (await node.get('/events?limit=0')).body.end;

  test('shows what happens while it is open, the newest first, and each event whole', async (story) => {
    const { page } = await visit(story, node, '/events');
    await newest(page, await end());
    await adjust(node, 'BERLIN', 'TEA', -4, { reason: 'sale' });
    const last = await end();
    await newest(page, last);
    await picture(page, 'events');
    await page.getByRole('row', { name: /-4 on hand/ }).click();
    const dialog = page.getByRole('dialog', { name: `Event ${last}` });
    const numbers = dialog.getByRole('table', { name: 'Numbers before and after' });
    assert.deepEqual(await numbers.getByRole('row', { name: 'Sellable' }).getByRole('cell').allInnerTexts(), ['10', '6', '-4']);
    assert.deepEqual(JSON.parse(await dialog.locator('pre').first().innerText()),
      (await node.get(`/events?after=${last - 1}`)).body.items[0]);
    await dialog.getByText('As curl').click();
    assert.match(await dialog.locator('.curl pre').innerText(), new RegExp(`^curl '.*/events\\?after=${last - 1}&limit=1'$`));
    assert.match(page.url(), new RegExp(`event=${last}$`));
    await picture(page, 'event');
    await page.reload();
    await page.getByRole('dialog', { name: `Event ${last}` }).getByRole('button', { name: 'Close' }).click();
  });

  test('holds still while it is paused, counts, and shows all of it on “Continue”', async (story) => {
    const { page } = await visit(story, node, '/events');
    const before = await end();
    await newest(page, before);
    await page.getByRole('button', { name: 'Pause' }).click();
    for (let count = 0; count < 7; count += 1) await adjust(node, 'ROME', 'TEA', 1);
    await page.getByText('Paused: 7 new events').waitFor();
    assert.equal((await sequences(page))[0], before);
    await picture(page, 'events-paused');
    await page.getByRole('button', { name: 'Continue' }).click();
    await newest(page, before + 7);
    assert.deepEqual((await sequences(page)).slice(0, 8), [7, 6, 5, 4, 3, 2, 1, 0].map((more) => before + more));
  });

  test('filters by type, store and SKU, in its address, also what comes later', async (story) => {
    const { page } = await visit(story, node, '/events');
    await page.getByLabel('Store', { exact: true }).fill('BERLIN');
    await page.getByLabel('SKU', { exact: true }).fill('CUP');
    await page.getByText(/^1 event of sequences/).waitFor();
    await page.getByRole('row', { name: '<b>first</b> delivery' }).waitFor();
    assert.match(page.url(), /store=BERLIN&sku=CUP/);
    await adjust(node, 'PARIS', 'CUP', 5);
    await adjust(node, 'BERLIN', 'CUP', 5);
    const last = await end();
    await newest(page, last);
    assert.equal((await sequences(page)).length, 2);
    await page.getByLabel('Type').selectOption('RESERVE');
    await page.getByText('No event matches the filter').waitFor();
    await node.post('/stores/BERLIN/inventory/CUP/reserve', { qty: 2, reservationId: 'order-1' });
    await page.getByRole('row', { name: '2 reserved as order-1' }).waitFor();
  });

  test('looks back from a sequence, in order, and goes live again', async (story) => {
    const { page } = await visit(story, node, '/events?from=2');
    await page.getByText('oldest first').waitFor();
    assert.deepEqual((await sequences(page)).slice(0, 3), [2, 3, 4]);
    await page.getByRole('link', { name: 'Follow live' }).click();
    await newest(page, await end());
  });

  test('fits a telephone, also with an event open', async (story) => {
    const { page } = await visit(story, node, '/events', { width: 320, height: 700 });
    await page.getByRole('row', { name: 'PARIS TEA' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('table', { name: 'Numbers before and after' }).waitFor();
    await picture(page, 'event-320');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  });

  test('goes on without a gap and without a repeat when the node was killed and started again', async (story) => {
    const { page } = await visit(story, node, '/events', { refused: AWAY });
    const before = await end();
    await newest(page, before);
    await node.kill();
    await page.getByText('The node does not answer').first().waitFor();
    await node.restart();
    for (let count = 0; count < 5; count += 1) await adjust(node, 'OSLO', 'TEA', 1);
    await newest(page, before + 5);
    const shown = await sequences(page);
    assert.deepEqual(shown, Array.from({ length: before + 5 }, (_, index) => before + 5 - index));
    await page.getByText('Live', { exact: true }).waitFor();
  });
});
