// The signed tokens of a node, verified by another library with the keys that the node publishes.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { startNode } from './harness.mjs';

const person = { login: 'ada', password: 'correct horse stapled' };

let node, user, keys;

before(async () => {
  node = await startNode();
  user = await node.post('/users', { ...person, grants: [{ role: 'admin' }] });
  keys = createRemoteJWKSet(new URL('/auth/keys', node.url));
});
after(() => node?.stop());

describe('an access token', () => {
  test('is verified by jose', async () => {
    const { accessToken } = await node.post('/auth/login', person);
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, { audience: 'onhand' });
    assert.equal(payload.sub, user.userId);
    assert.equal(protectedHeader.alg, 'EdDSA');
  });

  test('is refused by jose and by the node when a character differs', async () => {
    const { accessToken } = await node.post('/auth/login', person);
    const [head, payload, signature] = accessToken.split('.');
    const other = `${head}.${payload.slice(0, -1)}${payload.endsWith('A') ? 'B' : 'A'}.${signature}`;
    await assert.rejects(jwtVerify(other, keys, { audience: 'onhand' }));
    const answer = await fetch(`${node.url}/auth/me`, { headers: { authorization: `Bearer ${other}` } });
    assert.equal(answer.status, 401);
  });
});
