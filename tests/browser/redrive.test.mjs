// What a page of another site would set going without knowing any stock: a pass of the worker, and a dead letter driven
// again, or given up. The node itself says afterwards whether anything was done.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { openBrowser, startNode } from './harness.mjs';

const SOURCE = '00000000-0000-0000-0000-000000000007';
const LETTER = `/dead-letters/${SOURCE}-1`;

/** A server of its own on 127.0.0.1. */
async function serve(answer) {
  const server = createServer((request, response) => {
    const [kind, body] = answer(new URL(request.url, 'http://x'));
    response.setHeader('content-type', kind).end(body);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { port: server.address().port, close: () => server.close() };
}

/** A node as others follow it, with one event that nobody knows how to apply. */
const spoilt = () => serve((url) => {
  const event = {
    sequence: 1, node: SOURCE, eventId: SOURCE, ts: '2026-11-20T16:00:00.000Z', type: 'THEFT',
    payload: { sku: 'TEA', storeId: 'BERLIN', delta: 1 }, after: { onHand: 1, reserved: 0, version: 1 },
  };
  const items = Number(url.searchParams.get('after')) < 1 && url.searchParams.get('limit') !== '0' ? [event] : [];
  return ['application/json', JSON.stringify({ node: SOURCE, end: 1, items, nextCursor: null })];
});

/** A site that wants to set something going at the node. */
const site = () => serve(() => ['text/html', '<!doctype html><title>Win a prize</title>']);

describe('a page of another site', () => {
  let source, evil, node, browser;

  before(async () => {
    [source, evil] = [await spoilt(), await site()];
    // One pass at the start, and no other one by itself in the time of this story.
    node = await startNode('--source', `http://127.0.0.1:${source.port}`, '--sync-interval-ms', '600000');
    await node.post('/sync');
    browser = await openBrowser({ flags: ['--host-resolver-rules=MAP evil.example 127.0.0.1'] });
  });

  after(async () => {
    await browser?.close();
    source?.close();
    evil?.close();
    await node?.stop();
  });

  /** How many changes the node was asked for, by their status. */
  const asked = async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    const counts = {};
    for (const [, status, count] of text.matchAll(
      /^onhand_http_requests_total\{method="(?:POST|DELETE)",route="[^"]*",status="(\d+)"\} (\d+)$/gm)) {
      counts[status] = (counts[status] ?? 0) + Number(count);
    }
    return counts;
  };

  /** Waits until the node has answered so many more requests for changes than `before`; how many of each status. */
  const answered = async (before, expected) => {
    for (;;) {
      const now = await asked();
      const more = Object.entries(now).map(([status, count]) => [status, count - (before[status] ?? 0)]);
      const rose = more.filter(([, count]) => count > 0);
      if (rose.reduce((sum, [, count]) => sum + count, 0) >= expected) return Object.fromEntries(rose);
      await new Promise((go) => setTimeout(go, 20));
    }
  };

  for (const host of ['evil.example', '127.0.0.1']) {
    test(`at ${host} sets nothing going, whichever way it asks`, { timeout: 60_000 }, async () => {
      const [before, letter] = [await asked(), (await node.get(LETTER)).body];
      assert.equal(letter.state, 'open');
      const page = await browser.context.newPage();
      await page.goto(`http://${host}:${evil.port}/`);
      const targets = ['/sync', `${LETTER}/redrive`].map((path) => `http://127.0.0.1:${node.port}${path}`);
      for (const target of targets) {
        await page.evaluate(async (url) => {
          await fetch(url, { method: 'POST', mode: 'no-cors' }).catch(() => {});
          navigator.sendBeacon(url);
          const frame = document.createElement('iframe');
          frame.name = url;
          const form = Object.assign(document.createElement('form'), { method: 'post', action: url, target: url });
          document.body.append(frame, form);
          form.submit();
        }, target);
      }
      assert.deepEqual(await answered(before, 6), { 403: 6 });
      // To take away needs a permission that the browser asks for first, and that the node gives nobody.
      const discarded = await page.evaluate(
        (url) => fetch(url, { method: 'DELETE' }).then(() => 'done', () => 'refused'),
        `http://127.0.0.1:${node.port}${LETTER}?reason=x`);
      assert.equal(discarded, 'refused');
      assert.deepEqual((await node.get(LETTER)).body, letter, 'nothing became of the letter');
    });
  }

  test('is told apart from the page of the node itself', async () => {
    const page = await browser.context.newPage();
    await page.goto(`${node.url}/docs`);
    const own = await page.evaluate((path) => fetch(path, { method: 'POST' }).then((answer) => answer.status), `${LETTER}/redrive`);
    assert.equal(own, 200);
    assert.equal((await node.get(LETTER)).body.state, 'open', 'it was tried, and cannot be applied');
  });
});
