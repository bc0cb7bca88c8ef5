/** What the simulated fal sends to a webhook URL. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { WebhookFault } from '../../sim/fal/webhook-faults.ts';
import { createWorld, type World } from '../../sim/world.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { manualClock } from '../providers/fal-bench.ts';

const HOOK = 'https://api.example.com/functions/v1/webhook-delivery?provider=fal&job=1';

type Received = { url: string; body: Record<string, unknown>; text: string; headers: Headers };

/** `answer` gives the status with which the listener answers the n-th event, counted from 1; 0 is a failed connection. */
async function bench(t: TestContext, answer: (count: number) => number | Promise<number> = () => 200) {
  const dataDir = await mkdtemp(join(tmpdir(), 'fal-hooks-'));
  const clock = manualClock();
  const received: Received[] = [];
  const deliver: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const text = await request.text();
    const body = JSON.parse(text) as Record<string, unknown>;
    received.push({ url: request.url, body, text, headers: request.headers });
    const status = await answer(received.length);
    if (status === 0) throw new TypeError('fetch failed');
    return new Response(null, { status });
  };
  const open = () => createWorld({ dataDir, clock, log: silentLog, deliver });
  const world = await open();
  const worlds = [world];
  t.after(async () => {
    await Promise.all(worlds.map((each) => each.close()));
    await rm(dataDir, { recursive: true });
  });
  world.fal.controls.setTiming({ queueMs: null, runMs: null });
  world.fal.controls.setWebhookRetryMs(0);
  const reopen = async () => {
    const next = await open();
    worlds.push(next);
    return next;
  };
  return { world, received, clock, reopen, controls: world.fal.controls };
}

async function submitted(world: World, prompt = 'a heron', hook: string | null = HOOK): Promise<string> {
  const query = hook === null ? '' : `?fal_webhook=${encodeURIComponent(hook)}`;
  const response = await world.fetch(`${world.fal.urls.queueUrl}/fal-ai/veo3.1${query}`, {
    method: 'POST',
    headers: { authorization: `Key ${world.fal.credentials.apiKey}` },
    body: JSON.stringify({ prompt }),
  });
  return ((await response.json()) as { request_id: string }).request_id;
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 90_000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'the condition did not become true within 90 s');
    await new Promise(setImmediate);
  }
}

async function isGenuine(world: World, { text, headers }: Received): Promise<boolean> {
  const response = await world.fetch(`${world.fal.urls.restUrl}/.well-known/jwks.json`);
  const { keys } = (await response.json()) as { keys: { kty: string; crv: string; x: string }[] };
  const of = (name: string) => headers.get(`x-fal-webhook-${name}`) ?? '';
  const digest = createHash('sha256').update(text).digest('hex');
  const message = Buffer.from(`${of('request-id')}\n${of('user-id')}\n${of('timestamp')}\n${digest}`);
  const signature = Buffer.from(of('signature'), 'hex');
  return keys.some((key) => verify(null, message, createPublicKey({ key, format: 'jwk' }), signature));
}

test('a finished job sends one signed event to the whole URL', async (t) => {
  const { world, received, controls } = await bench(t);
  const id = await submitted(world);
  await controls.finish(id);
  await controls.finish(id);
  assert.equal(received.length, 1);
  const [event] = received;
  assert.ok(event);
  assert.equal(event.url, HOOK);
  assert.equal(event.body.request_id, id);
  assert.equal(event.body.status, 'OK');
  assert.match(JSON.stringify(event.body.payload), /"url":"https:\/\/v3\.fal\.media\/files\/video\//);
  assert.ok(await isGenuine(world, event));
  assert.deepEqual(controls.deliveries(), [{ requestId: id, url: HOOK, attempt: 1, status: 200 }]);
});

test('a failed job sends its error; a cancelled one, and one without a webhook URL, send nothing', async (t) => {
  const { world, received, controls } = await bench(t);
  await controls.finish(await submitted(world, 'x [fal:moderated]'));
  const [event] = received;
  assert.equal(event?.body.status, 'ERROR');
  assert.equal(event?.body.error, 'Invalid status code: 422');
  assert.match(JSON.stringify(event?.body.payload), /content_policy_violation/);
  await controls.finish(await submitted(world, 'x', null));
  const cancelled = await submitted(world);
  const headers = { authorization: `Key ${world.fal.credentials.apiKey}` };
  await world.fetch(`${world.fal.urls.queueUrl}/fal-ai/veo3.1/requests/${cancelled}/cancel`, {
    method: 'PUT',
    headers,
  });
  await controls.finish(cancelled);
  assert.equal(received.length, 1);
});

test('the clock alone ends a job and sends its event', async (t) => {
  const { world, received, clock, controls } = await bench(t);
  controls.setTiming({ queueMs: 40, runMs: 40 });
  await submitted(world);
  clock.turn(80);
  await until(() => received.length === 1);
});

test('an event is sent again until it is accepted', async (t) => {
  const answers = [500, 0, 302, 404, 204];
  const { world, received, controls } = await bench(t, (count) => answers[count - 1] ?? 200);
  await controls.finish(await submitted(world));
  assert.equal(received.length, answers.length);
  assert.equal(new Set(received.map(({ text }) => text)).size, 1);
  assert.deepEqual(
    controls.deliveries().map(({ attempt, status }) => [attempt, status]),
    [
      [1, 500],
      [2, null],
      [3, 302],
      [4, 404],
      [5, 204],
    ],
  );
});

test('fal stops after ten attempts', async (t) => {
  const { world, received, controls } = await bench(t, () => 500);
  await controls.finish(await submitted(world));
  assert.equal(received.length, 10);
});

test('an event that was not accepted when the process ended is sent by the next one', async (t) => {
  const { world, received, controls, reopen } = await bench(t, (count) => (count === 1 ? 500 : 200));
  controls.setWebhookRetryMs(60_000);
  const id = await submitted(world);
  const finishing = controls.finish(id);
  await until(() => received.length === 1);
  await world.close();
  await finishing;
  await reopen();
  await until(() => received.length === 2);
  assert.equal(received[1]?.body.request_id, id);
});

const ids = (received: Received[]) => received.map(({ body }) => body.request_id);

async function underFaults(t: TestContext, faults: WebhookFault[]) {
  const made = await bench(t);
  made.controls.planWebhooks(...faults);
  const [first, second] = [await submitted(made.world), await submitted(made.world)];
  return { ...made, first, second };
}

test('a lost event never arrives, and the next one does', async (t) => {
  const { received, controls, first, second } = await underFaults(t, [{ fault: 'lose' }]);
  await controls.finish(first);
  await controls.finish(second);
  assert.deepEqual(ids(received), [second]);
});

test('a repeated event arrives as often as planned', async (t) => {
  const { received, controls, first } = await underFaults(t, [{ fault: 'repeat', times: 3 }]);
  await controls.finish(first);
  assert.deepEqual(ids(received), [first, first, first]);
});

test('a reordered event arrives after the next one', async (t) => {
  const { received, controls, first, second } = await underFaults(t, [{ fault: 'reorder' }]);
  const overtaken = controls.finish(first);
  await until(() => controls.withheldEvents() === 1);
  await controls.finish(second);
  await overtaken;
  assert.deepEqual(ids(received), [second, first]);
});

test('a delayed event arrives late', async (t) => {
  const { received, controls, first } = await underFaults(t, [{ fault: 'delay', ms: 80 }]);
  const startMs = performance.now();
  await controls.finish(first);
  assert.ok(performance.now() - startMs >= 75);
  assert.deepEqual(ids(received), [first]);
});

test('an event without its payload has payload_error', async (t) => {
  const { received, controls, first } = await underFaults(t, [{ fault: 'no_payload' }]);
  await controls.finish(first);
  const [event] = received;
  assert.deepEqual([event?.body.status, event?.body.payload], ['OK', null]);
  assert.equal(typeof event?.body.payload_error, 'string');
});

test('an early event arrives before its submit is answered', async (t) => {
  const { world, received, controls } = await bench(t);
  controls.planWebhooks({ fault: 'early' });
  const answered = submitted(world);
  await until(() => received.length === 1);
  const [event] = received;
  assert.equal(await answered, event?.body.request_id);
  assert.ok((await controls.jobs())[0]?.endsAtMs !== null);
});

for (const as of ['other_key', 'changed_body', 'stale', 'future', 'unsigned', 'foreign'] as const) {
  test(`a forged event (${as}) arrives instead of the genuine one`, async (t) => {
    const { world, received, controls, clock, first } = await underFaults(t, [{ fault: 'forge', as }]);
    await controls.finish(first);
    assert.equal(received.length, 1);
    const [event] = received;
    assert.ok(event);
    const shiftSeconds = Number(event.headers.get('x-fal-webhook-timestamp')) - clock.now().getTime() / 1000;
    const expected = {
      other_key: 0,
      changed_body: 0,
      stale: -600,
      future: 600,
      unsigned: -clock.now().getTime() / 1000,
      foreign: 0,
    };
    assert.equal(shiftSeconds, expected[as]);
    assert.equal(await isGenuine(world, event), as === 'stale' || as === 'future' || as === 'foreign');
    assert.equal(event.body.request_id === first, as !== 'foreign');
  });
}
