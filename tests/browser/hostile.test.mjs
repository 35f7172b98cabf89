// What hostile pages try through the browser of somebody on the node's machine: other sites, and a name that was made to
// lead to the node (DNS rebinding). They change nothing and read nothing; pages of a listed origin may do both.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { openBrowser, startNode } from './harness.mjs';

const ADJUST = '/stores/BERLIN/inventory/TEA/adjust';
const LEVEL = '/stores/BERLIN/inventory/TEA';

/** A site that serves nothing but an empty page. */
async function site() {
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>x</title>'));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { port: server.address().port, close: () => server.close() };
}

/** In a page: sends a request; what the page gets to know of the answer. */
async function tell(page, url, options) {
  return page.evaluate(async ([url, options]) => {
    try {
      const answer = await fetch(url, options);
      return { type: answer.type, status: answer.status, text: await answer.text() };
    } catch (error) {
      return { type: 'error', text: String(error) };
    }
  }, [url, options]);
}

describe('a hostile page', () => {
  let node, evil, desk, browser;

  before(async () => {
    evil = await site();
    desk = await site();
    node = await startNode('--rate-limit-rps', '0', '--cors-origins', `http://desk.example:${desk.port}`);
    await node.post(ADJUST, { delta: 10 });
    browser = await openBrowser({ flags: ['--host-resolver-rules=MAP *.example 127.0.0.1'] });
  });

  after(async () => {
    await browser?.close();
    evil?.close();
    desk?.close();
    await node?.stop();
  });

  /** How many requests the node has refused because a page of another site sent them. */
  const refused = async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    const counts = text.split('\n').filter((line) => line.startsWith('onhand_http_requests_total{') && line.includes('status="403"'));
    return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  const unharmed = async () => {
    assert.deepEqual((await node.get(LEVEL)).body.onHand, 10);
    assert.equal((await node.get('/health/readiness')).body.durableSequence, 1);
  };

  for (const own of ['evil.example', '127.0.0.1', 'localhost']) {
    it(`of ${own} can send, and neither does nor reads anything`, async () => {
      const page = await browser.context.newPage();
      await page.goto(`http://${own}:${evil.port}/`);
      const before = await refused();
      for (const host of ['127.0.0.1', 'localhost']) {
        const at = `http://${host}:${node.port}`;
        for (const path of ['/sync', '/api/sync', '/dead-letters/1/redrive', ADJUST]) {
          const simple = await tell(page, at + path, { method: 'POST', mode: 'no-cors', body: '{"delta":5}' });
          assert.notEqual(simple.type, 'basic', JSON.stringify(simple));
          assert.equal(simple.status ?? 0, 0, JSON.stringify(simple));
        }
        const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"delta":5}' };
        assert.equal((await tell(page, at + ADJUST, json)).type, 'error');
        assert.equal((await tell(page, at + LEVEL, {})).type, 'error');
      }
      assert.equal((await refused()) - before, 8, 'the browser sent those that need no permission');
      await unharmed();
    });

    it(`of ${own} cannot post a form`, async () => {
      const page = await browser.context.newPage();
      await page.goto(`http://${own}:${evil.port}/`);
      const sent = page.waitForResponse((answer) => answer.url().endsWith('/sync'));
      await page.evaluate((action) => {
        const form = document.createElement('form');
        Object.assign(form, { method: 'post', action, enctype: 'text/plain' });
        document.body.append(form);
        form.submit();
      }, `http://127.0.0.1:${node.port}/sync`);
      assert.equal((await sent).status(), 403);
      await page.waitForLoadState();
      await unharmed();
    });

    it(`of ${own} cannot put the node into a frame`, async () => {
      const page = await browser.context.newPage();
      await page.goto(`http://${own}:${evil.port}/`);
      const blocked = await page.evaluate((src) => new Promise((tell) => {
        const frame = document.createElement('iframe');
        frame.onload = () => tell(frame.contentDocument === null);
        frame.src = src;
        document.body.append(frame);
      }), `http://127.0.0.1:${node.port}/docs`);
      assert.equal(blocked, true);
      const frame = page.frames().find((frame) => frame !== page.mainFrame());
      assert.ok(!(await frame.content()).includes('swagger-ui'), 'the page is not shown');
    });
  }

  it('whose name leads to the node gets nothing', async () => {
    const page = await browser.context.newPage();
    for (const path of ['/docs', '/', LEVEL, '/events', '/metrics', '/livez']) {
      const answer = await page.goto(`http://rebound.example:${node.port}${path}`);
      assert.equal(answer.status(), 421, path);
      assert.equal((await answer.json()).code, 'misdirected-host');
    }
    // The page it would have served before: its scripts now ask the node as their own server.
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"delta":5}' };
    for (const options of [json, { ...json, method: 'PUT' }, {}]) {
      const answer = await tell(page, ADJUST, options);
      assert.deepEqual([answer.type, answer.status], ['basic', 421], JSON.stringify(answer));
    }
    await unharmed();
  });

  it('is told apart from one of a listed origin', async () => {
    const page = await browser.context.newPage();
    await page.goto(`http://desk.example:${desk.port}/`);
    const at = `http://127.0.0.1:${node.port}`;
    const json = { 'content-type': 'application/json', 'idempotency-key': 'desk-1' };
    const sale = await tell(page, at + ADJUST, { method: 'POST', headers: json, body: '{"delta":-1}' });
    assert.deepEqual([sale.type, sale.status], ['cors', 200], JSON.stringify(sale));
    const read = await tell(page, at + LEVEL, {});
    assert.equal(JSON.parse(read.text).onHand, 9);
    const withCookies = await tell(page, at + LEVEL, { credentials: 'include' });
    assert.equal(withCookies.type, 'error', 'never with credentials');
  });
});
