// A disk that takes nothing while a form is open, and more stores than anybody has.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';

const STORES = 10_000;

describe('a page', () => {
  test('says that the node is read-only, keeps what was typed, and the change takes effect once', async (story) => {
    const node = await startConsole('--breaker-cooldown-ms', '300');
    await adjust(node, 'BERLIN', 'TEA', 10);
    const { page } = await visit(story, node, '/sku?sku=TEA&store=BERLIN', { refused: ['503 (Service Unavailable)'] });
    story.after(() => node.stop());
    await page.getByRole('button', { name: 'Adjust', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Adjust stock' });
    await dialog.getByLabel(/Change of the quantity/).fill('-3');
    await dialog.getByLabel('Reason').fill('broken in the shop');
    node.limitFiles(1);
    await dialog.getByRole('button', { name: 'Adjust', exact: true }).click();
    await dialog.getByRole('status').filter({ hasText: 'Your input is kept' }).waitFor();
    await page.locator('.banner').filter({ hasText: 'The node is read-only' }).waitFor();
    await picture(page, 'console-read-only');
    assert.equal(await dialog.getByLabel('Reason').inputValue(), 'broken in the shop');
    node.limitFiles('unlimited');
    await dialog.waitFor({ state: 'detached' });
    await page.locator('.banner').waitFor({ state: 'detached' });
    const { body } = await node.get('/stores/BERLIN/inventory/TEA');
    assert.deepEqual([body.onHand, body.version], [7, 2]);
  });

  test(`shows a SKU in ${STORES} stores, and one of them`, async (story) => {
    const node = await startConsole();
    for (let first = 0; first < STORES; first += 5_000) {
      const rows = Array.from({ length: 5_000 }, (_, place) => ({
        row: first + place + 1, storeId: `STORE-${first + place}`, sku: 'TEA', kind: 'stock-in', quantity: 1 + ((first + place) % 9),
      }));
      await node.post('/imports/stores/rows', { afterRow: first, throughRow: first + 5_000, last: first + 5_000 === STORES, rows });
    }
    const { page } = await visit(story, node, '/stock');
    story.after(() => node.stop());
    await page.getByText('10,000 levels', { exact: true }).waitFor();
    await page.getByLabel('Store').selectOption('STORE-7777');
    await page.getByText('1 of 10,000 levels').waitFor();
    await page.getByRole('row', { name: /STORE-7777.*TEA/ }).click();
    await page.getByRole('heading', { name: 'TEA', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'STORE-0', exact: true }).waitFor();
    assert.ok((await page.locator('tbody tr').count()) < 200, 'only the seen rows are in the document');
    await page.setViewportSize({ width: 320, height: 640 });
    assert.equal(await page.evaluate(() => document.querySelector('main').scrollWidth), 320);
  });
});
