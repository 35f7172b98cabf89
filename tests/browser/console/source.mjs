// A node as others follow it, made up: each entry of `events` is what its feed has at that sequence, and may be changed.

import { createServer } from 'node:http';

export const SOURCE = '00000000-0000-0000-0000-000000000007';

/** An event of its log: what happened to a level that had nothing before. */
export const event = (sequence, type, storeId, sku, more = {}) => ({
  sequence, node: SOURCE, eventId: `00000000-0000-0000-0000-${String(sequence).padStart(12, '0')}`, ts: '2026-11-20T16:00:00.000Z', type,
  payload: { sku, storeId, delta: 1 }, after: { onHand: 1, reserved: 0, version: 1 }, ...more,
});

/** Serves the events; `port` 0 chooses a free port. */
export async function startSource(events, port = 0) {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://x');
    const items = searchParams.get('limit') === '0' ? [] : events.filter(({ sequence }) => sequence > Number(searchParams.get('after')));
    response.setHeader('content-type', 'application/json')
      .end(JSON.stringify({ node: SOURCE, end: events.length, items, nextCursor: null }));
  });
  await new Promise((ready) => server.listen(port, '127.0.0.1', ready));
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    }),
  };
}
