// People and tokens: an administrator lets others in, and each sees what they may do.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { picture, startConsole, visit } from './console.mjs';

const PASSWORD = 'rusty bridge in winter';
const UNAUTHORIZED = '401 (Unauthorized)';

const openDialog = (page, name) => page.getByRole('dialog', { name });

/** Logs in by the dialog. */
async function logIn(page, login, password = PASSWORD) {
  await page.getByLabel('Login or e-mail').fill(login);
  await page.getByRole('dialog').getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel('Login or e-mail').waitFor({ state: 'detached' });
}

describe('people and tokens', () => {
  let node;
  let authorization;
  before(async () => { node = await startConsole(); });
  after(() => node?.stop());

  /** What an administrator does past the browser. */
  async function asAdmin(method, path, body) {
    const answer = await fetch(node.url + path, {
      method, headers: { authorization, 'content-type': 'application/json' }, body: body && JSON.stringify(body),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.json();
  }
  const addUser = (login, grants) => asAdmin('POST', '/users', { login, password: PASSWORD, grants });

  test('the first administrator is added here, and everybody logs in from then on', async (story) => {
    const { page } = await visit(story, node, '/people', { refused: [UNAUTHORIZED] });
    await page.getByText('There are no people yet').waitFor();
    await page.getByRole('button', { name: 'Add the first administrator' }).click();
    const dialog = openDialog(page, 'The first administrator');
    await dialog.getByLabel('Login', { exact: true }).fill('ada');
    assert.ok(await dialog.getByRole('button', { name: 'Add', exact: true }).isDisabled());
    await dialog.getByLabel('Password').fill(PASSWORD);
    await dialog.getByText('As curl').click();
    await dialog.getByText('"password":"***"').waitFor();
    assert.equal((await page.locator('html').textContent()).includes(PASSWORD), false, 'the typed password is in no text of the page');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await openDialog(page, 'Log in to Onhand').waitFor();
    await page.getByLabel('Login or e-mail').fill('ada');
    await page.getByRole('dialog').getByLabel('Password').fill('not the password at all');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Login or password is wrong.').waitFor();
    await logIn(page, 'ada');
    const row = page.getByRole('row', { name: /ada/ });
    await row.getByText('you').waitFor();
    await row.getByRole('cell', { name: 'admin', exact: true }).waitFor();
    const answer = await fetch(`${node.url}/auth/login`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ login: 'ada', password: PASSWORD }),
    });
    authorization = `Bearer ${(await answer.json()).accessToken}`;
  });

  test('somebody is invited, chooses a password by the link, and sees only what the role allows', async (story) => {
    const admin = (await visit(story, node, '/people', { refused: [UNAUTHORIZED] })).page;
    await logIn(admin, 'ada');
    await admin.getByRole('button', { name: 'Invite' }).click();
    const dialog = openDialog(admin, 'Invite');
    await dialog.getByLabel('Login', { exact: true }).fill('otto');
    await dialog.getByLabel('Name').fill('Otto <b>O.</b>');
    await dialog.getByLabel('Role').selectOption('viewer');
    await dialog.getByRole('button', { name: 'Invite' }).click();
    const link = await admin.getByRole('group', { name: 'Link' }).innerText();
    await picture(admin, 'people-link');
    await admin.getByRole('button', { name: 'Done', exact: true }).click();
    await admin.getByRole('row', { name: /otto/ }).getByText('Invited').waitFor();

    const { page } = await visit(story, node, '', { refused: [UNAUTHORIZED] });
    await openDialog(page, 'Log in to Onhand').waitFor();
    await page.goto(link);
    await page.reload();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Repeat the password').fill('rusty bridge in sommer');
    await page.getByText('The passwords do not match.').waitFor();
    await page.getByLabel('Repeat the password').fill(PASSWORD);
    await picture(page, 'people-password');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('The password is set').waitFor();
    assert.ok(!page.url().includes('ohl_'), page.url());
    await page.getByRole('button', { name: 'Log in' }).click();
    await logIn(page, 'otto');
    await page.getByRole('link', { name: 'Stock' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'People and tokens' }).count(), 0);

    // No role may read identities without changing them, so this is a single permission.
    const otto = (await asAdmin('GET', '/users?login=otto')).items[0];
    await asAdmin('PUT', `/users/${otto.userId}/grants`, { grants: [...otto.grants, { permission: 'identity:read' }] });
    await page.reload();
    await page.getByRole('link', { name: 'People and tokens' }).click();
    await page.getByRole('button', { name: 'otto' }).click();
    const own = openDialog(page, 'otto');
    assert.deepEqual(await own.getByRole('button').allInnerTexts(), ['']);
    await own.getByRole('button', { name: 'Close' }).click();
    assert.equal(await page.getByRole('button', { name: 'Invite' }).count(), 0);
    await page.getByRole('tab', { name: 'Tokens' }).click();
    await page.getByText('There are no tokens yet').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Issue a token' }).count(), 0);
    await page.getByRole('tab', { name: 'Roles' }).click();
    await page.getByRole('rowheader', { name: 'identity:manage' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /Switch to/ }).count(), 0);

    await page.goto(link);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Repeat the password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('The link was used').waitFor();
    await admin.getByRole('row', { name: /otto/ }).getByText('Active').waitFor();
  });

  test('a token is shown once, works, is rotated, and ends when it is revoked', async (story) => {
    const { page } = await visit(story, node, '/people?tab=tokens', { refused: [UNAUTHORIZED] });
    await logIn(page, 'ada');
    const works = async (text) => (await fetch(`${node.url}/auth/me`, { headers: { authorization: `Bearer ${text}` } })).status;
    await page.getByRole('button', { name: 'Issue a token' }).click();
    const dialog = openDialog(page, 'Issue a token');
    await dialog.getByLabel('Name').fill('till-3');
    assert.ok(await dialog.getByRole('button', { name: 'Issue', exact: true }).isDisabled());
    await dialog.getByLabel('In these stores').fill('BERLIN, PARIS');
    await dialog.getByLabel('Valid for').selectOption('7 days');
    await dialog.getByRole('button', { name: 'Issue', exact: true }).click();
    const shown = page.getByRole('group', { name: 'Token' });
    const first = await shown.innerText();
    assert.ok((await page.getByRole('group', { name: 'Example' }).innerText()).includes(`authorization: Bearer ${first}`));
    await page.getByRole('button', { name: 'Done', exact: true }).click();
    assert.ok(!(await page.content()).includes(first));
    assert.equal(await works(first), 200);
    await page.getByRole('row', { name: /till-3/ }).getByText(/Expires in/).waitFor();
    await picture(page, 'tokens');

    await page.getByRole('button', { name: 'till-3' }).click();
    await page.getByRole('button', { name: 'Rotate' }).click();
    await openDialog(page, 'Rotate till-3').getByLabel('Old token expires').selectOption('immediately');
    await openDialog(page, 'Rotate till-3').getByRole('button', { name: 'Rotate' }).click();
    const second = await shown.innerText();
    await page.getByRole('button', { name: 'Done', exact: true }).click();
    assert.notEqual(second, first);
    assert.deepEqual([await works(first), await works(second)], [401, 200]);

    const id = second.split('_')[1];
    await page.getByRole('searchbox', { name: 'Search' }).fill(id);
    await page.getByRole('button', { name: 'till-3' }).click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await openDialog(page, 'Revoke till-3').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('No token matches').waitFor();
    assert.equal(await works(second), 401);
    await page.getByLabel('Show revoked tokens').check();
    await page.getByRole('row', { name: id }).getByText('Revoked').waitFor();
  });

  test('refusals are explained: a login that is taken, the last administrator, somebody else was faster', async (story) => {
    const bob = await addUser('bob', [{ role: 'viewer' }]);
    const { page } = await visit(story, node, '/people', { refused: [UNAUTHORIZED, '409 (Conflict)'] });
    await logIn(page, 'ada');
    const act = async (login, button) => {
      await page.getByRole('button', { name: login, exact: true }).click();
      await openDialog(page, login).getByRole('button', { name: button }).click();
    };
    await page.getByRole('button', { name: 'Invite' }).click();
    await openDialog(page, 'Invite').getByLabel('Login', { exact: true }).fill('BOB');
    await openDialog(page, 'Invite').getByLabel('Role').selectOption('viewer');
    await openDialog(page, 'Invite').getByRole('button', { name: 'Invite' }).click();
    await page.getByText('Another person has this login or e-mail address.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();

    await act('ada', 'Disable');
    await openDialog(page, 'Disable ada').getByRole('button', { name: 'Disable' }).click();
    await page.getByText('This is the last administrator who can log in.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();

    await act('bob', 'Change roles');
    const grants = openDialog(page, 'Roles of bob');
    await grants.getByLabel('Role').selectOption('manager');
    await grants.getByLabel('In these stores').fill('ROME VIENNA');
    await asAdmin('PATCH', `/users/${bob.userId}`, { name: 'Bob' });
    await grants.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Another user has changed this entry.').waitFor();
    assert.equal(await grants.getByLabel('In these stores').inputValue(), 'ROME VIENNA');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await act('bob', 'Change roles');
    await grants.getByLabel('Role').selectOption('manager');
    await grants.getByLabel('In these stores').fill('ROME VIENNA');
    await grants.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: 'manager in ROME, VIENNA' }).waitFor();
  });

  test('a person is disabled, enabled, and erased after the login was typed', async (story) => {
    const carl = await addUser('carl', [{ role: 'viewer' }]);
    const { page } = await visit(story, node, '/people', { refused: [UNAUTHORIZED] });
    await logIn(page, 'ada');
    const row = page.getByRole('row', { name: /carl/ });
    for (const [button, state] of [['Disable', 'Disabled'], ['Enable', 'Active']]) {
      await page.getByRole('button', { name: 'carl' }).click();
      await openDialog(page, 'carl').getByRole('button', { name: button }).click();
      await openDialog(page, `${button} carl`).getByRole('button', { name: button }).click();
      await row.getByText(state).waitFor();
    }
    await page.getByRole('button', { name: 'carl' }).click();
    await openDialog(page, 'carl').getByRole('button', { name: 'Erase' }).click();
    const erase = page.getByRole('button', { name: 'Erase for good' });
    await page.getByLabel('Type the login').fill('carlo');
    assert.ok(await erase.isDisabled());
    await page.getByLabel('Type the login').fill('carl');
    await erase.click();
    await row.waitFor({ state: 'detached' });
    const answer = await fetch(`${node.url}/users/${carl.userId}`, { headers: { authorization } });
    assert.equal(answer.status, 404);
  });

  test('a session that ends while a form is open keeps what was typed', async (story) => {
    const { page, context } = await visit(story, node, '/people', { refused: [UNAUTHORIZED] });
    await logIn(page, 'ada');
    await page.getByRole('button', { name: 'Invite' }).click();
    const dialog = openDialog(page, 'Invite');
    await dialog.getByLabel('Login', { exact: true }).fill('dora');
    await dialog.getByLabel('Role').selectOption('viewer');
    const other = await context.newPage();
    await other.goto(`${node.url}/console/people`);
    await other.getByRole('button', { name: 'Log out' }).click();
    await openDialog(other, 'Log in to Onhand').waitFor();
    await page.bringToFront();
    await openDialog(page, 'Your session has ended').waitFor();
    await picture(page, 'session-ended');
    await logIn(page, 'ada');
    assert.equal(await dialog.getByLabel('Login', { exact: true }).inputValue(), 'dora');
    await dialog.getByRole('button', { name: 'Invite' }).click();
    await page.getByRole('group', { name: 'Link' }).waitFor();
    await page.getByRole('button', { name: 'Done', exact: true }).click();
    await page.getByRole('row', { name: /dora/ }).waitFor();
  });

  test('the mode is switched after a confirmation, and the arrow keys change the tab', async (story) => {
    const { page } = await visit(story, node, '/people', { refused: [UNAUTHORIZED] });
    await logIn(page, 'ada');
    await page.getByRole('tab', { name: 'People' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('tab', { name: 'Roles', selected: true }).waitFor();
    await page.getByRole('button', { name: 'Switch to judging' }).click();
    await openDialog(page, 'Switch to judging').getByRole('button', { name: 'Switch', exact: true }).click();
    await page.getByText('Teams may not inject events').waitFor();
    assert.equal((await asAdmin('GET', '/mode')).mode, 'judging');
    await picture(page, 'roles');
  });
});
