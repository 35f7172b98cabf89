// The page of dead letters: an event that nobody can apply, redriven after a fix, or discarded with a reason.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { picture, startConsole, visit } from './console.mjs';
import { event, SOURCE, startSource } from './source.mjs';

const PASSWORD = 'correct horse stapled';

/** Logs in by the form of the console. */
async function logIn(page, login) {
  const dialog = page.getByRole('dialog', { name: 'Log in to Onhand' });
  await dialog.getByLabel('Login or e-mail').fill(login);
  await dialog.getByLabel('Password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Log in' }).click();
  await dialog.waitFor({ state: 'detached' });
}

describe('the page of dead letters', () => {
  let source, node, fresh, people;
  const events = [event(1, 'THEFT', 'BERLIN', 'TEA'), event(2, 'THEFT', 'PARIS', 'CUP')];
  before(async () => {
    source = await startSource(events);
    const follow = ['--source', source.url, '--sync-interval-ms', '600000', '--retry-base-ms', '1'];
    [node, people, fresh] = await Promise.all([startConsole(...follow), startConsole(...follow), startConsole()]);
  });
  after(async () => {
    await Promise.all([node?.stop(), people?.stop(), fresh?.stop()]);
    await source?.close();
  });

  test('says that it is good when there is none', async (story) => {
    const { page } = await visit(story, fresh, '/letters');
    await page.getByText('All events that were read are in the central model').waitFor();
    await page.getByLabel('State').selectOption('Discarded');
    await page.getByText('No letter has this state').waitFor();
  });

  test('shows why, keeps a letter open as long as it cannot be applied, and redrives it after the fix', async (story) => {
    await node.post('/sync');
    const { page } = await visit(story, node, '/letters');
    const row = page.getByRole('table', { name: 'Dead letters' }).getByRole('row', { name: 'TEA BERLIN' });
    await row.getByText('THEFT').waitFor();
    await picture(page, 'letters');
    await row.click();
    const dialog = page.getByRole('dialog', { name: 'Dead letter' });
    assert.deepEqual(JSON.parse(await dialog.locator('pre').first().innerText()), events[0]);
    assert.match(page.url(), new RegExp(`letter=${SOURCE}-1`));
    const redrive = async () => {
      await dialog.getByRole('button', { name: 'Redrive …' }).click();
      await page.getByRole('dialog', { name: 'Redrive the event' }).getByRole('button', { name: 'Redrive', exact: true }).click();
    };
    await redrive();
    await dialog.getByText(/^The event still cannot be applied/).waitFor();
    assert.equal((await node.get(`/dead-letters/${SOURCE}-1`)).body.state, 'open');

    events[0] = event(1, 'ADJUST', 'BERLIN', 'TEA');
    await redrive();
    await dialog.getByText('1 event applied to the central model.').waitFor();
    await dialog.getByText('Redriven', { exact: true }).waitFor();
    assert.equal(await dialog.getByRole('button', { name: 'Redrive …' }).count(), 0, 'what is closed is not offered again');
    await picture(page, 'letter-redriven');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await row.waitFor({ state: 'detached' });
    assert.equal((await node.get('/central/inventory/TEA')).body.total.onHand, 1);
  });

  test('offers a viewer nothing that changes anything', async (story) => {
    await people.post('/sync');
    await people.post('/users', { login: 'ada', password: PASSWORD, grants: [{ role: 'admin' }] });
    const { accessToken } = await people.post('/auth/login', { login: 'ada', password: PASSWORD });
    await people.post('/users', { login: 'vera', password: PASSWORD, grants: [{ role: 'viewer' }] },
      { authorization: `Bearer ${accessToken}` });
    const { page } = await visit(story, people, `/letters?letter=${SOURCE}-2`, { refused: ['401 (Unauthorized)'] });
    await logIn(page, 'vera');
    const dialog = page.getByRole('dialog', { name: 'Dead letter' });
    await dialog.getByText('THEFT').first().waitFor();
    assert.equal(await dialog.getByRole('button', { name: /Redrive|Discard/ }).count(), 0);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.goto(`${people.url}/console/operations`);
    await page.getByRole('region', { name: 'Central model' }).getByText('this node').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Run a pass' }).count(), 0);
    await page.getByRole('button', { name: 'Log out' }).click();
    await logIn(page, 'ada');
    await page.getByRole('button', { name: 'Run a pass' }).waitFor();
  });

  test('discards one for good with a reason, which stays on file', async (story) => {
    const { page } = await visit(story, node, `/letters?letter=${SOURCE}-2`);
    const dialog = page.getByRole('dialog', { name: 'Dead letter' });
    await dialog.getByRole('button', { name: 'Discard …' }).click();
    const discard = page.getByRole('dialog', { name: 'Discard the event' });
    const button = discard.getByRole('button', { name: 'Discard', exact: true });
    assert.ok(await button.isDisabled(), 'there must be a reason');
    await discard.getByLabel('Reason').fill('entered twice, see 2026/114');
    await discard.getByText('As curl').click();
    assert.match(await discard.locator('.curl pre').innerText(), /^curl -X DELETE '.*-2\?reason=entered\+twice/);
    await button.click();
    await dialog.getByText(/^The event is discarded/).waitFor();
    await dialog.getByText('entered twice, see 2026/114').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText('No dead letter is open').waitFor();
    await page.getByLabel('State').selectOption('Discarded');
    await page.getByRole('row', { name: 'PARIS' }).waitFor();
    const { state, note } = (await node.get(`/dead-letters/${SOURCE}-2`)).body;
    assert.deepEqual({ state, note }, { state: 'discarded', note: 'entered twice, see 2026/114' });
  });
});
