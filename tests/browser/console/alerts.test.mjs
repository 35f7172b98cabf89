// The page of alerts: raised and cleared by the movements that do it, while somebody looks.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';

describe('the page of alerts', () => {
  let node;
  before(async () => {
    node = await startConsole();
  });
  after(() => node?.stop());

  test('says how a threshold is set, shows an alert as soon as a sale raises it, and clears it', async (story) => {
    const { page } = await visit(story, node, '/alerts');
    await page.getByText('No level is low').waitFor();
    await page.getByRole('link', { name: 'How thresholds and alerts work' }).waitFor();
    await node.post('/catalogue/products', { products: [{ sku: 'TEA', name: 'Green tea 250 g', lowStockThreshold: 5 }] });
    await adjust(node, 'BERLIN', 'TEA', 10);
    await adjust(node, 'PARIS', 'TEA', 10);
    await adjust(node, 'BERLIN', 'TEA', -6);
    const row = page.getByRole('table', { name: 'Alerts', exact: true }).getByRole('row', { name: 'BERLIN TEA Green tea 250 g' });
    await row.getByText('Low').waitFor();
    assert.deepEqual((await row.getByRole('cell').allInnerTexts()).slice(2, 4).map((text) => text.replace(/\s+/g, ' ')), ['Low 4', '5']);
    assert.match(await row.getByRole('link', { name: 'TEA' }).getAttribute('href'), /\/console\/sku\?sku=TEA&store=BERLIN$/);

    await adjust(node, 'BERLIN', 'TEA', -4);
    await row.getByText('Sold out').waitFor();
    await adjust(node, 'PARIS', 'TEA', -8);
    await page.getByText('2 low').waitFor();
    await picture(page, 'alerts');

    await adjust(node, 'BERLIN', 'TEA', 20);
    const cleared = page.getByRole('table', { name: 'Cleared alerts' }).getByRole('row', { name: 'BERLIN TEA Green tea 250 g' });
    await cleared.getByText('Cleared').waitFor();
    assert.match((await cleared.getByRole('cell').allInnerTexts())[2], /^Cleared\s*20$/);
    await row.waitFor({ state: 'detached' });
    await picture(page, 'alerts-cleared');
  });

  test('filters by store and SKU, in its address', async (story) => {
    await node.post('/catalogue/products', { products: [{ sku: 'CUP', name: 'Mug blue', lowStockThreshold: 2 }] });
    await adjust(node, 'ROME', 'CUP', 1);
    const { page } = await visit(story, node, '/alerts?store=ROME');
    const table = page.getByRole('table', { name: 'Alerts', exact: true });
    await table.getByRole('row', { name: 'ROME CUP Mug blue' }).waitFor();
    assert.equal(await table.getByRole('rowheader').count(), 1);
    await page.getByLabel('Store').selectOption('');
    await table.getByRole('row', { name: 'PARIS TEA' }).waitFor();
    await page.getByLabel('SKU or name').fill('mug');
    await table.getByRole('row', { name: 'PARIS TEA' }).waitFor({ state: 'detached' });
    assert.match(page.url(), /sku=mug/);
    await page.getByLabel('SKU or name').fill('nothing like it');
    await page.getByRole('button', { name: 'Show all' }).click();
    await table.getByRole('row', { name: 'PARIS TEA' }).waitFor();
  });
});
