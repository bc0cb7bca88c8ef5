import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clientIp, UNKNOWN_IP } from '../../src/http/client-ip.ts';
import { headersOf } from '../../src/http/problem.ts';
import { createCallLimiter, rateLimited, rateLimitHeaders, setRateLimitHeaders } from '../../src/http/rate-limit.ts';
import { Problem } from '../../src/kernel/errors.ts';
import type { RateLimitState } from '../../src/kernel/rate-limit.ts';
import { createApp, errorOf } from './harness.ts';

const STATE: RateLimitState = {
  policy: 'generations',
  limit: 10,
  windowSeconds: 3600,
  remaining: 7,
  resetSeconds: 1200,
};

describe('a rate limit', () => {
  test('is in the header fields of the contract', async () => {
    const app = createApp();
    app.get('/', (c) => {
      setRateLimitHeaders(c, { ...STATE, policy: 'calls' });
      setRateLimitHeaders(c, STATE);
      return c.json({});
    });
    const { headers } = await app.request('/');
    assert.equal(headers.get('RateLimit-Policy'), '"generations";q=10;w=3600');
    assert.equal(headers.get('RateLimit'), '"generations";r=7;t=1200');
  });

  test('that is reached gets 429 with the time to wait in whole seconds', async () => {
    const app = createApp();
    app.get('/', () => {
      throw rateLimited({ ...STATE, resetSeconds: 12.2 });
    });
    const response = await app.request('/');
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('Retry-After'), '13');
    assert.equal(response.headers.get('RateLimit-Policy'), '"generations";q=10;w=3600');
    assert.equal(response.headers.get('RateLimit'), '"generations";r=0;t=13');
    const { code, details } = await errorOf(response);
    assert.equal(code, 'ERR_4004');
    assert.deepEqual(details, { retry_after: 13 });
  });

  test('never has a Retry-After below 1, and never a negative remainder or reset', () => {
    assert.equal(headersOf(rateLimited({ ...STATE, resetSeconds: -5 }))['Retry-After'], '1');
    assert.equal(rateLimitHeaders({ ...STATE, remaining: -3, resetSeconds: -1 }).RateLimit, '"generations";r=0;t=0');
  });
});

describe('the calls of an account', () => {
  test('are counted down to the limit and then rejected, for each account separately', async () => {
    const limiter = createCallLimiter(3);
    const remaining = [];
    for (let call = 0; call < 3; call++) remaining.push((await limiter.take('a')).remaining);
    assert.deepEqual(remaining, [2, 1, 0]);
    await assert.rejects(limiter.take('a'), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, 'ERR_4004');
      const headers = headersOf(error);
      assert.ok(Number(headers['Retry-After']) >= 1 && Number(headers['Retry-After']) <= 60);
      assert.match(headers['RateLimit-Policy'] ?? '', /^"calls";q=3;w=60$/);
      return true;
    });
    assert.equal((await limiter.take('b')).remaining, 2);
  });

  test('that run at once are never more than the limit', async () => {
    const limiter = createCallLimiter(600);
    const calls = await Promise.allSettled(Array.from({ length: 1000 }, () => limiter.take('a')));
    assert.equal(calls.filter(({ status }) => status === 'fulfilled').length, 600);
  });
});

describe('the client’s IP address', () => {
  const sockets: [socket: string | undefined, ip: string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:CB00:7107', '203.0.113.7'],
    ['::1', '::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['64:ff9b::203.0.113.7', '64:ff9b::/64'],
    [undefined, UNKNOWN_IP],
    ['', UNKNOWN_IP],
    ['localhost', UNKNOWN_IP],
  ];
  for (const [socket, ip] of sockets) {
    test(`is ${ip} for a socket of ${socket}`, () => assert.equal(clientIp(socket, undefined, 0), ip));
  }

  test('is the socket’s, whatever the header claims, while no proxy is trusted', () => {
    assert.equal(clientIp('203.0.113.7', '198.51.100.1', 0), '203.0.113.7');
    assert.equal(clientIp('203.0.113.7', '198.51.100.1', -1), '203.0.113.7');
  });

  const forwarded: [header: string | undefined, hops: number, ip: string][] = [
    ['198.51.100.1', 1, '198.51.100.1'],
    ['6.6.6.6, 198.51.100.1', 1, '198.51.100.1'],
    ['6.6.6.6, 198.51.100.1, 10.0.0.2', 2, '198.51.100.1'],
    ['6.6.6.6,198.51.100.1 ,10.0.0.2', 2, '198.51.100.1'],
    ['198.51.100.1:4711', 1, '198.51.100.1'],
    ['[2001:db8:1:2::9]:4711', 1, '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', 1, '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', 1, '2001:db8:1:2::/64'],
    ['::ffff:198.51.100.1', 1, '198.51.100.1'],
    [undefined, 1, '10.0.0.1'],
    ['', 1, '10.0.0.1'],
    ['198.51.100.1', 2, '10.0.0.1'],
    ['unknown', 1, '10.0.0.1'],
    ['198.51.100.1, ', 1, '10.0.0.1'],
    ['010.1.1.1', 1, '10.0.0.1'],
    ['256.1.1.1', 1, '10.0.0.1'],
    ['1.2.3', 1, '10.0.0.1'],
    ['1.2.3.4.5', 1, '10.0.0.1'],
    ['1:2:3:4:5:6:7', 1, '10.0.0.1'],
    ['1:2:3:4:5:6:7:8:9', 1, '10.0.0.1'],
    ['1::2::3', 1, '10.0.0.1'],
    ['1:2:3:4:5:6:7:8::', 1, '10.0.0.1'],
    [':::', 1, '10.0.0.1'],
    ['12345::', 1, '10.0.0.1'],
    ['::1.2.3.999', 1, '10.0.0.1'],
    ['1.2.3.4::', 1, '10.0.0.1'],
    ['"; drop table users"', 1, '10.0.0.1'],
  ];
  for (const [header, hops, ip] of forwarded) {
    test(`is ${ip} behind ${hops} trusted proxies of “${header}”`, () => {
      assert.equal(clientIp('10.0.0.1', header, hops), ip);
    });
  }

  test('is always an IP address or prefix, in one notation for each client, and never throws', () => {
    const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), fc.string(), fc.constantFrom('', '::', '[', '%'));
    const header = fc.array(entry, { maxLength: 6 }).map((entries) => entries.join(','));
    const shape = /^(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,3})?::\/64)$/;
    fc.assert(
      fc.property(entry, header, fc.integer({ min: 0, max: 8 }), (socket, text, hops) => {
        const ip = clientIp(socket, text, hops);
        assert.match(ip, shape);
        const again = ip.replace('/64', '');
        assert.equal(clientIp(again, undefined, 0), ip);
      }),
      { numRuns: 1000 },
    );
  });

  test('of any IPv6 address has the first four groups that the URL parser gives', () => {
    fc.assert(
      fc.property(fc.ipV6(), (ip) => {
        const parsed = new URL(`http://[${ip}]/`).hostname.slice(1, -1);
        assert.equal(clientIp(ip, undefined, 0), clientIp(parsed, undefined, 0));
      }),
    );
  });
});
