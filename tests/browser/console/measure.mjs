// Measures the stock monitor with 50 stores x 2,000 SKUs; no test, because the figures are those of the machine.
//
//   ONHAND=../../target/release/onhand node console/measure.mjs

import { performance } from 'node:perf_hooks';
import { adjust, picture, startConsole, visit } from './console.mjs';

const STORES = 50;
const SKUS = 2_000;
const ROWS_PER_STEP = 5_000;
const SCROLL_MS = 4_000;
const CHANGES_PER_SECOND = 200;
const CHANGES_MS = 10_000;

const store = (index) => `STORE-${String(index).padStart(2, '0')}`;
const sku = (index) => `SKU-${String(index).padStart(4, '0')}`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

async function fill(node) {
  for (let first = 0; first < SKUS; first += 1_000) {
    await node.post('/catalogue/products', {
      products: Array.from({ length: 1_000 }, (_, index) => ({
        sku: sku(first + index), name: `Product with the number ${first + index}`, category: `category-${index % 20}`,
        lowStockThreshold: 10,
      })),
    });
  }
  const total = STORES * SKUS;
  for (let afterRow = 0; afterRow < total; afterRow += ROWS_PER_STEP) {
    const rows = Array.from({ length: ROWS_PER_STEP }, (_, index) => {
      const row = afterRow + index;
      return { row: row + 1, storeId: store(Math.floor(row / SKUS)), sku: sku(row % SKUS), kind: 'stock-in',
        quantity: 1 + (row * 7) % 200 };
    });
    const throughRow = afterRow + ROWS_PER_STEP;
    await node.post('/imports/measure/rows', { afterRow, throughRow, last: throughRow === total, rows });
  }
}

async function heap(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return { usedSize, backingStorageSize };
}

/** Watches the heap, garbage and all; `end` has the most there was. */
async function watchHeap(page) {
  const session = await page.context().newCDPSession(page);
  let most = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) most = Math.max(most, (await session.send('Runtime.getHeapUsage')).usedSize);
  })();
  return {
    async end() {
      isOver = true;
      await watching;
      await session.detach();
      return most;
    },
  };
}

/** Scrolls for some time, a screen and a half each frame; the milliseconds between frames. */
const scroll = (page) => page.evaluate((duration) => new Promise((resolve) => {
  const table = document.querySelector('.table');
  const frames = [];
  const begin = performance.now();
  let last = begin;
  const step = (now) => {
    frames.push(now - last);
    last = now;
    table.scrollTop = (table.scrollTop + 900) % (table.scrollHeight - table.clientHeight);
    if (now - begin < duration) requestAnimationFrame(step);
    else resolve(frames.slice(2));
  };
  requestAnimationFrame(step);
}), SCROLL_MS);

/** Notes when each number is on the screen: the on-hand column of the first rows. */
const watch = (page) => page.evaluate(() => {
  window.seen = new Map();
  const onHand = [...document.querySelectorAll('.table thead th')].findIndex(({ textContent }) => textContent === 'On hand');
  const look = () => {
    const now = Date.now();
    for (const row of document.querySelectorAll('.table tbody tr:not(.space)')) {
      const key = `${row.children[1].textContent} ${row.children[onHand].textContent.replace(/\D/g, '')}`;
      if (!window.seen.has(key)) window.seen.set(key, now);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});

const ends = [];
const story = { after: (end) => ends.push(end) };
const node = await startConsole();
try {
  const filled = performance.now();
  await fill(node);
  console.log(`filled in ${((performance.now() - filled) / 1000).toFixed(1)} s`);
  const csv = performance.now();
  const bytes = (await (await fetch(`${node.url}/stock/current`, { headers: { accept: 'text/csv' } })).text()).length;
  console.log(`CSV alone: ${megabytes(bytes)} in ${(performance.now() - csv).toFixed(0)} ms`);

  const { page } = await visit(story, node, '');
  const heapOfLoad = await watchHeap(page);
  const loads = performance.now();
  await page.getByRole('link', { name: 'Stock', exact: true }).click();
  await page.locator('.table tbody th').first().waitFor();
  const first = performance.now() - loads;
  await page.getByText(/^100,000 levels$/).waitFor();
  console.log(`first rows after ${first.toFixed(0)} ms, all 100,000 after ${(performance.now() - loads).toFixed(0)} ms`);
  console.log(`heap at most ${megabytes(await heapOfLoad.end())} while it loads`);
  await picture(page, 'stock-100000');
  const { usedSize, backingStorageSize } = await heap(page);
  console.log(`heap ${megabytes(usedSize)} and ${megabytes(backingStorageSize)} of arrays when it has loaded`);

  const frames = await scroll(page);
  const total = frames.reduce((sum, frame) => sum + frame, 0);
  console.log(`scrolling: ${(frames.length / total * 1000).toFixed(1)} frames a second, p50 ${percentile(frames, 0.5).toFixed(1)} ms, `
    + `p99 ${percentile(frames, 0.99).toFixed(1)} ms`);

  await page.evaluate(() => document.querySelector('.table').scrollTo(0, 0));
  for (const name of ['SKU', 'Sellable', 'Name', 'Store']) {
    const took = await page.evaluate(async (title) => {
      const button = [...document.querySelectorAll('.table button.sort')].find(({ textContent }) => textContent === title);
      const begin = performance.now();
      button.click();
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - begin;
    }, name);
    console.log(`sorting by ${name}: ${took.toFixed(0)} ms`);
  }

  await watch(page);
  const acknowledged = new Map();
  const level = new Map();
  const begin = performance.now();
  const running = [];
  let refused = 0;
  for (let sent = 0; performance.now() - begin < CHANGES_MS; sent += 1) {
    const due = begin + sent * 1000 / CHANGES_PER_SECOND;
    if (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    const id = sku(sent % 15);
    running.push(adjust(node, store(0), id, 1).then(({ onHand }) => {
      acknowledged.set(`${id} ${onHand}`, Date.now());
      level.set(id, Math.max(level.get(id) ?? 0, onHand));
    }, () => { refused += 1; }));
  }
  await Promise.all(running);
  const rate = acknowledged.size / (performance.now() - begin) * 1000;
  await page.waitForTimeout(500);
  const seen = new Map(await page.evaluate(() => [...window.seen]));
  // A number that the next one replaced within a frame was never on the screen.
  const delays = [...acknowledged].filter(([key]) => seen.has(key)).map(([key, at]) => seen.get(key) - at);
  const missing = [...level].filter(([id, onHand]) => !seen.has(`${id} ${onHand}`)).length;
  console.log(`${rate.toFixed(0)} changes a second (${refused} refused): from acknowledgement to screen p50 ${percentile(delays, 0.5)} ms, `
    + `p99 ${percentile(delays, 0.99)} ms, most ${Math.max(...delays)} ms; ${delays.length} of ${acknowledged.size} were on the screen, `
    + `${missing} last numbers are missing`);
  const after = await heap(page);
  console.log(`heap ${megabytes(after.usedSize)} and ${megabytes(after.backingStorageSize)} of arrays`);
} finally {
  for (const end of ends) await end();
  await node.stop();
}
