// Orders, one order and shipments: from placing to delivery, a refusal that goes to another store, what a customer sees.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { adjust, picture, startConsole, visit } from './console/console.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const HOSTILE = '<img src=x onerror=alert(1)>';
const PASSWORD = 'rusty bridge in winter';
const UNAUTHORIZED = '401 (Unauthorized)';
const CONFLICT = '409 (Conflict)';

/** Products and stock of two stores. */
async function stocked(node) {
  await node.post('/catalogue/products', { products: [
    { sku: 'TEA', name: 'Green tea 250 g', unitPrice: { amountMinor: 650, currency: 'EUR' } },
    { sku: 'CUP', name: HOSTILE, unitPrice: { amountMinor: 1_150, currency: 'EUR' } },
  ] });
  await adjust(node, 'BERLIN', 'TEA', 50);
  await adjust(node, 'PARIS', 'TEA', 60);
  await adjust(node, 'PARIS', 'CUP', 40);
}

const place = (node, body, headers) => node.post('/orders', { lines: [{ sku: 'TEA', qty: 2 }], ...body }, headers);
const order = async (node, id) => (await node.get(`/orders/${id}`)).body;
const main = (page) => page.getByRole('main');
const button = (page, name) => main(page).getByRole('button', { name, exact: true });
const history = (page) => page.getByRole('region', { name: 'History' });
const live = (page) => page.getByText('Live', { exact: true });

/** Takes a step by its button and the dialog of it, which `fill` fills in. */
async function step(page, within, name, { title = name, fill } = {}) {
  await within.getByRole('button', { name, exact: true }).click();
  const dialog = page.getByRole('dialog', { name: title });
  await fill?.(dialog);
  await dialog.getByRole('button', { name: title, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

describe('orders', () => {
  let node;
  before(async () => {
    node = await startConsole();
    await stocked(node);
  });
  after(() => node?.stop());

  test('an order is placed with a dry run beside it, confirmed, shipped and delivered', async (story) => {
    const { page } = await visit(story, node, '/orders');
    await main(page).getByText('There are no orders yet').waitFor();
    await button(page, 'Place an order').first().click();
    const dialog = page.getByRole('dialog', { name: 'Place an order' });
    const dryRun = dialog.getByRole('region', { name: 'Dry run' });
    const send = dialog.getByRole('button', { name: 'Place the order' });
    assert.ok(await send.isDisabled());
    await dialog.getByLabel('SKU').fill('TEA');
    await dialog.getByLabel('Quantity').fill('200');
    await dryRun.getByText('TEA: 90 of 200 missing').waitFor();
    await dryRun.getByText('PARIS has 60 × TEA').waitFor();
    await dryRun.getByText('The order would be refused.').waitFor();
    await dialog.getByLabel('If pieces are missing').selectOption('backorder');
    await dryRun.getByText('The missing pieces would wait for stock.').waitFor();
    await dialog.getByLabel('Quantity').fill('no number');
    await dialog.getByText('A whole number above 0.').waitFor();
    assert.ok(await send.isDisabled());
    await dialog.getByLabel('Quantity').fill('3');
    await dialog.getByRole('button', { name: 'Add a line' }).click();
    await dialog.getByLabel('SKU').nth(1).fill('CUP');
    await dryRun.getByText('Everything is there').waitFor();
    await dryRun.getByText('PARIS sends 1 × CUP, 3 × TEA').waitFor();
    await dryRun.getByText('Why not other stores').click();
    await dryRun.getByText('BERLIN lacks 1 × CUP').waitFor();
    await dialog.getByLabel('Name').fill('Ada Lovelace');
    await dialog.getByLabel('Street').fill('12 St James Square');
    await dialog.getByLabel('City').fill('London');
    await picture(page, 'orders-place');
    assert.equal((await node.get('/orders')).body.items.length, 0, 'a dry run places nothing');
    await send.click();

    await page.getByRole('heading', { name: /^Order o-/, level: 1 }).waitFor();
    const id = new URL(page.url()).searchParams.get('id');
    await main(page).getByText('Total €31.00').waitFor();
    await page.getByRole('region', { name: 'Customer' }).getByText('12 St James Square').waitFor();
    await history(page).getByText('The order was placed. PARIS holds 3 × TEA, 1 × CUP (shipment 1).').waitFor();
    await step(page, main(page), 'Confirm');
    await main(page).getByText('Confirmed', { exact: true }).first().waitFor();
    await step(page, main(page), 'Ship all', { fill: (it) => it.getByLabel('Carrier').fill('Pigeons & Sons') });
    await main(page).getByText('Carrier: Pigeons & Sons').waitFor();
    assert.deepEqual(await page.locator('.page-head').getByRole('button').allInnerTexts(), ['Mark delivered']);
    await step(page, page.locator('.page-head'), 'Mark delivered');
    await history(page).getByText('3 × TEA, 1 × CUP from PARIS reached the customer.').waitFor();
    await history(page).getByText('by you').first().waitFor();
    assert.equal(await page.locator('.page-head').getByRole('button').count(), 0, 'nothing can follow');
    assert.equal(await page.locator('main img').count(), 0, 'a name is no markup');
    await picture(page, 'orders-delivered');
    const { status, lines, shipments } = await order(node, id);
    assert.deepEqual([status, lines.map(({ delivered }) => delivered), shipments[0].carrier], ['DELIVERED', [3, 1], 'Pigeons & Sons']);
    const level = (await node.get('/stores/PARIS/inventory/TEA')).body;
    assert.deepEqual([level.onHand, level.reserved], [57, 0]);
  });

  test('an order that comes in by the API, and its steps, are shown without a reload', async (story) => {
    const { page, context } = await visit(story, node, '/orders');
    const board = await context.newPage();
    await board.goto(`${node.url}/console/orders?view=board`);
    await Promise.all([page, board].map((tab) => live(tab).waitFor()));
    await Promise.all([page, board].map((tab) => tab.evaluate(() => { globalThis.isSame = true; })));
    const column = (name) => board.getByRole('region', { name, exact: true });
    await place(node, { orderId: 'live-1', customer: { name: 'Konrad Zuse' } });
    const row = page.getByRole('row', { name: /live-1/ });
    await row.getByText('Konrad Zuse').waitFor();
    await row.getByText('Placed').waitFor();
    await column('Placed').getByText('live-1').waitFor();
    await node.post('/orders/live-1/confirm', {});
    await row.getByText('Confirmed').waitFor();
    await column('Confirmed').getByText('live-1').waitFor();
    await column('Placed').getByText('live-1').waitFor({ state: 'detached' });
    await picture(board, 'orders-board');
    await node.post('/orders/live-1/cancel', { reason: 'changed their mind' });
    await row.getByText('Cancelled').waitFor();
    await column('Confirmed').getByText('live-1').waitFor({ state: 'detached' });
    await board.getByText('Cancelled', { exact: true }).click();
    await column('Cancelled').getByText('live-1').waitFor();
    for (const tab of [page, board]) assert.ok(await tab.evaluate(() => globalThis.isSame));
    // By the keyboard from the row to the order, whose page goes on, too.
    await place(node, { orderId: 'live-2' });
    await page.getByRole('row', { name: /live-2/ }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Order live-2' }).waitFor();
    await history(page).getByText('The order was placed.').waitFor();
    await node.post('/orders/live-2/confirm', {});
    await history(page).getByText('The order was confirmed.').waitFor();
    const { shipments: [{ shipmentId, storeId }] } = await order(node, 'live-2');
    await node.post(`/shipments/${shipmentId}/instruct`, {});
    await history(page).getByText(`${storeId} is to send shipment 1.`).waitFor();
  });

  test('a step that another has taken meanwhile is refused, shown, and mended by reading again', async (story) => {
    const { page } = await visit(story, node, '', { refused: [CONFLICT, 'ERR_FAILED'] });
    await place(node, { orderId: 'twice' });
    // Without the feed, the page knows nothing of others.
    await page.route('**/events?**', (route) => route.abort());
    await page.goto(`${node.url}/console/order?id=twice`);
    await button(page, 'Cancel order').click();
    const cancel = page.getByRole('dialog', { name: 'Cancel order' });
    await cancel.getByLabel('Reason').fill('bought elsewhere');
    await node.post('/orders/twice/confirm', {});
    await cancel.getByRole('button', { name: 'Cancel order' }).click();
    await cancel.getByText('It is at version 2, not at the one you expect').waitFor();
    await cancel.getByText('Another step was taken meanwhile. It is now: Confirmed.').waitFor();
    await picture(page, 'orders-conflict');
    assert.ok(await cancel.getByRole('button', { name: 'Cancel order' }).isDisabled());
    await cancel.getByRole('button', { name: 'Continue' }).click();
    await cancel.getByText('Nothing was changed yet.').waitFor();
    assert.equal(await cancel.getByLabel('Reason').inputValue(), 'bought elsewhere');
    await node.post('/orders/twice/status', { status: 'SHIPPED' });
    await cancel.getByRole('button', { name: 'Cancel order' }).click();
    await cancel.getByText('This step is not possible any more.').waitFor();
    await cancel.getByRole('button', { name: 'Close' }).click();
    await main(page).getByText('Shipped', { exact: true }).first().waitFor();
    assert.deepEqual(await page.locator('.page-head').getByRole('button').allInnerTexts(), ['Mark delivered']);
    assert.equal((await order(node, 'twice')).status, 'SHIPPED');
  });

  test('pieces that wait are found when stock comes in, and a confirmation that cannot be is explained', async (story) => {
    const { page } = await visit(story, node, '', { refused: [CONFLICT] });
    await place(node, { orderId: 'early', lines: [{ sku: 'JUG', qty: 4 }], policy: { stock: 'none' } });
    await page.goto(`${node.url}/console/order?id=early`);
    await main(page).getByText('No stores yet').waitFor();
    await button(page, 'Confirm').click();
    const dialog = page.getByRole('dialog', { name: 'Confirm' });
    await dialog.getByText('4 pieces wait. Stores hold what they have of them, and it is refused if they do not have all.').waitFor();
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await dialog.getByText('There is not enough stock for the order').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await adjust(node, 'BERLIN', 'JUG', 4);
    await step(page, main(page), 'Confirm');
    await main(page).getByText('Confirmed', { exact: true }).first().waitFor();
    await history(page).getByText('Stores were found for 4 pieces.').waitFor();
    assert.equal((await order(node, 'early')).lines[0].open, 4);
  });

  test('an order on hold is not sent until the hold is released, and its payments and returns are told', async (story) => {
    await place(node, { orderId: 'held-up', lines: [{ sku: 'TEA', qty: 1 }] });
    await node.post('/orders/held-up/payments', { paymentId: 'pay-1', kind: 'captured', amount: 650 });
    const { page } = await visit(story, node, '/order?id=held-up');
    const details = page.getByRole('region', { name: 'Details' });
    await details.getByText('€6.50 captured (pay-1)').waitFor();
    await history(page).getByText('Payment pay-1: €6.50 captured.').waitFor();
    await step(page, main(page), 'Put on hold', { fill: (dialog) => dialog.getByLabel('Reason').fill('the address is in doubt') });
    await main(page).getByText('On hold', { exact: true }).waitFor();
    await history(page).getByText('The order was put on hold. Reason: the address is in doubt').waitFor();
    assert.deepEqual(await page.locator('.page-head').getByRole('button').allInnerTexts(), ['Release hold', 'Cancel order']);
    assert.deepEqual(await page.locator('.shipment').getByRole('button').allInnerTexts(), ['Refuse', 'Cancel']);
    await step(page, main(page), 'Release hold');
    await step(page, page.locator('.page-head'), 'Ship all');
    await step(page, page.locator('.page-head'), 'Mark delivered');
    await node.post('/orders/held-up/returns', { returnId: 'back-1', lines: [{ line: 1, qty: 1 }] });
    await details.getByText('back-1: requested').waitFor();
  });

  test('what is held for a shipment leads from the SKU to its order, and the log says what happened', async (story) => {
    await place(node, { orderId: 'from-sku', lines: [{ sku: 'CUP', qty: 2 }] });
    const { page } = await visit(story, node, '/sku?sku=CUP&store=PARIS');
    const holds = page.getByRole('region', { name: 'Open reservations' });
    const row = holds.getByRole('row', { name: /from-sku\.s1/ });
    assert.equal(await row.getByRole('button').count(), 0, 'its pieces move with the order alone');
    await row.getByRole('link', { name: 'Show the order' }).click();
    await page.getByRole('heading', { name: 'Order from-sku' }).waitFor();
    await page.goto(`${node.url}/console/events?type=ORDER`);
    await page.getByRole('row').filter({ hasText: 'from-sku · placed' }).waitFor();
  });

  test('an order whose personal data was erased says so, and one that is not there does, too', async (story) => {
    await place(node, { orderId: 'erased', customer: { name: 'Nobody Now' } });
    const { page } = await visit(story, node, '', { refused: ['404 (Not Found)', '400 (Bad Request)'] });
    await page.route('**/orders/erased', async (route) => {
      const { customer, ...rest } = await (await route.fetch()).json();
      assert.equal(customer.name, 'Nobody Now');
      await route.fulfill({ json: { ...rest, personalErased: true } });
    });
    await page.goto(`${node.url}/console/order?id=erased`);
    await main(page).getByText('Name and address were erased.').waitFor();
    await page.goto(`${node.url}/console/order?id=${encodeURIComponent('not-there')}`);
    await main(page).getByText('There is no order not-there, or none that you may see').waitFor();
    await page.goto(`${node.url}/console/order?id=${encodeURIComponent('../products')}`);
    await main(page).getByRole('alert').filter({ hasText: 'The request is not valid' }).waitFor();
  });
});

describe('the list of orders', () => {
  let node;
  const COUNT = 120;
  before(async () => {
    node = await startConsole();
    await adjust(node, 'BERLIN', 'TEA', 1_000);
    await adjust(node, 'PARIS', 'CUP', 10);
    for (let first = 0; first < COUNT; first += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => place(node, {
        orderId: `o-${String(first + index).padStart(3, '0')}`, customerId: `c-${(first + index) % 10}`,
      })));
    }
    await place(node, { orderId: 'from-paris', lines: [{ sku: 'CUP', qty: 1 }] });
    await place(node, { orderId: 'waits', lines: [{ sku: 'JUG', qty: 1 }], policy: { partial: 'backorder' } });
    await node.post('/orders/o-005/confirm', {});
  });
  after(() => node?.stop());

  const rows = (page) => page.getByRole('table', { name: 'Orders' });
  const counted = (page, text) => main(page).getByText(text, { exact: true }).waitFor();

  test('is read page by page, the newest first', async (story) => {
    const { page } = await visit(story, node, '/orders');
    await counted(page, '50 or more orders');
    assert.match(await rows(page).locator('tbody tr').first().innerText(), /waits/);
    await button(page, 'Load more').click();
    await counted(page, '100 or more orders');
    await button(page, 'Load more').click();
    await counted(page, `${COUNT + 2} orders`);
    assert.equal(await button(page, 'Load more').count(), 0);
    await rows(page).locator('tbody tr').first().focus();
    await page.keyboard.press('End');
    await rows(page).getByRole('row', { name: /o-0[01]\d/ }).last().waitFor();
    // What comes in meanwhile is there without a reload, and nothing that was loaded goes.
    await live(page).waitFor();
    await place(node, { orderId: 'came-in' });
    await counted(page, `${COUNT + 3} orders`);
    await node.post('/orders/came-in/cancel', {});
  });

  test('is filtered, and its address brings somebody else to the same orders', async (story) => {
    const { page, context } = await visit(story, node, '/orders');
    await counted(page, '50 or more orders');
    await page.getByLabel('Status').selectOption('CONFIRMED');
    await counted(page, '1 order');
    await rows(page).getByRole('row', { name: /o-005/ }).waitFor();
    assert.match(page.url(), /status=CONFIRMED/);
    await page.getByLabel('Status').selectOption('');
    await page.getByLabel('Allocation').selectOption('waiting');
    await rows(page).getByRole('row', { name: /waits.*Waits for stock/ }).waitFor();
    await counted(page, '1 order');
    await button(page, 'Clear filters').click();
    await page.getByLabel('Store').selectOption('PARIS');
    await rows(page).getByRole('row', { name: /from-paris/ }).waitFor();
    await counted(page, '1 order');
    await button(page, 'Clear filters').click();
    await page.getByLabel('Customer id').fill('c-7');
    await counted(page, '12 orders');
    await page.getByLabel('Search order id').fill('O-01');
    await counted(page, '1 order');
    await rows(page).getByRole('row', { name: /o-017/ }).waitFor();
    await picture(page, 'orders-filtered');

    const other = await context.newPage();
    await other.goto(page.url());
    await rows(other).getByRole('row', { name: /o-017/ }).waitFor();
    await counted(other, '1 order');
    assert.equal(await other.getByLabel('Customer id').inputValue(), 'c-7');
    await other.getByRole('tab', { name: 'Board' }).click();
    await other.getByRole('region', { name: 'Placed', exact: true }).getByText('o-017').waitFor();
    assert.match(other.url(), /view=board/);
    await other.reload();
    await other.getByRole('tab', { name: 'Board', selected: true }).waitFor();
    await page.getByLabel('Search order id').fill('nothing has this');
    await main(page).getByText('No order matches').waitFor();
    await button(page, 'Clear filters').last().click();
    await counted(page, '50 or more orders');
  });
});

describe('shipments', () => {
  let node;
  before(async () => {
    node = await startConsole();
    await stocked(node);
  });
  after(() => node?.stop());

  const card = (page, id) => page.getByRole('region', { name: `Shipment ${id}` });
  const pick = (page) => page.getByRole('region', { name: 'Pick list' });

  test('a store is chosen and remembered, and what it has to take from the shelves is summed up', async (story) => {
    for (const [id, qty] of [['pick-1', 2], ['pick-2', 3]]) {
      await place(node, { orderId: id, lines: [{ sku: 'CUP', qty }, { sku: 'TEA', qty: 1 }], shipTo: { name: 'Ada', city: 'London' } });
    }
    const { page, context } = await visit(story, node, '/shipments');
    await main(page).getByText('Its shipments are shown here.').waitFor();
    await page.getByLabel('Store').selectOption('PARIS');
    await pick(page).getByRole('row', { name: 'CUP <img src=x onerror=alert(1)> 5 2' }).waitFor();
    await pick(page).getByRole('row', { name: 'TEA Green tea 250 g 2 2' }).waitFor();
    await card(page, 'pick-1.s1').getByText('London').waitFor();
    assert.ok(await page.getByText('pick-1').first().isVisible());
    const order = await page.locator('.shipment').evaluateAll((cards) => cards.map((it) => it.ariaLabel));
    assert.deepEqual(order, ['Shipment pick-1.s1', 'Shipment pick-2.s1'], 'the oldest first');
    await step(page, card(page, 'pick-1.s1'), 'Instruct');
    await card(page, 'pick-1.s1').getByText('To send').waitFor();
    await page.getByLabel('State').selectOption('instructed');
    await pick(page).getByRole('row', { name: /^CUP .* 2 1$/ }).waitFor();
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.ok(await pick(page).isVisible());
    for (const gone of ['nav.side', '.filters', '.top', '.shipment button', '.curl']) {
      assert.equal(await page.locator(gone).first().isVisible(), false, `${gone} is printed`);
    }
    const ink = await page.evaluate(() => getComputedStyle(document.querySelector('.pick')).backgroundColor);
    assert.equal(ink, 'rgb(255, 255, 255)', 'paper is white, whatever the theme');
    await picture(page, 'shipments-print');
    const other = await context.newPage();
    await other.goto(`${node.url}/console/shipments`);
    await card(other, 'pick-2.s1').waitFor();
    assert.equal(await other.getByLabel('Store').inputValue(), 'PARIS');
  });

  test('a store refuses, and is told which store sends it now; then nobody has it, and it waits', async (story) => {
    await place(node, { orderId: 'moves', lines: [{ sku: 'TEA', qty: 5 }], storeId: 'PARIS' });
    const { page } = await visit(story, node, '/shipments?store=PARIS');
    await live(page).waitFor();
    await step(page, card(page, 'moves.s1'), 'Refuse', { fill: async (dialog) => {
      await dialog.getByText('PARIS does not send 5 × TEA.').waitFor();
      await dialog.getByLabel('Reason').selectOption('damaged');
      await dialog.getByText('they are removed from stock').waitFor();
      await dialog.getByLabel('Note').fill('wet');
    } });
    await page.getByRole('status').filter({ hasText: 'PARIS does not send shipment moves.s1. BERLIN sends 5 × TEA now.' }).waitFor();
    await picture(page, 'shipments-refused');
    await card(page, 'moves.s1').waitFor({ state: 'detached' });
    assert.equal((await node.get('/stores/PARIS/inventory/TEA')).body.onHand, 55);
    await page.getByLabel('Store').selectOption('BERLIN');
    await card(page, 'moves.s2').getByRole('link', { name: 'moves' }).click();
    await history(page).getByText('PARIS does not send 5 × TEA: damaged. BERLIN holds 5 × TEA (shipment 2). Reason: wet').waitFor();

    await adjust(node, 'BERLIN', 'JUG', 2);
    await place(node, { orderId: 'stays', lines: [{ sku: 'JUG', qty: 2 }] });
    await page.goto(`${node.url}/console/shipments?store=BERLIN`);
    await step(page, card(page, 'stays.s1'), 'Refuse');
    await page.getByRole('status').filter({ hasText: '2 × JUG waits for stock.' }).waitFor();
    assert.equal((await order(node, 'stays')).allocation, 'waiting');
  });

  test('some pieces are shipped, then the rest, and both reach the customer', async (story) => {
    await place(node, { orderId: 'parts', lines: [{ sku: 'TEA', qty: 4 }, { sku: 'CUP', qty: 2 }] });
    const { page } = await visit(story, node, '/shipments?store=PARIS');
    const it = card(page, 'parts.s1');
    await it.getByRole('button', { name: 'Ship', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Ship' });
    const send = dialog.getByRole('button', { name: 'Ship', exact: true });
    await dialog.getByLabel('TEA (of 4)').fill('5');
    await dialog.getByText('A whole number from 0 to 4.').waitFor();
    assert.ok(await send.isDisabled());
    for (const sku of ['TEA (of 4)', 'CUP (of 2)']) await dialog.getByLabel(sku).fill('0');
    assert.ok(await send.isDisabled(), 'nothing is no parcel');
    await dialog.getByLabel('TEA (of 4)').fill('3');
    await dialog.getByLabel('Carrier').fill('UPS');
    await dialog.getByLabel('Tracking number').fill('1Z999');
    await picture(page, 'shipments-ship');
    await send.click();
    await it.getByText('Carrier: UPS · Tracking: 1Z999').waitFor();
    await it.getByRole('row', { name: 'TEA Green tea 250 g 1 3' }).waitFor();
    assert.equal((await order(node, 'parts')).status, 'CONFIRMED', 'what leaves confirms the order');
    await step(page, it, 'Ship');
    await it.getByText('Shipped', { exact: true }).first().waitFor();
    await step(page, it, 'Mark delivered');
    await it.waitFor({ state: 'detached' });
    assert.equal((await order(node, 'parts')).status, 'DELIVERED');
  });

  test('a shipment that somebody else has closed meanwhile is refused with the reason', async (story) => {
    await place(node, { orderId: 'gone', lines: [{ sku: 'CUP', qty: 1 }] });
    const { page } = await visit(story, node, '', { refused: [CONFLICT, 'ERR_FAILED'] });
    await page.route('**/events?**', (route) => route.abort());
    await page.goto(`${node.url}/console/shipments?store=PARIS`);
    await card(page, 'gone.s1').getByRole('button', { name: 'Ship', exact: true }).click();
    await node.post('/orders/gone/cancel', {});
    const dialog = page.getByRole('dialog', { name: 'Ship' });
    await dialog.getByRole('button', { name: 'Ship', exact: true }).click();
    await dialog.getByRole('alert').filter({ hasText: 'version' }).waitFor();
    await dialog.getByText('This step is not possible any more.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await card(page, 'gone.s1').waitFor({ state: 'detached' });
  });
});

describe('the dialogs of orders', () => {
  let node;
  before(async () => {
    node = await startConsole();
    await stocked(node);
    await place(node, { orderId: 'looked-at', lines: [{ sku: 'TEA', qty: 4 }, { sku: 'CUP', qty: 2 }], policy: { partial: 'backorder' } });
  });
  after(() => node?.stop());

  for (const [theme, width] of [['light', 1440], ['dark', 1440], ['light', 320], ['dark', 400]]) {
    test(`have no fault that axe finds, and fit, ${theme}, ${width} px`, async (story) => {
      const { page, context } = await visit(story, node, '', { theme, width, height: 900 });
      await context.addInitScript({ path: AXE });
      const opened = async (name) => {
        const dialog = page.getByRole('dialog', { name });
        await dialog.waitFor();
        const found = await page.evaluate(() => globalThis.axe.run(document.querySelector('dialog'), {
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
        }));
        assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), [], name);
        const [wide, room] = await dialog.evaluate((it) => [it.scrollWidth, it.clientWidth]);
        assert.ok(wide <= room, `${name}: ${wide} of ${room} px`);
        await picture(page, `orders-${name.replaceAll(' ', '-').toLowerCase()}-${width}-${theme}`);
        return dialog;
      };
      await page.goto(`${node.url}/console/orders`);
      await button(page, 'Place an order').click();
      const dialog = page.getByRole('dialog', { name: 'Place an order' });
      await dialog.getByLabel('SKU').fill('TEA');
      await dialog.getByLabel('Quantity').fill('80');
      await dialog.getByRole('button', { name: 'Add a line' }).click();
      await dialog.getByLabel('SKU').nth(1).fill('CUP');
      await dialog.getByText('Why not other stores').or(dialog.getByText('BERLIN sends')).first().waitFor();
      await opened('Place an order');
      for (const [path, steps] of [['order?id=looked-at', ['Confirm', 'Ship all', 'Cancel order']],
        ['shipments?store=PARIS', ['Instruct', 'Ship', 'Refuse']]]) {
        await page.goto(`${node.url}/console/${path}`);
        for (const name of steps) {
          await main(page).getByRole('button', { name, exact: true }).first().click();
          await (await opened(name)).getByRole('button', { name: 'Close' }).click();
          await page.getByRole('dialog').waitFor({ state: 'detached' });
        }
      }
    });
  }
});

describe('orders of people', () => {
  let node;
  let asAdmin;
  before(async () => {
    node = await startConsole();
    await stocked(node);
    const headers = { 'content-type': 'application/json' };
    asAdmin = async (path, body) => {
      const answer = await fetch(node.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
      return answer.json();
    };
    await asAdmin('/users', { login: 'ada', password: PASSWORD, grants: [{ role: 'admin' }] });
    headers.authorization = `Bearer ${(await asAdmin('/auth/login', { login: 'ada', password: PASSWORD })).accessToken}`;
    const eve = await asAdmin('/users', { login: 'eve', password: PASSWORD, grants: [{ role: 'customer' }] });
    await asAdmin('/users', { login: 'wim', password: PASSWORD, grants: [{ role: 'warehouse-staff', stores: ['PARIS'] }] });
    await asAdmin('/users', { login: 'vera', password: PASSWORD, grants: [{ role: 'viewer' }] });
    await asAdmin('/orders', { orderId: 'of-eve', customerId: eve.userId, lines: [{ sku: 'TEA', qty: 1 }] });
    await asAdmin('/orders', { orderId: 'of-others', customerId: 'c-1', lines: [{ sku: 'CUP', qty: 1 }] });
  });
  after(() => node?.stop());

  async function arrive(story, login, path, more = []) {
    const { page } = await visit(story, node, path, { refused: [UNAUTHORIZED, ...more] });
    await page.getByLabel('Login or e-mail').fill(login);
    await page.getByRole('dialog').getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByLabel('Login or e-mail').waitFor({ state: 'detached' });
    return page;
  }

  test('a customer sees their own orders, places one, and is offered no step', async (story) => {
    const page = await arrive(story, 'eve', '/orders', ['404 (Not Found)']);
    await main(page).getByText('Your orders, the newest first.').waitFor();
    await page.getByRole('row', { name: /of-eve/ }).waitFor();
    assert.equal(await page.getByRole('table', { name: 'Orders' }).locator('tbody tr').count(), 1);
    assert.equal(await page.getByLabel('Customer id').count(), 0);
    assert.equal(await page.getByRole('navigation').getByRole('link', { name: 'Shipments' }).count(), 0);
    await page.getByRole('link', { name: 'of-eve' }).click();
    await history(page).getByText('The order was placed.').waitFor();
    await picture(page, 'orders-customer');
    assert.deepEqual(await main(page).getByRole('button').allInnerTexts(), [], 'no step of the order or of a shipment');
    await page.goto(`${node.url}/console/order?id=of-others`);
    await main(page).getByText('There is no order of-others, or none that you may see').waitFor();
    await page.goto(`${node.url}/console/shipments?store=PARIS`);
    await main(page).getByText('It needs the permission orders:ship').waitFor();

    await page.goto(`${node.url}/console/orders`);
    await button(page, 'Place an order').click();
    const dialog = page.getByRole('dialog', { name: 'Place an order' });
    await dialog.getByLabel('SKU').fill('CUP');
    assert.equal(await dialog.getByRole('region', { name: 'Dry run' }).count(), 0, 'which store has how much is not theirs to know');
    await dialog.getByRole('button', { name: 'Place the order' }).click();
    await history(page).getByText(/The order was placed\. PARIS holds 1 × CUP/).waitFor();
    await history(page).getByText('by you').waitFor();
  });

  test('warehouse staff see the shipments of their store alone, and send them', async (story) => {
    const page = await arrive(story, 'wim', '/shipments');
    const it = page.getByRole('region', { name: 'Shipment of-others.s1' });
    await it.waitFor();
    assert.equal(await page.getByLabel('Store').inputValue(), 'PARIS', 'it is their only one');
    assert.deepEqual(await page.getByLabel('Store').locator('option').allInnerTexts(), ['Choose a store', 'PARIS']);
    assert.equal(await page.getByRole('navigation').getByRole('link', { name: 'Orders', exact: true }).count(), 0);
    await step(page, it, 'Instruct');
    await it.getByText('To send').waitFor();
    await step(page, it, 'Refuse', { fill: (dialog) => dialog.getByLabel('Reason').selectOption('short') });
    await page.getByRole('status').filter({ hasText: 'Other stores send it where they have it' }).waitFor();
  });

  test('who may only read is offered no button that changes an order', async (story) => {
    const page = await arrive(story, 'vera', '/orders');
    await page.getByRole('link', { name: 'of-others' }).click();
    await history(page).getByText('The order was placed.').waitFor();
    assert.deepEqual(await main(page).getByRole('button').allInnerTexts(), []);
    await page.goto(`${node.url}/console/orders`);
    await page.getByRole('row', { name: /of-eve/ }).waitFor();
    assert.equal(await button(page, 'Place an order').count(), 0);
  });
});
