// The audit trail: what happens stands there, newest first.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';

describe('the audit trail', () => {
  let node;
  before(async () => {
    node = await startConsole();
    await adjust(node, 'BERLIN', 'TEA', 5);
    await adjust(node, 'PARIS', 'CUP', 3);
  });
  after(() => node?.stop());

  const first = (page) => page.locator('tr[aria-rowindex="2"]');
  const rows = (page) => page.getByRole('table', { name: 'Audit trail' }).locator('tbody tr[aria-rowindex]');

  test('follows what happens, and holds still while it is paused', async (story) => {
    const { page } = await visit(story, node, '/audit?kind=inventory');
    await first(page).getByText('PARIS/CUP').waitFor();
    await adjust(node, 'ROME', 'TEA', 1);
    await first(page).getByText('ROME/TEA').waitFor();
    assert.equal(await rows(page).count(), 3);
    await page.getByRole('button', { name: 'Pause' }).click();
    await adjust(node, 'OSLO', 'TEA', 1);
    const { items } = (await node.get('/audit?kind=inventory')).body;
    assert.equal(items.length, 4);
    await page.getByText('3 rows, paused').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await first(page).getByText('OSLO/TEA').waitFor();
    assert.equal(await rows(page).count(), 4);
  });

  test('equal refusals are one row with their count and span, whole in a dialog', async (story) => {
    const guarded = await startConsole();
    await guarded.post('/users', { login: 'ada', password: 'rusty bridge in winter', grants: [{ role: 'admin' }] });
    for (let count = 0; count < 4; count += 1) assert.equal((await guarded.get('/stores')).status, 401);
    const { page } = await visit(story, guarded, '/audit', { refused: ['401 (Unauthorized)'] });
    // Hooks of a story run in their order: the browser closes first.
    story.after(() => guarded.stop());
    await page.getByLabel('Login or e-mail').fill('ada');
    await page.getByRole('dialog').getByLabel('Password').fill('rusty bridge in winter');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('tab', { name: 'Refused' }).click();
    // The node writes the first of equal refusals at once, and the others as one row later.
    const folded = rows(page).filter({ hasText: 'GET /stores' }).filter({ hasText: '× 3' });
    await folded.getByText(/in \d+ s/).waitFor();
    await folded.getByRole('button', { name: 'refused' }).click();
    const dialog = page.getByRole('dialog', { name: 'refused' });
    await dialog.getByText(/3 times, from .* to /).waitFor();
    await dialog.getByText('GET /stores').waitFor();
    await picture(page, 'audit-row');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  test('filters stand in the address, and the export has what is filtered', async (story) => {
    const { page } = await visit(story, node, '/audit');
    await page.getByLabel('Actor').fill('local');
    await page.getByLabel('Outcome').selectOption('Done');
    await page.getByLabel('Since').selectOption('the last 24 hours');
    await page.getByRole('tab', { name: 'Stock' }).click();
    await page.getByRole('searchbox', { name: 'Search' }).fill('berlin');
    await first(page).getByText('BERLIN/TEA').waitFor();
    await rows(page).filter({ hasText: 'PARIS' }).waitFor({ state: 'detached' });
    const address = new URL(page.url()).searchParams;
    assert.deepEqual(Object.fromEntries(address), { actor: 'local', outcome: 'done', since: '1440', kind: 'inventory', q: 'berlin' });
    await page.reload();
    await first(page).getByText('BERLIN/TEA').waitFor();
    assert.equal(await page.getByLabel('Actor').inputValue(), 'local');
    await picture(page, 'audit');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export as CSV' }).click()]);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    assert.match(lines[0], /^time,kind,actor,what,where,outcome/);
    assert.ok(lines.length > 2 && lines.slice(1).every((line) => line.includes(',inventory,local,')), lines.join('\n'));
    await page.getByLabel('Actor').fill('u_000000000000');
    await page.getByText('No row matches').waitFor();
  });
});
