// The page of imports: a file gives the same import as by the command line, and each row happens once.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { picture, startConsole, visit } from './console.mjs';
import { AWAY, UNKNOWN, check, choose, importByShell, importId, saved, tiles } from './importing.mjs';

/** Every trouble that a row can have, as a spreadsheet writes it. */
const DIRTY = `\ufeff${[
  'Shop;Item;Text;Qty;When;Bill',
  'Berlin Mitte;TEA;"green; ""best"" of all";5;24/12/2026 18:30;R-1',
  'PARIS;"T E A";"two\r\nlines";-2;1/2/2026 8:05;',
  '"=cmd()";;x;1;24/12/2026 18:30;',
  '???;TEA;x;1;24/12/2026 18:30;',
  'PARIS;T  EA;x;1;24/12/2026 18:30;',
  'PARIS;TEA;x;1.5;24/12/2026 18:30;',
  'PARIS;TEA;x;0;24/12/2026 18:30;',
  'PARIS;TEA;x;9007199254740992;24/12/2026 18:30;',
  'PARIS;TEA;x;1;31/02/2026 18:30;',
  'PARIS;TEA;x;1',
  'PARIS;TEA;ü;1;25/12/2026 09:00;"last, one"',
].join('\r\n')}`;

let directory;
before(async () => { directory = await mkdtemp(join(tmpdir(), 'onhand-import-')); });
after(() => rm(directory, { recursive: true, force: true }));

async function file(name, text) {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const manyRows = (count) => `store,sku,quantity\n${Array.from({ length: count }, (_, row) => `BERLIN,TEA-${row % 7},1\n`).join('')}`;

describe('the page of imports', () => {
  let node;
  before(async () => { node = await startConsole(); });
  after(() => node?.stop());

  const onHand = async (storeId) => (await node.get(`/stores/${storeId}/inventory?limit=1000`)).body.items
    .reduce((sum, level) => sum + level.onHand, 0);

  test('checks a file without a call, and refuses the rows that the command line refuses', async (story) => {
    const { page } = await visit(story, node, '/imports', { refused: [UNKNOWN] });
    const path = await file('dirty.csv', DIRTY);
    const changes = [];
    page.on('request', (request) => { if (request.method() !== 'GET') changes.push(request.url()); });
    await choose(page, path);
    for (const [label, value] of [['Store', 'Shop'], ['SKU', 'Item'], ['Quantity', 'Qty'], ['Time', ''], ['Delimiter', ';']]) {
      assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), value, label);
    }
    await page.getByLabel('Time', { exact: true }).selectOption('When');
    assert.equal(await page.getByLabel('Time format').inputValue(), '%d/%m/%Y %H:%M');
    await page.getByLabel('Reference', { exact: true }).selectOption('Bill');
    await check(page);
    await page.getByRole('button', { name: 'Import 3 rows' }).waitFor();
    assert.deepEqual(await tiles(page), { rows: '11', 'valid rows': '3', 'invalid rows': '8' });
    const preview = page.getByRole('table', { name: 'Preview' });
    assert.deepEqual(await preview.getByRole('row', { name: /T E A/ }).getByRole('cell').allInnerTexts(),
      ['PARIS', 'T E A', 'return', '2', '2026-02-01 08:05', '']);
    await preview.getByRole('cell', { name: 'Berlin-Mitte' }).waitFor();
    await page.getByRole('row', { name: /invalid-time/ }).getByText('"31/02/2026 18:30" is no time as expected').waitFor();
    await picture(page, 'imports');
    const text = await saved(page);
    assert.match(text, /invalid-sku,the SKU is blank,'=cmd\(\),/);
    const shell = await importByShell(path, '--store-column', 'Shop', '--sku-column', 'Item', '--quantity-column', 'Qty',
      '--time-column', 'When',
      '--time-format', '%d/%m/%Y %H:%M', '--reference-column', 'Bill', '--delimiter', ';', '--dry-run', '--report', '-');
    // Row and code; details of times are the words of another library, and lines of CRLF files are counted otherwise.
    const rows = (report) => report.split('\n').map((line) => line.match(/^(\d+),\d+,([a-z0-9-]+),/)?.slice(1).join(' ')).filter(Boolean);
    assert.deepEqual(rows(text), rows(shell));
    assert.equal(rows(text).length, 8);
    assert.deepEqual(changes, []);
    assert.deepEqual((await node.get('/stock/current')).body.items, []);
  });

  test('imports once: the same file again, also by the command line, is finished', async (story) => {
    const { page } = await visit(story, node, '/imports', { refused: [UNKNOWN] });
    const path = await file('sales.csv', 'Store,SKU,Quantity\nROME,TEA,4\nROME,TEA,5\nROME,TEA,-1\nROME,TEA,3\nROME,TEA,x\n');
    await choose(page, path);
    await page.getByLabel('Opening stock').fill('10');
    await check(page);
    await page.getByRole('button', { name: 'Import 4 rows' }).click();
    await page.getByText('3 rows are applied, 2 are refused.').waitFor();
    await page.getByText('the level had only 2 left at that point').waitFor();
    assert.equal(await onHand('ROME'), 2);
    assert.equal(await saved(page), 'row,line,code,detail,store,sku,quantity,time,reference\n'
      + '4,5,insufficient-stock,the level had only 2 left at that point,ROME,TEA,3,,\n'
      + '5,6,invalid-quantity,"""x"" is no whole number",ROME,TEA,x,,\n');
    const shell = await importByShell(path, '--store-column', 'Store', '--sku-column', 'SKU', '--quantity-column', 'Quantity',
      '--opening-stock', '10',
      '--server', node.url);
    assert.match(shell, new RegExp(`was imported before[^]*import +${importId(page)}\n[^]*applied +3\n[^]*refused +2\n`));
    await page.getByRole('button', { name: 'Import another file' }).click();
    await page.getByRole('heading', { name: `Import ${importId(page)}` }).waitFor();
    await choose(page, path);
    await page.getByLabel('Opening stock').fill('10');
    await check(page);
    await page.getByText('This file was imported before').waitFor();
    assert.equal(await onHand('ROME'), 2);
  });

  test('a column says what each row is', async (story) => {
    const { page } = await visit(story, node, '/imports', { refused: [UNKNOWN] });
    await choose(page,
      await file('kinds.csv', 'type\tsku\tqty\nopening\tCUP\t20\nSale\tCUP\t3\ndelivery\tCUP\t5\nreturn\tCUP\t1\nlost\tCUP\t1\n'));
    await page.getByLabel('Kind of the rows').selectOption('By a column of the file');
    await page.getByLabel('Store id').fill('OSLO');
    await check(page);
    await page.getByRole('button', { name: 'Import 4 rows' }).click();
    await page.getByText('4 rows are applied, 1 are refused.').waitFor();
    assert.equal(await onHand('OSLO'), 23);
  });

  test('names that would become one store are refused until somebody says what they mean', async (story) => {
    const { page } = await visit(story, node, '/imports', { refused: [UNKNOWN] });
    await choose(page, await file('names.csv', 'store,sku,quantity\nSão Paulo,TEA,1\nS-o Paulo,TEA,1\n'));
    await page.getByLabel('Kind of the rows').selectOption('Deliveries');
    await check(page);
    await page.getByText(/Different names would become one store.*S-o-Paulo/).waitFor();
    await page.getByLabel('Store ids of names').fill('São Paulo=SAO-PAULO\nS-o Paulo=SAO-PAULO');
    await check(page);
    await page.getByRole('button', { name: 'Import 2 rows' }).click();
    await page.getByText('2 rows are applied').waitFor();
    assert.equal(await onHand('SAO-PAULO'), 2);
  });

  test('a file that is broken leaves no trace', async (story) => {
    const { page } = await visit(story, node, '/imports');
    await choose(page, await file('open.csv', 'store,sku,quantity\nBERN,TEA,1\nBERN,"TEA,1\n'));
    await check(page);
    await page.getByText('Row 2, from line 3 on, opens a quote that is never closed').waitFor();
    await page.getByRole('button', { name: 'Choose another file' }).click();
    await choose(page, await file('empty.csv', ''));
    await page.getByText('The file is empty.').waitFor();
    assert.equal((await node.get('/stores/BERN/inventory')).body.items?.length ?? 0, 0);
  });

  test('a tab that is closed in the middle loses nothing: the same file goes on where it ended', async (story) => {
    const path = await file('closed.csv', manyRows(5_000).replaceAll('BERLIN', 'CLOSED'));
    const first = await visit(story, node, '/imports', { refused: [UNKNOWN, ...AWAY] });
    let steps = 0;
    const isHeld = new Promise((held) => first.page.route('**/imports/*/rows', (route) => {
      steps += 1;
      if (steps <= 2) route.continue();
      else {
        held();
        route.abort('connectionreset');
      }
    }));
    await choose(first.page, path);
    await first.page.getByLabel('Kind of the rows').selectOption('Deliveries');
    await check(first.page);
    await first.page.getByRole('button', { name: 'Import 5,000 rows' }).click();
    await isHeld;
    await first.page.close();
    assert.equal(await onHand('CLOSED'), 2_000);

    const { page } = await visit(story, node, '/imports');
    await choose(page, path);
    await page.getByLabel('Kind of the rows').selectOption('Deliveries');
    await check(page);
    await page.getByText('The node has the first 2,000 rows of this import').waitFor();
    await page.getByRole('button', { name: 'Continue after row 2,000' }).click();
    await page.getByText('5,000 rows are applied, 0 are refused.').waitFor();
    assert.equal(await onHand('CLOSED'), 5_000);
  });

  test('it is paused, stopped, and goes on, also while another page is shown', async (story) => {
    const { page } = await visit(story, node, '/imports', { refused: [UNKNOWN] });
    let release;
    const isHeld = new Promise((held) => page.route('**/imports/*/rows', async (route) => {
      if (route.request().postDataJSON().afterRow === 1_000 && !release) await new Promise((free) => { release = free; held(); });
      await route.continue();
    }));
    await choose(page, await file('paused.csv', manyRows(3_500).replaceAll('BERLIN', 'PAUSED')));
    await page.getByLabel('Kind of the rows').selectOption('Deliveries');
    await check(page);
    await page.getByRole('button', { name: 'Import 3,500 rows' }).click();
    await isHeld;
    await page.getByRole('button', { name: 'Pause' }).click();
    release();
    await page.getByText('2,000 of 3,500 rows · paused').waitFor();
    assert.equal(await onHand('PAUSED'), 2_000);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Continue after row 2,000' }).click();
    await page.getByRole('link', { name: 'Start', exact: true }).click();
    await page.getByRole('heading', { name: 'Start' }).waitFor();
    await page.getByRole('link', { name: 'Imports' }).click();
    await page.getByText('3,500 rows are applied, 0 are refused.').waitFor();
    assert.equal(await onHand('PAUSED'), 3_500);
  });

  test('a node that dies in the middle loses nothing and does nothing twice', async (story) => {
    const { page } = await visit(story, node, '/imports', { refused: [UNKNOWN, ...AWAY] });
    let died = 0;
    await page.route('**/imports/*/rows', async (route) => {
      if (route.request().postDataJSON().afterRow === 2_000 && died === 0) {
        died = 1;
        // The step happens, and its answer is lost.
        await route.fetch();
        await node.kill();
        await route.abort('connectionreset');
      } else await route.continue();
    });
    await choose(page, await file('died.csv', manyRows(4_000).replaceAll('BERLIN', 'DIED')));
    await page.getByLabel('Kind of the rows').selectOption('Deliveries');
    await check(page);
    await page.getByRole('button', { name: 'Import 4,000 rows' }).click();
    await page.getByText('The step is retried; no row is lost').waitFor();
    await node.restart();
    await page.getByText('4,000 rows are applied, 0 are refused.').waitFor();
    assert.equal(died, 1);
    assert.equal(await onHand('DIED'), 4_000);
  });
});
