import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requestOrigin } from '../../src/http/origin.ts';

const URL_HERE = 'http://10.0.0.7:8787/functions/v1/get-video-status?job_id=x';
const originFor = (headers: Record<string, string>, hops = 1, url = URL_HERE) =>
  requestOrigin(new Request(url, { headers }), hops);

describe('URLs in responses, without PUBLIC_URL', () => {
  test('follow the request itself while no proxy is trusted, whatever its headers say', () => {
    const forged = {
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'proto=https;host=evil',
    };
    assert.equal(originFor(forged, 0), 'http://10.0.0.7:8787');
    assert.equal(originFor({}, 1), 'http://10.0.0.7:8787');
  });

  const told: [headers: Record<string, string>, hops: number, origin: string][] = [
    [{ 'X-Forwarded-Proto': 'https' }, 1, 'https://10.0.0.7:8787'],
    [{ 'X-Forwarded-Proto': 'HTTPS', 'X-Forwarded-Host': 'API.example.com' }, 1, 'https://api.example.com'],
    [{ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example.com:443' }, 1, 'https://api.example.com'],
    [{ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example.com:8443' }, 1, 'https://api.example.com:8443'],
    [{ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': '[2001:db8::1]:444' }, 1, 'https://[2001:db8::1]:444'],
    // Two trusted proxies that append, two that replace, and one behind a caller that forges.
    [
      { 'X-Forwarded-Proto': 'https, http', 'X-Forwarded-Host': 'api.example.com, inner' },
      2,
      'https://api.example.com',
    ],
    [{ 'X-Forwarded-Proto': 'https,http' }, 2, 'https://10.0.0.7:8787'],
    [{ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example.com' }, 2, 'https://api.example.com'],
    [
      { 'X-Forwarded-Proto': 'http, https', 'X-Forwarded-Host': 'evil.example, api.example.com' },
      1,
      'https://api.example.com',
    ],
    [{ Forwarded: 'for=192.0.2.1;proto=https;host=api.example.com' }, 1, 'https://api.example.com'],
    [
      { Forwarded: 'host="api.example.com:8443";Proto="https";for="[2001:db8::2]:1"' },
      1,
      'https://api.example.com:8443',
    ],
    [
      { Forwarded: 'host=evil.example;proto=http, for=192.0.2.1; proto=https; host=api.example.com' },
      1,
      'https://api.example.com',
    ],
    [{ Forwarded: 'proto=https;host=api.example.com, proto=http;host=inner' }, 2, 'https://api.example.com'],
    [{ 'X-Forwarded-Proto': 'https', Forwarded: 'proto=http;host=api.example.com' }, 1, 'https://api.example.com'],
  ];
  for (const [headers, hops, origin] of told) {
    test(`are ${origin} for ${hops} trusted, told ${JSON.stringify(headers)}`, () =>
      assert.equal(originFor(headers, hops), origin));
  }

  test('ignore what is no scheme or no host', () => {
    for (const proto of ['', ',', 'javascript', 'ftp', 'https://x', 'httpss', 'on']) {
      assert.equal(originFor({ 'X-Forwarded-Proto': proto }), 'http://10.0.0.7:8787', proto);
    }
    for (const host of [
      '',
      ' , ',
      'a/b',
      'user@evil.example',
      'a b',
      'evil.example?',
      'a:b',
      'a:999999',
      '[::1',
      '"x"',
      '%00',
    ]) {
      assert.equal(originFor({ 'X-Forwarded-Host': host }), 'http://10.0.0.7:8787', host);
    }
    assert.equal(originFor({ 'X-Forwarded-Proto': `${'x,'.repeat(50_000)}https` }), 'https://10.0.0.7:8787');
  });
});
