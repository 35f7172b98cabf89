// The console in a browser, for its stories.
//
// With CONSOLE_DIR, a node serves the files there in place of those it was built with.

import assert from 'node:assert/strict';
import { openBrowser, startNode } from '../harness.mjs';

export { picture } from '../harness.mjs';

/** How the browsers at each port are closed. */
const closers = new Map();

/** A node for stories of the console. No rate limit: the stories of one file share an address. */
export async function startConsole(...arguments_) {
  const edited = process.env.CONSOLE_DIR ? ['--console-dir', process.env.CONSOLE_DIR] : [];
  const node = await startNode('--rate-limit-rps', '0', ...edited, ...arguments_);
  // A page whose node has ended complains, so its browser ends first, in whatever order a story has asked for the two.
  const { stop } = node;
  node.stop = async () => {
    for (const close of closers.get(node.port) ?? []) await close();
    await stop.call(node);
  };
  return node;
}

/**
 * Opens a page of the console in a browser of its own. When the story ends, the browser must have had nothing to complain of
 * but the answers of `refused`, such as `409 (Conflict)`: Chromium writes each refused request to its console.
 */
export async function visit(story, node, path = '', { theme = 'light', refused = [], ...size } = {}) {
  const browser = await openBrowser({ ...size, allowed: [`127.0.0.1:${node.port}`] });
  const { page, complaints } = browser;
  let closed;
  const close = () => (closed ??= browser.close());
  closers.set(node.port, [...(closers.get(node.port) ?? []), close]);
  story.after(async () => {
    await close();
    const unexpected = complaints.filter((complaint) => !refused.some((known) => complaint.includes(known)));
    assert.deepEqual(unexpected, []);
  });
  await page.emulateMedia({ colorScheme: theme });
  await page.goto(`${node.url}/console${path}`);
  await page.locator('main h1, dialog h2').first().waitFor();
  return browser;
}

/** Moves stock as a till does; the answer of the node. */
export function adjust(node, storeId, sku, delta, more = {}) {
  return node.post(`/stores/${storeId}/inventory/${sku}/adjust`, { delta, ...more });
}
