/** Apple's keys: how often they are fetched, which of them count, and what happens while they cannot be fetched. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { errors, exportJWK, type FlattenedJWSInput, generateKeyPair, type JWK } from 'jose';
import { createIdentityKeys, KeysUnavailable } from '../../src/apple/identity-keys.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function manualClock(startMs = 1_800_000_000_000) {
  let nowMs = startMs;
  return { now: () => new Date(nowMs), turn: (ms: number) => (nowMs += ms) };
}

type Reply = () => Response | Promise<Response>;

/** Apple's server as these tests script it, and the keys in front of it. */
function bench({ timeoutMs = 5_000 } = {}) {
  const clock = manualClock();
  let reply: Reply = () => assert.fail('no reply was set');
  const seen: { url: string; init: RequestInit | undefined }[] = [];
  const fetch: typeof globalThis.fetch = async (url, init) => {
    seen.push({ url: String(url), init });
    return reply();
  };
  const find = createIdentityKeys({ url: 'https://apple.example/auth/keys', fetch, clock, timeoutMs });
  return {
    clock,
    seen,
    fetches: () => seen.length,
    replies: (next: Reply) => {
      reply = next;
    },
    has: (...keys: unknown[]) => {
      reply = () => Response.json({ keys });
    },
    isDown: () => {
      reply = () => {
        throw new TypeError('fetch failed');
      };
    },
    find: async (kid?: string) => find({ alg: 'RS256', ...(kid !== undefined && { kid }) }, {} as FlattenedJWSInput),
  };
}

const unavailable = (error: unknown) => error instanceof KeysUnavailable;
const unknown = (error: unknown) => error instanceof errors.JWKSNoMatchingKey;

describe('Apple’s keys', () => {
  let one: JWK;
  let two: JWK;
  before(async () => {
    const make = async (kid: string) => {
      const { publicKey } = await generateKeyPair('RS256', { extractable: true });
      return { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' };
    };
    [one, two] = await Promise.all([make('one'), make('two')]);
  });

  test('are fetched when the first token comes, once for all who wait, and kept for ten minutes', async () => {
    const apple = bench();
    assert.equal(apple.fetches(), 0);
    apple.has(one, two);
    const found = await Promise.all(Array.from({ length: 20 }, (_, index) => apple.find(index % 2 ? 'one' : 'two')));
    assert.equal(new Set(found).size, 2);
    assert.equal(apple.fetches(), 1);
    assert.equal(apple.seen[0]?.init?.redirect, 'error', 'no redirect is followed');
    apple.clock.turn(10 * MINUTE - 1);
    await apple.find('one');
    assert.equal(apple.fetches(), 1);
    apple.clock.turn(1);
    await apple.find('one');
    assert.equal(apple.fetches(), 2);
  });

  test('are fetched once in 30 seconds, however many key ids are invented, and one after the other', async () => {
    const apple = bench();
    apple.has(one);
    let [inFlight, most] = [0, 0];
    apple.replies(async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise(setImmediate);
      inFlight -= 1;
      return Response.json({ keys: [one] });
    });
    await apple.find('one');
    const flood = async (name: string) => {
      const calls = Array.from({ length: 100 }, (_, index) => apple.find(`${name}-${index}`));
      const outcomes = await Promise.allSettled([...calls, apple.find('one')]);
      assert.equal(outcomes.pop()?.status, 'fulfilled', 'a known key goes on counting');
      for (const outcome of outcomes) assert.ok(outcome.status === 'rejected' && unknown(outcome.reason));
    };
    await flood('at once');
    assert.equal(apple.fetches(), 1, 'they were fetched just now');
    apple.clock.turn(30 * SECOND);
    await flood('later');
    await flood('again');
    assert.equal(apple.fetches(), 2);
    apple.clock.turn(29 * SECOND);
    await flood('too early');
    assert.equal(apple.fetches(), 2);
    assert.equal(most, 1);
  });

  test('that Apple adds count with their first token, and those that it withdraws end within ten minutes', async () => {
    const apple = bench();
    apple.has(one);
    await apple.find('one');
    apple.clock.turn(30 * SECOND);
    apple.has(two);
    await apple.find('two');
    assert.equal(apple.fetches(), 2);
    await assert.rejects(apple.find('one'), unknown);

    const withdrawn = bench();
    withdrawn.has(one, two);
    await withdrawn.find('one');
    withdrawn.has(two);
    withdrawn.clock.turn(10 * MINUTE);
    await assert.rejects(withdrawn.find('one'), unknown);
  });

  test('go on counting for a day while Apple is down, and an unknown one is unavailable, not unknown', async () => {
    const apple = bench();
    apple.has(one);
    await apple.find('one');
    apple.isDown();
    apple.clock.turn(30 * SECOND);
    await assert.rejects(apple.find('two'), unavailable);
    await assert.rejects(apple.find('two'), unavailable);
    assert.equal(apple.fetches(), 2, 'Apple is asked again after the cooldown only');
    apple.clock.turn(23 * HOUR);
    await Promise.all([apple.find('one'), apple.find('one')]);
    await apple.find('one');
    await assert.rejects(apple.find('two'), unavailable);
    assert.equal(apple.fetches(), 3);
    apple.clock.turn(HOUR);
    await assert.rejects(apple.find('one'), unavailable);
    apple.has(one, two);
    apple.clock.turn(SECOND);
    await apple.find('two');
  });

  test('are asked for at most once a second while there is none', async () => {
    const apple = bench();
    apple.isDown();
    await Promise.all(Array.from({ length: 50 }, () => assert.rejects(apple.find('one'), unavailable)));
    await assert.rejects(apple.find('one'), unavailable);
    assert.equal(apple.fetches(), 1);
    apple.clock.turn(SECOND);
    apple.has(one);
    await apple.find('one');
    assert.equal(apple.fetches(), 2);
  });

  test('outlast a clock that is set back, with Apple up or down', async () => {
    const apple = bench();
    apple.has(one);
    await apple.find('one');
    apple.clock.turn(-HOUR);
    apple.isDown();
    await apple.find('one');
    await assert.rejects(apple.find('two'), unavailable);
    assert.equal(apple.fetches(), 2);
    apple.has(one, two);
    apple.clock.turn(-HOUR);
    await apple.find('two');
    assert.equal(apple.fetches(), 3);
    await assert.rejects(apple.find('three'), unknown);
    assert.equal(apple.fetches(), 3, 'the time of the last fetch is the new one');
  });

  test('count although others beside them are of a new type, too short, for encryption, or no keys at all', async () => {
    const apple = bench();
    const short = { kty: 'RSA', kid: 'short', n: 'AQAB'.repeat(30), e: 'AQAB' };
    const others = [
      { kty: 'AKP', kid: 'new', alg: 'ML-DSA-65', pub: 'AAAA' },
      { kty: 'EC', crv: 'P-256', kid: 'curve', x: 'AA', y: 'AA' },
      { kty: 'oct', kid: 'secret', k: 'AAAA' },
      { ...two, kid: 'for encryption', use: 'enc' },
      { ...two, kid: 'for another algorithm', alg: 'RS512' },
      { ...two, kid: 7 },
      { ...two, kid: '' },
      { kty: 'RSA', kid: 'broken', n: '§', e: 'AQAB' },
      { kty: 'RSA', kid: 'empty', n: '', e: '' },
      short,
      null,
      'a key',
      [],
    ];
    apple.has(...others, one);
    await apple.find('one');
    for (const other of others) await assert.rejects(apple.find(String(Object(other).kid)), unknown);
    await assert.rejects(apple.find(undefined), unknown);
    await assert.rejects(apple.find(''), unknown);
    assert.equal(apple.fetches(), 1);
  });

  test('without alg and use count too: the type and the caller’s algorithm decide', async () => {
    const apple = bench();
    apple.has({ kty: one.kty, n: one.n, e: one.e, kid: 'plain' });
    await apple.find('plain');
  });

  const endless = () =>
    new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new TextEncoder().encode(' '.repeat(4096))) }));
  const wrong: [string, Reply][] = [
    ['a page of a proxy', () => new Response('<html>Sign in to the Wi-Fi</html>')],
    ['an empty body', () => new Response('')],
    ['an endless body', endless],
    ['no key', () => Response.json({ keys: [] })],
    ['no list', () => Response.json({ keys: {} })],
    ['null', () => Response.json(null)],
    ['a key of another type alone', () => Response.json({ keys: [{ kty: 'oct', kid: 'one', k: 'AAAA' }] })],
    ['a 500 with keys', () => Response.json({ keys: [one] }, { status: 500 })],
    ['a 204', () => new Response(null, { status: 204 })],
    ['a redirect', () => Promise.reject(new TypeError('fetch failed'))],
    ['half of a body', () => new Response(`{"keys":[${JSON.stringify(one)}`)],
  ];
  for (const [what, reply] of wrong) {
    test(`are not replaced by ${what}`, async () => {
      const apple = bench();
      apple.replies(reply);
      await assert.rejects(apple.find('one'), unavailable);
      apple.clock.turn(SECOND);
      apple.has(one);
      await apple.find('one');
      apple.clock.turn(10 * MINUTE);
      apple.replies(reply);
      await apple.find('one');
      await assert.rejects(apple.find('two'), unavailable);
    });
  }

  test('are given up when they come too slowly, byte by byte', async () => {
    const apple = bench({ timeoutMs: 50 });
    let isCancelled = false;
    const drip = async (stream: ReadableStreamDefaultController) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (!isCancelled) stream.enqueue(new Uint8Array([32]));
    };
    const cancel = () => {
      isCancelled = true;
    };
    apple.replies(() => new Response(new ReadableStream({ pull: drip, cancel })));
    await assert.rejects(apple.find('one'), unavailable);
    assert.ok(isCancelled);
  });
});
