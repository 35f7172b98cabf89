// `/docs` as a visitor meets it: each operation says what it takes, and does it when it is tried out.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { openBrowser, picture, startNode } from './harness.mjs';

/** What a fresh node does not have, so that a first try is told so; nothing else may be refused. */
const NOT_THERE_YET = {
  getLevel: 'no stock was ever moved',
  getHistory: 'no stock was ever moved',
  getThreshold: 'no threshold was ever set',
  getImport: 'nothing was ever imported',
  listImportRefusals: 'nothing was ever imported',
  getProduct: 'the catalogue is empty',
  getProductHistory: 'the catalogue is empty',
  getStore: 'the catalogue is empty',
  getCentralSku: 'no stock was ever moved',
  getDeadLetter: 'a node that is well has no dead letters',
  discardDeadLetter: 'a node that is well has no dead letters',
  redriveDeadLetter: 'a node that is well has no dead letters',
  consoleFile: 'the tag of the example is that of another version',
  explainAccess: 'nobody has the login of the example',
  getUser: 'no person has the id of the example',
  changeUser: 'no person has the id of the example',
  eraseUser: 'no person has the id of the example',
  setGrants: 'no person has the id of the example',
  resetPassword: 'no person has the id of the example',
  register: 'registration is off',
  rotateToken: 'no token has the id of the example',
  revokeToken: 'no token has the id of the example',
};

/** What a visitor with a token cannot do: the status that says so. */
const REFUSED = {
  refreshSession: 401, logOut: 400, changePassword: 400, redeemLink: 401, eraseOrder: 400 // the order of the example is of a customer
};

/** Whether the order of the examples is there, and what can follow its status, depends on what was tried before. */
const OF_ORDERS = { tag: 'orders', statuses: [200, 201, 404, 409] };

/** `node` asks nobody who they are; `guarded` has an administrator, whose token is `token`. */
let node, guarded, token, operations;

before(async () => {
  [node, guarded] = await Promise.all([startNode(), startNode()]);
  operations = await readOperations(node.url);
  const administrator = { kind: 'service', name: 'visitor', grants: [{ role: 'admin' }] };
  // The person of the example of a login; from the next request on callers must show who they are.
  const person = { login: 'ada', password: 'correct horse stapled', grants: [{ role: 'admin' }] };
  await guarded.post('/users', person);
  const { accessToken } = await guarded.post('/auth/login', { login: person.login, password: person.password });
  ({ token } = await guarded.post('/tokens', administrator, { authorization: `Bearer ${accessToken}` }));
});
after(() => Promise.all([node?.stop(), guarded?.stop()]));

/** Every operation of the document, in its order. */
async function readOperations(url) {
  const document = parse(await (await fetch(`${url}/openapi.yaml`)).text());
  const resolve = (value) =>
    value.$ref ? value.$ref.slice(2).split('/').reduce((found, name) => found[name], document) : value;
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([verb]) => verb !== 'parameters')
      .map(([verb, operation]) => ({
        id: operation.operationId,
        tag: operation.tags[0],
        verb,
        path,
        parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve),
      })),
  );
}

/** Opens `/docs` of a node in a browser of its own. */
async function visit(story, { url, port }, size = {}) {
  const browser = await openBrowser({ ...size, allowed: [`127.0.0.1:${port}`] });
  story.after(() => browser.close());
  await browser.page.goto(`${url}/docs`);
  await browser.page.locator('.opblock').first().waitFor();
  return browser;
}

/** Gives the page the token, by its button "Authorize". */
async function authorize(page) {
  await page.locator('.auth-wrapper > .authorize').click();
  const dialog = page.locator('.dialog-ux');
  await dialog.locator('#auth-bearer-value').fill(token);
  await picture(dialog, 'authorize');
  await dialog.locator('.modal-btn.authorize').first().click();
  await dialog.locator('.btn-done').first().click();
}

/** Opens an operation; what is below its heading. */
async function open(page, { id, tag }) {
  const block = page.locator(`[id="operations-${tag.replaceAll(' ', '_')}-${id}"]`);
  await block.locator('.opblock-summary-control').click();
  await block.locator('.responses-table').first().waitFor();
  return block;
}

/** Presses "Try it out" and "Execute"; the status of the answer. */
async function tryOut(page, block, { verb }) {
  await block.locator('.try-out__btn').click();
  const method = verb.toUpperCase();
  const answered = page.waitForResponse((response) => response.request().method() === method);
  await block.locator('.execute').click();
  const response = await answered;
  const shown = block.locator('.live-responses-table .response-col_status').nth(1);
  await shown.waitFor();
  assert.match(await shown.innerText(), new RegExp(`^${response.status()}`), 'the page shows the answer');
  return response;
}

/** Each parameter is shown with the name, the place and a type of its own. */
async function assertParameters(block, operation) {
  const shown = [];
  for (const row of await block.locator('.parameters-container table.parameters tbody tr').all()) {
    const name = (await row.locator('.parameter__name').innerText()).replace(/\s*\*.*$/s, '').trim();
    const place = (await row.locator('.parameter__in').innerText()).trim();
    const type = (await row.locator('.parameter__type').innerText()).trim();
    assert.match(type, /^(string|integer|boolean)/, `${operation.id}: the type of ${name}`);
    shown.push(`${name} ${place}`);
  }
  const documented = operation.parameters.map((parameter) => `${parameter.name} (${parameter.in})`);
  assert.deepEqual(shown.sort(), documented.sort(), operation.id);
}

/** Opens each operation, looks at its parameters, and tries it out; from the top of the page to its end. */
async function tryAll({ page, complaints }, chosen) {
  for (const operation of chosen) {
    const block = await open(page, operation);
    await assertParameters(block, operation);
    const response = await tryOut(page, block, operation);
    await picture(block, operation.id);
    const body = await response.text().catch(() => '');
    if (operation.id in REFUSED) assert.equal(response.status(), REFUSED[operation.id], body);
    else if (operation.tag === OF_ORDERS.tag) assert.ok(OF_ORDERS.statuses.includes(response.status()), `${operation.id}: ${body}`);
    else if (operation.id in NOT_THERE_YET) assert.equal(response.status(), 404, `${operation.id}: ${body}`);
    else assert.ok(response.ok(), `${operation.id}: ${response.status()} ${body}`);
    await block.locator('.opblock-summary-control').click();
  }
  const refused = ['400 (Bad Request)', '401 (Unauthorized)', '404 (Not Found)', '409 (Conflict)'];
  const unexpected = complaints.filter((complaint) => !refused.some((status) => complaint.includes(status)));
  assert.deepEqual(unexpected, []);
}

// An operation that is opened keeps one core busy for most of a second.
describe('/docs', { concurrency: 2 }, () => {
  test('every GET says what it takes, and is answered well when it is the first thing a visitor tries', async (story) =>
    tryAll(await visit(story, node), operations.filter(({ verb }) => verb === 'get')));

  test('every change says what it takes, and is done when a visitor with a token tries them from the top of the page on', async (story) => {
    const visitor = await visit(story, guarded);
    await authorize(visitor.page);
    await tryAll(visitor, operations.filter(({ verb }) => verb !== 'get'));
  });

  test('on a telephone an operation is as wide as the page', async (story) => {
    const { page, complaints } = await visit(story, node, { width: 390, height: 844 });
    await picture(page, 'docs-390');
    const operation = operations.find(({ id }) => id === 'currentStock');
    const block = await open(page, operation);
    await tryOut(page, block, operation);
    await picture(block, 'currentStock-390');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(complaints, []);
  });
});
