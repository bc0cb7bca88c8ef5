/** Which webhooks pass verification: every case is an event that the simulator signed, or a forged one. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite, type TestContext, test } from 'node:test';
import type { FaultInput } from '../../sim/faults.ts';
import type { WebhookVerdict } from '../../src/providers/provider.ts';
import { falBench } from './fal-bench.ts';

const REQUEST_ID = '123e4567-e89b-42d3-a456-426614174000';
const BODY = JSON.stringify({ request_id: REQUEST_ID, gateway_request_id: 'other', status: 'OK', payload: null });

type Event = { body: string; headers: Record<string, string> };

async function bench(t: TestContext) {
  const made = await falBench(t);
  const { provider, clock, controls } = made;
  const verify = async ({ body, headers }: Event): Promise<WebhookVerdict> => {
    const delivery = { headers: new Headers(headers), body: new TextEncoder().encode(body), receivedAt: clock.now() };
    return (await provider.verifyWebhook?.(delivery)) ?? { ok: false, cause: 'no verifier' };
  };
  const sign = (body = BODY, requestId = REQUEST_ID) => controls.sign(body, { requestId });
  const jwksRequests = () => controls.calls().filter(({ operation }) => operation === 'jwks').length;
  return { ...made, verify, sign, jwksRequests };
}

const without = ({ body, headers }: Event, name: string): Event => {
  const { [name]: _, ...rest } = headers;
  return { body, headers: rest };
};
const withHeader = ({ body, headers }: Event, name: string, value: string): Event => ({
  body,
  headers: { ...headers, [name]: value },
});

suite('fal’s webhooks', { concurrency: 4 }, () => {
  test('a genuine event passes, and names its job', async (t) => {
    const { verify, sign, jwksRequests } = await bench(t);
    assert.deepEqual(await verify(sign()), { ok: true, providerJobId: REQUEST_ID, eventId: null });
    assert.deepEqual(await verify(sign()), { ok: true, providerJobId: REQUEST_ID, eventId: null }, 'again');
    assert.equal(jwksRequests(), 1, 'the keys are cached');
  });

  test('the job’s id comes from the body, or from the signed header where the body has none', async (t) => {
    const { verify, sign } = await bench(t);
    const idOf = (verdict: WebhookVerdict) => verdict.ok && verdict.providerJobId;
    assert.equal(idOf(await verify(sign(BODY, 'gateway-id'))), REQUEST_ID);
    for (const body of ['', 'no json', '[]', '{"request_id":7}', '{"request_id":"../x"}', '\u0000ÿ']) {
      assert.equal(idOf(await verify(sign(body, 'header-id'))), 'header-id', body);
    }
    assert.equal(idOf(await verify(sign('{}', 'no/id'))), null);
  });

  test('a timestamp may be wrong by five minutes in either direction, and no more', async (t) => {
    const { verify, sign, clock } = await bench(t);
    const event = sign();
    clock.turn(300_000);
    assert.equal((await verify(event)).ok, true);
    clock.turn(1_000);
    assert.deepEqual(await verify(event), { ok: false, cause: 'it is too old, or from the future' });
    clock.turn(-601_000);
    assert.equal((await verify(event)).ok, true);
    clock.turn(-1_000);
    assert.equal((await verify(event)).ok, false);
  });

  const headers = ['request-id', 'user-id', 'timestamp', 'signature'].map((name) => `x-fal-webhook-${name}`);
  const forgeries: [string, (event: Event) => Event, RegExp][] = [
    ['a changed body', ({ body, ...event }) => ({ ...event, body: `${body} ` }), /none of fal’s keys/],
    [
      'a body that was formatted again',
      ({ body, ...event }) => ({ ...event, body: JSON.stringify(JSON.parse(body), null, 1) }),
      /none/,
    ],
    ...headers.map((name): [string, (event: Event) => Event, RegExp] => [
      `no ${name}`,
      (event) => without(event, name),
      /a header of the signature is missing/,
    ]),
    ...headers
      .slice(0, 2)
      .map((name): [string, (event: Event) => Event, RegExp] => [
        `another ${name}`,
        (event) => withHeader(event, name, 'another'),
        /none of fal’s keys/,
      ]),
    [
      'another timestamp',
      (event) =>
        withHeader(event, 'x-fal-webhook-timestamp', String(Number(event.headers['x-fal-webhook-timestamp']) + 1)),
      /none/,
    ],
    [
      'a timestamp that is not a number',
      (event) => withHeader(event, 'x-fal-webhook-timestamp', 'now'),
      /no unix time/,
    ],
    [
      'a timestamp in milliseconds',
      (event) => withHeader(event, 'x-fal-webhook-timestamp', '1795348800000'),
      /no unix time/,
    ],
    ['a negative timestamp', (event) => withHeader(event, 'x-fal-webhook-timestamp', '-1'), /no unix time/],
    ['an empty signature', (event) => withHeader(event, 'x-fal-webhook-signature', ''), /missing/],
    ['a short signature', (event) => withHeader(event, 'x-fal-webhook-signature', 'abcd'), /64 bytes of hex/],
    ['a signature of zeros', (event) => withHeader(event, 'x-fal-webhook-signature', '0'.repeat(128)), /none/],
    [
      'a signature in base64',
      (event) =>
        withHeader(
          event,
          'x-fal-webhook-signature',
          Buffer.from(event.headers['x-fal-webhook-signature'] ?? '', 'hex').toString('base64'),
        ),
      /64 bytes of hex/,
    ],
  ];
  for (const [name, forge, cause] of forgeries) {
    test(`an event with ${name} is rejected`, async (t) => {
      const { verify, sign } = await bench(t);
      const verdict = await verify(forge(sign()));
      assert.ok(!verdict.ok);
      assert.match(verdict.cause, cause);
    });
  }

  for (const forgery of ['other_key', 'changed_body', 'stale', 'future', 'unsigned'] as const) {
    test(`the simulator’s «${forgery}» event is rejected`, async (t) => {
      const { verify, controls } = await bench(t);
      assert.equal((await verify(controls.sign(BODY, { requestId: REQUEST_ID, forgery }))).ok, false);
    });
  }

  test('while two keys are published, either of them is valid', async (t) => {
    const { verify, sign, controls } = await bench(t);
    const old = sign();
    controls.rotateKeys({ keepOld: true });
    assert.equal((await verify(sign())).ok, true);
    assert.equal((await verify(old)).ok, true);
  });

  test('an unknown key is fetched once it signs an event, and the old key is then rejected', async (t) => {
    const { verify, sign, controls, jwksRequests, clock } = await bench(t);
    const old = sign();
    assert.equal((await verify(old)).ok, true);
    controls.rotateKeys({ keepOld: false });
    clock.turn(61_000);
    assert.equal((await verify(sign())).ok, true);
    assert.equal(jwksRequests(), 2);
    clock.turn(61_000);
    assert.equal((await verify(old)).ok, false);
  });

  test('forged events cause at most one request for keys a minute, however many arrive', async (t) => {
    const { verify, controls, jwksRequests, clock } = await bench(t);
    const forge = () => verify(controls.sign(BODY, { requestId: REQUEST_ID, forgery: 'other_key' }));
    controls.plan({ on: 'jwks', hangMs: 50 });
    const verdicts = await Promise.all(Array.from({ length: 50 }, forge));
    assert.ok(verdicts.every(({ ok }) => !ok));
    assert.equal(jwksRequests(), 1);
    clock.turn(59_000);
    await forge();
    assert.equal(jwksRequests(), 1);
    clock.turn(1_000);
    await Promise.all([forge(), forge()]);
    assert.equal(jwksRequests(), 2);
  });

  test('keys older than a day are fetched again', async (t) => {
    const { verify, sign, jwksRequests, clock } = await bench(t);
    await verify(sign());
    clock.turn(24 * 3_600_000 - 1_000);
    await verify(sign());
    assert.equal(jwksRequests(), 1);
    clock.turn(1_000);
    assert.equal((await verify(sign())).ok, true);
    assert.equal(jwksRequests(), 2);
  });

  const outages: FaultInput['reply'][] = [
    'cut',
    { status: 500 },
    { status: 200, text: '<html>' },
    { status: 200, text: '{"keys":[]}' },
    { status: 200, text: '{"keys":7}' },
    { status: 302, headers: { location: 'https://example.com/jwks.json' } },
    { status: 200, fillerBytes: 3_000_000 },
  ];
  for (const reply of outages) {
    test(`no keys (${JSON.stringify(reply)}): every event is rejected, and the next attempt comes soon`, async (t) => {
      const { verify, sign, controls, clock, log } = await bench(t);
      controls.plan({ on: 'jwks', ...(reply ? { reply } : {}) });
      assert.deepEqual(await verify(sign()), {
        ok: false,
        cause: 'fal’s keys cannot be had, so nothing can be verified',
      });
      assert.equal((await verify(sign())).ok, false, 'no second request at once');
      assert.deepEqual(
        log.lines.map(({ level }) => level),
        ['warn'],
      );
      clock.turn(5_000);
      assert.equal((await verify(sign())).ok, true);
    });
  }

  test('an outage with known keys changes nothing, until they are a day old', async (t) => {
    const { verify, sign, controls, clock } = await bench(t);
    await verify(sign());
    controls.plan({ on: 'jwks', times: 100, reply: 'cut' });
    clock.turn(3_600_000);
    assert.equal((await verify(sign())).ok, true);
    assert.equal((await verify(controls.sign(BODY, { forgery: 'other_key' }))).ok, false);
    assert.equal((await verify(sign())).ok, true, 'a failed request does not delete the keys');
    clock.turn(24 * 3_600_000);
    assert.equal((await verify(sign())).ok, false);
  });

  test('keys of other kinds beside the valid one do no harm', async (t) => {
    const { verify, sign, controls, fetch } = await bench(t);
    const { keys } = (await (await fetch('https://rest.fal.ai/.well-known/jwks.json')).json()) as { keys: object[] };
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    const others = [rsa, null, 'x', { kty: 'OKP', crv: 'Ed25519', x: '!' }, { kty: 'OKP', crv: 'X25519', x: 'AAAA' }];
    controls.plan({ on: 'jwks', reply: { status: 200, text: JSON.stringify({ keys: [...others, ...keys] }) } });
    assert.equal((await verify(sign())).ok, true);
  });
});
