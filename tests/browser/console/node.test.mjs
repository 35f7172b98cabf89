// The node: how it is set, and how it stands.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';

describe('the page of the node', () => {
  let node;
  before(async () => {
    node = await startConsole('--audit-keep-days', '77');
    await adjust(node, 'BERLIN', 'TEA', 5);
  });
  after(() => node?.stop());

  const fact = (page, name) => page.locator(`dt:text-is("${name}") + dd`);

  test('says what runs, and its sequence follows', async (story) => {
    const { page } = await visit(story, node, '/node');
    const { body } = await node.get('/node');
    assert.equal(await fact(page, 'Version').innerText(), `Onhand ${body.version}`);
    assert.equal(await fact(page, 'Data directory').innerText(), body.dataDir);
    assert.match(await fact(page, 'Disk').innerText(), /^[\d.]+ GB free of [\d.]+ GB \(\d+ %\)/);
    await fact(page, 'Durable sequence').getByText(String(body.durableSequence), { exact: true }).waitFor();
    await adjust(node, 'BERLIN', 'TEA', 1);
    const after_ = (await node.get('/node')).body.durableSequence;
    assert.ok(after_ > body.durableSequence);
    await fact(page, 'Durable sequence').getByText(String(after_), { exact: true }).waitFor();
    await page.getByRole('group', { name: /^Verify/ }).getByText(`onhand verify --data-dir ${body.dataDir}`, { exact: true }).waitFor();
    assert.match(await page.getByRole('group', { name: /^Backup/ }).innerText(), /log\/mark[^]*log\/\*\.jsonl[^]*archive audit/);
    await picture(page, 'node');
  });

  test('shows each setting and where it comes from', async (story) => {
    const { page } = await visit(story, node, '/node');
    const { settings } = (await node.get('/node')).body;
    await page.getByText(`${settings.length} of ${settings.length}`).waitFor();
    await page.getByLabel('Only changed settings').check();
    const table = page.getByRole('table', { name: 'Settings' });
    const kept = table.getByRole('row', { name: /AUDIT_KEEP_DAYS/ });
    assert.deepEqual((await kept.getByRole('cell').allInnerTexts()).slice(0, 2), ['77', 'flag']);
    const set = settings.filter(({ source }) => source === 'flag' || source === 'environment').map(({ name }) => name);
    assert.deepEqual(await table.getByRole('rowheader').allInnerTexts(), set);
    await page.getByRole('searchbox', { name: 'Search settings' }).fill('refused requests');
    await page.getByText(`1 of ${settings.length}`).waitFor();
    await page.reload();
    await page.getByText(`1 of ${settings.length}`).waitFor();
    await page.getByRole('button', { name: 'AUDIT_KEEP_DAYS' }).click();
    await page.getByRole('dialog', { name: 'AUDIT_KEEP_DAYS' })
      .getByText(settings.find(({ name }) => name === 'AUDIT_KEEP_DAYS').about).waitFor();
  });
});
