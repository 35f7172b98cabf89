// The page of operations: each state in words, with what to do.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console.mjs';
import { event, startSource } from './source.mjs';

describe('the page of operations', () => {
  let source, node;
  const events = [event(1, 'ADJUST', 'BERLIN', 'TEA')];
  before(async () => {
    source = await startSource(events);
    // No pass by itself in the time of these stories.
    node = await startConsole('--source', source.url, '--sync-interval-ms', '600000', '--retry-base-ms', '1', '--breaker-cooldown-ms',
      '10');
    await node.post('/sync');
  });
  after(async () => {
    await node?.stop();
    await source?.close();
  });

  const central = (page) => page.getByRole('region', { name: 'Central model' });
  const sourceRow = (page) => central(page).getByRole('listitem').filter({ hasText: source.url });

  test('says that the node is ready, follows its log, and runs a pass', async (story) => {
    const { page } = await visit(story, node, '/operations');
    const readiness = page.getByRole('region', { name: 'Readiness' });
    await readiness.getByText('Ready', { exact: true }).waitFor();
    await adjust(node, 'ROME', 'CUP', 5);
    const { end } = (await node.get('/events?limit=0')).body;
    await readiness.getByText(`${end}`, { exact: true }).first().waitFor();
    await sourceRow(page).getByText('1 of 1').waitFor();
    events.push(event(2, 'ADJUST', 'PARIS', 'TEA'));
    await page.getByRole('button', { name: 'Run a pass' }).click();
    await central(page).getByText(/^\d events? applied to the central model, no lag\. Duration: \d+ ms\.$/).waitFor();
    await sourceRow(page).getByText('2 of 2').waitFor();
    await page.getByText('No receiver is configured').waitFor();
    assert.equal(await page.getByRole('table', { name: 'Counters since the start' }).getByRole('row').count(), 13);
    await picture(page, 'operations');
  });

  test('says in words that a source is down, and that it is well again', async (story) => {
    const { port } = source;
    await source.close();
    const { page } = await visit(story, node, '/operations');
    await page.getByRole('button', { name: 'Run a pass' }).click();
    await central(page).getByText(`Not completely read: ${source.url}.`).waitFor();
    const row = sourceRow(page).filter({ hasText: 'Failing' });
    await row.getByText('The source cannot be read. It is retried automatically').waitFor();
    await row.getByText('Reason:').waitFor();
    await picture(page, 'operations-failing');
    source = await startSource(events, port);
    await page.getByRole('button', { name: 'Run a pass' }).click();
    await sourceRow(page).getByText('OK', { exact: true }).waitFor();
  });

  test('says when the node does not answer, and goes on by itself', async (story) => {
    const { page } = await visit(story, node, '/operations', { refused: ['ERR_'] });
    const readiness = page.getByRole('region', { name: 'Readiness' });
    await readiness.getByText('Ready', { exact: true }).waitFor();
    await node.kill();
    await page.getByText('State of').waitFor();
    await node.restart();
    await page.getByText('State of').waitFor({ state: 'detached' });
    await readiness.getByText('Ready', { exact: true }).waitFor();
  });
});
