// What hostile addresses, words, nodes and sessions do to the console: nothing that is not seen.

import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { describe, test } from 'node:test';
import { openBrowser } from '../harness.mjs';
import { adjust, startConsole, visit } from './console.mjs';

const PASSWORD = 'rusty bridge in winter';
const UNAUTHORIZED = '401 (Unauthorized)';
const FORBIDDEN = '403 (Forbidden)';
/** What Chromium writes when a node is away. */
const AWAY = 'net::ERR_';

const live = (page) => page.getByText('Live', { exact: true });

/** A node of its own for a story, which ends behind the browser of the story. */
async function nodeOf(story, ...arguments_) {
  const node = await startConsole(...arguments_);
  const ends = [];
  story.after(async () => {
    for (const end of ends) await end();
    await node.stop();
  });
  return { node, visit: (path, options) => visit({ after: (end) => ends.push(end) }, node, path, options) };
}

async function logIn(page, login) {
  await page.getByLabel('Login or e-mail').fill(login);
  await page.getByRole('dialog').getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel('Login or e-mail').waitFor({ state: 'detached' });
}

/** Two administrators and a person who sees Berlin alone; calls of the first administrator. */
async function people(node) {
  const headers = { 'content-type': 'application/json' };
  const asAdmin = async (method, path, body, more = {}) => {
    const answer = await fetch(node.url + path, { method, headers: { ...headers, ...more }, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.json();
  };
  await asAdmin('POST', '/users', { login: 'root', password: PASSWORD, grants: [{ role: 'admin' }] });
  headers.authorization = `Bearer ${(await asAdmin('POST', '/auth/login', { login: 'root', password: PASSWORD })).accessToken}`;
  const ada = await asAdmin('POST', '/users', { login: 'ada', password: PASSWORD, grants: [{ role: 'admin' }] });
  await asAdmin('POST', '/users', { login: 'vera', password: PASSWORD, grants: [{ role: 'viewer', stores: ['BERLIN'] }] });
  return { asAdmin, ada };
}

describe('hostile addresses and words', () => {
  test('an address that is not well encoded, or names members of every object, opens a page', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    const { page } = await open('/%E0%A4%A');
    await page.getByRole('heading', { name: 'Page not found' }).waitFor();
    await page.goto(`${node.url}/console/link#%E0%A4%A`);
    await page.getByLabel('Repeat the password').waitFor();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      await page.goto(`${node.url}/console/people?tab=${name}`);
      await page.getByRole('tab', { name: 'People', selected: true }).waitFor();
      await page.getByText('There are no people yet').waitFor();
    }
  });

  test('a reason that is the name of a member of every object is a reason', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    for (const reason of ['constructor', '__proto__', 'toString']) await adjust(node, 'BERLIN', 'TEA', 1, { reason });
    const { page } = await open('/sku?sku=TEA&store=BERLIN');
    for (const reason of ['constructor', '__proto__', 'toString']) await page.getByRole('row').filter({ hasText: reason }).waitFor();
  });
});

describe('a node in trouble', () => {
  test('a node that has stopped with its connections open is said to be away, and the page goes on with it', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    await adjust(node, 'BERLIN', 'TEA', 1);
    const { page } = await open('/stock', { refused: [AWAY] });
    await live(page).waitFor();
    node.pause();
    try {
      await page.getByText('The node does not answer.').waitFor();
      await page.getByText('Not live').waitFor();
    } finally {
      node.resume();
    }
    await live(page).waitFor();
    await adjust(node, 'BERLIN', 'TEA', 41);
    await page.getByRole('row', { name: /TEA/ }).getByRole('cell', { name: '42' }).first().waitFor();
  });

  test('a page that is opened while the node is away is there when the node is back', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    await adjust(node, 'BERLIN', 'TEA', 42);
    const { page } = await open('/sku?sku=TEA', { refused: [AWAY] });
    await page.getByRole('row', { name: /BERLIN/ }).waitFor();
    await page.getByRole('link', { name: 'Stock', exact: true }).click();
    await page.getByRole('heading', { name: 'Stock', level: 1 }).waitFor();
    await node.kill();
    await page.goBack();
    await page.getByRole('main').getByText('It may be restarting.').waitFor();
    await node.restart();
    await page.getByRole('row', { name: /BERLIN/ }).getByText('42').first().waitFor();
  });

  test('an older copy of the data that has grown beyond the place of the page is read again', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    await adjust(node, 'BERLIN', 'TEA', 1);
    await adjust(node, 'BERLIN', 'MUG', 1);
    await node.kill();
    const copy = `${node.data}-copy`;
    const copyOf = (from, to) => cp(from, to, { recursive: true, filter: (name) => !name.endsWith('.sock') });
    await copyOf(node.data, copy);
    await node.restart();
    await adjust(node, 'BERLIN', 'TEA', 500);
    const { page, context } = await open('/stock', { refused: [AWAY] });
    await page.getByRole('row', { name: /TEA/ }).getByText('501').first().waitFor();
    await live(page).waitFor();
    await node.kill();
    await rm(node.data, { recursive: true });
    await copyOf(copy, node.data);
    // The page hears of the restored node when it has grown.
    await context.setOffline(true);
    await node.restart();
    for (let times = 0; times < 5; times += 1) await adjust(node, 'BERLIN', 'MUG', 1);
    await context.setOffline(false);
    await page.getByRole('row', { name: /TEA/ }).getByText('501').first().waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /MUG/ }).getByText('6', { exact: true }).first().waitFor();
    await rm(copy, { recursive: true });
  });
});

describe('sessions', () => {
  test('who logs in by another tab is who uses all tabs, and sees nothing of the one before', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    await adjust(node, 'BERLIN', 'TEA', 1);
    await adjust(node, 'PARIS', 'MUG', 1);
    await people(node);
    const { page, context } = await open('/stock', { refused: [UNAUTHORIZED] });
    await logIn(page, 'ada');
    await page.getByRole('row', { name: /PARIS/ }).waitFor();
    const other = await context.newPage();
    await other.goto(`${node.url}/console`);
    await other.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
    await logIn(other, 'vera');
    await page.getByText('vera', { exact: true }).waitFor();
    await page.getByRole('row', { name: /BERLIN/ }).waitFor();
    assert.equal(await page.getByRole('row', { name: /PARIS/ }).count(), 0);
  });

  test('a user limited to a store is offered no page of the node', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    await adjust(node, 'BERLIN', 'TEA', 1);
    await people(node);
    const { page } = await open('', { refused: [UNAUTHORIZED] });
    await logIn(page, 'vera');
    const pages = page.getByRole('navigation', { name: 'Pages' });
    await pages.getByRole('link', { name: 'Stock', exact: true }).waitFor();
    for (const name of ['Node', 'Operations', 'Dead letters']) assert.equal(await pages.getByRole('link', { name }).count(), 0, name);
    await page.getByRole('link', { name: 'Stock', exact: true }).click();
    await page.getByRole('row', { name: /BERLIN/ }).waitFor();
  });

  test('a role that was changed while a form is open is said, and nothing typed is lost', async (story) => {
    const { node, visit: open } = await nodeOf(story);
    await adjust(node, 'BERLIN', 'TEA', 1);
    await adjust(node, 'PARIS', 'TEA', 1);
    const { asAdmin, ada } = await people(node);
    const { page } = await open('/sku?sku=TEA&store=BERLIN', { refused: [UNAUTHORIZED, FORBIDDEN] });
    await logIn(page, 'ada');
    await page.getByRole('button', { name: 'Adjust', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Adjust stock' });
    await dialog.getByLabel('Change of the quantity').fill('3');
    await dialog.getByLabel('Reason').fill('a delivery');
    await asAdmin('PUT', `/users/${ada.userId}/grants`, { grants: [{ role: 'viewer' }] }, { 'if-match': `"${ada.version}"` });
    await page.getByRole('link', { name: 'People and tokens' }).waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Adjust', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    assert.equal(await dialog.getByLabel('Reason').inputValue(), 'a delivery');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('button', { name: 'Adjust', exact: true }).count(), 0);
  });

  test('two nodes below paths of one origin do not hear each other', async (story) => {
    const nodes = { berlin: await startConsole(), paris: await startConsole() };
    const proxy = createServer((incoming, outgoing) => {
      const [, name] = incoming.url.split('/');
      const path = incoming.url.slice(name.length + 1);
      incoming.pipe(request(nodes[name]?.url + path, {
        method: incoming.method, headers: { ...incoming.headers, host: `127.0.0.1:${nodes[name].port}` },
      }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      }).on('error', () => outgoing.destroy()));
    });
    await new Promise((ready) => proxy.listen(0, '127.0.0.1', ready));
    const browser = await openBrowser();
    story.after(async () => {
      await browser.close();
      proxy.closeAllConnections();
      proxy.close();
      for (const node of Object.values(nodes)) await node.stop();
    });
    await adjust(nodes.berlin, 'BERLIN', 'TEA', 1);
    await adjust(nodes.paris, 'PARIS', 'MUG', 1);
    const root = `http://127.0.0.1:${proxy.address().port}`;
    const [berlin, paris] = [browser.page, await browser.context.newPage()];
    await berlin.goto(`${root}/berlin/console/stock`);
    await live(berlin).waitFor();
    await paris.goto(`${root}/paris/console/stock`);
    await live(paris).waitFor();
    await berlin.getByRole('row', { name: /TEA/ }).waitFor();
    await paris.getByRole('row', { name: /MUG/ }).waitFor();
    await adjust(nodes.paris, 'PARIS', 'MUG', 41);
    await paris.getByRole('row', { name: /MUG/ }).getByText('42').first().waitFor();
    await adjust(nodes.berlin, 'BERLIN', 'TEA', 76);
    await berlin.getByRole('row', { name: /TEA/ }).getByText('77').first().waitFor();
    assert.equal(await paris.getByRole('row', { name: /TEA/ }).count(), 0);
    assert.equal(await berlin.getByRole('row', { name: /MUG/ }).count(), 0);
  });
});
