import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, jwtVerify } from 'jose';
import { createTeamToken } from '../../src/apple/team-token.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = {
  teamId: 'ABCDE12345',
  keyId: '2X9R4HXF34',
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
const startMs = Date.UTC(2026, 10, 22, 12, 0, 0, 900);

function bench() {
  let nowMs = startMs;
  const teamToken = createTeamToken(key, { now: () => new Date(nowMs) });
  return {
    at(minutes: number): Promise<string> {
      nowMs = startMs + minutes * 60_000;
      return teamToken();
    },
  };
}

test('a token has its team, its key and its time in whole seconds', async () => {
  const { payload, protectedHeader } = await jwtVerify(await bench().at(0), publicKey);
  assert.deepEqual(protectedHeader, { alg: 'ES256', kid: key.keyId });
  assert.deepEqual(payload, { iss: key.teamId, iat: Math.floor(startMs / 1000) });
});

test('a token is used for forty minutes: never renewed within twenty, never older than fifty', async () => {
  const { at } = bench();
  const first = await at(0);
  for (const minutes of [0, 1, 20, 39.9]) assert.equal(await at(minutes), first);
  const second = await at(40);
  assert.notEqual(second, first);
  assert.equal(decodeJwt(second).iat, Math.floor(startMs / 1000) + 2400);
  assert.equal(await at(79.9), second);
  assert.notEqual(await at(80), second);
});

test('concurrent callers share one token', async () => {
  const { at } = bench();
  assert.equal(new Set(await Promise.all([at(0), at(0), at(0), at(0)])).size, 1);
});

test('after the clock was set back, a token with the new time is signed', async () => {
  const { at } = bench();
  await at(30);
  assert.equal(decodeJwt(await at(0)).iat, Math.floor(startMs / 1000));
});

test('a failure to sign is not cached', async () => {
  let keyReads = 0;
  const failsOnce = {
    ...key,
    get privateKey() {
      keyReads += 1;
      return keyReads === 1 ? 'no key' : key.privateKey;
    },
  };
  const teamToken = createTeamToken(failsOnce, { now: () => new Date(startMs) });
  await assert.rejects(teamToken());
  await jwtVerify(await teamToken(), publicKey);
});
