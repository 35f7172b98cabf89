// The real trade history, imported in the browser and by the command line.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { picture, startConsole, visit } from './console.mjs';
import { UNKNOWN, check, choose, importByShell, importId, saved } from './importing.mjs';

const HISTORY = process.env.TRADE_HISTORY ?? '/work/shared/data/online-retail-2010-12.csv';

describe('the page of imports and the trade history', () => {
  let node;
  let other;
  let directory;
  before(async () => {
    [node, other] = [await startConsole(), await startConsole()];
    directory = await mkdtemp(join(tmpdir(), 'onhand-history-'));
  });
  after(async () => {
    await node?.stop();
    await other?.stop();
    if (directory) await rm(directory, { recursive: true });
  });

  test('the real trade history gives the import of the command line', async (story) => {
    if (!(await stat(HISTORY).catch(() => null))) {
      story.skip(`${HISTORY} is not there`);
      return;
    }
    const report = join(directory, 'refused.csv');
    const shell = await importByShell(HISTORY, '--store-column', 'Country', '--sku-column', 'StockCode', '--quantity-column', 'Quantity',
      '--time-column', 'InvoiceDate', '--time-format', '%d/%m/%Y %H:%M', '--reference-column', 'InvoiceNo', '--opening-stock', '1000',
      '--server', other.url, '--report', report);
    const { page } = await visit(story, node, '/imports', { refused: [UNKNOWN] });
    await choose(page, HISTORY);
    await page.getByLabel('Opening stock').fill('1000');
    await check(page);
    await page.getByRole('button', { name: 'Import 39,529 rows' }).click();
    await page.getByText('38,521 rows are applied, 1,008 are refused.').waitFor({ timeout: 60_000 });
    assert.ok(shell.includes(importId(page)));
    assert.equal(await saved(page), await readFile(report, 'utf8'));
    const levels = async (one) => (await one.get('/stores/United-Kingdom/inventory?limit=1000')).body.items
      .map(({ sku, onHand: pieces, version }) => [sku, pieces, version]);
    assert.deepEqual(await levels(node), await levels(other));
    await picture(page, 'imports-done');
  });
});
