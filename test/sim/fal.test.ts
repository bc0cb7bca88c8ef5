/** The simulated queue as any client sees it, without the adapter. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { withFalControls } from '../../sim/fal/controls.ts';
import { outcomeShape } from '../../sim/fal/outcome.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld, type World } from '../../sim/world.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { manualClock } from '../providers/fal-bench.ts';

type Bench = { world: World; clock: ReturnType<typeof manualClock>; dataDir: string };

async function bench(t: TestContext): Promise<Bench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fal-world-'));
  const clock = manualClock();
  const world = await createWorld({ dataDir, clock, log: silentLog, deliver: unexpected });
  t.after(async () => {
    await world.close();
    await rm(dataDir, { recursive: true });
  });
  return { world, clock, dataDir };
}

const unexpected: typeof fetch = async () => new Response(null, { status: 500 });

type Answer = { status: number; body: Record<string, unknown>; headers: Headers };
type SendOptions = { method?: string; json?: unknown; key?: string | null };

/** Sends a request with the simulator's own key, or with the given one; null sends none. */
async function send({ world }: Pick<Bench, 'world'>, path: string, options: SendOptions = {}): Promise<Answer> {
  const { method = 'GET', json, key = world.fal.credentials.apiKey } = options;
  const response = await world.fetch(path.startsWith('https:') ? path : `${world.fal.urls.queueUrl}/${path}`, {
    method,
    headers: key === null ? {} : { authorization: `Key ${key}` },
    ...(json === undefined ? {} : { body: typeof json === 'string' ? json : JSON.stringify(json) }),
  });
  const text = await response.text();
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
  return { status: response.status, body, headers: response.headers };
}

const input = { prompt: 'a heron', duration: '4s' };

async function submitted(made: Bench, options: { endpoint?: string; input?: object } = {}): Promise<string> {
  const { endpoint = 'fal-ai/veo3.1', input: json = input } = options;
  const { status, body } = await send(made, endpoint, { method: 'POST', json });
  assert.equal(status, 200);
  return String(body.request_id);
}

test('a submit is answered with its queue position and three URLs', async (t) => {
  const made = await bench(t);
  const endpoint = 'fal-ai/kling-video/v2.5-turbo/pro/text-to-video';
  const { body, headers } = await send(made, endpoint, { method: 'POST', json: { prompt: 'x' } });
  const id = String(body.request_id);
  const base = `https://queue.fal.run/fal-ai/kling-video/requests/${id}`;
  assert.deepEqual(body, {
    status: 'IN_QUEUE',
    request_id: id,
    response_url: `${base}/response`,
    status_url: `${base}/status`,
    cancel_url: `${base}/cancel`,
    queue_position: 1,
  });
  assert.equal(headers.get('x-fal-request-id'), id);
  for (const url of [body.status_url, body.response_url, base].map(String)) {
    assert.notEqual((await send(made, url)).status, 404, url);
  }
  assert.equal(
    (await send(made, `${endpoint}/requests/${id}/status`)).status,
    404,
    'a job’s URL has the app alone, not the whole endpoint',
  );
});

test('a job waits, runs and ends by the clock', async (t) => {
  const made = await bench(t);
  made.world.fal.controls.setTiming({ queueMs: 1_500, runMs: 2_000 });
  const id = await submitted(made);
  const fetchStatus = async (query = '') => send(made, `fal-ai/veo3.1/requests/${id}/status${query}`);
  const shown = async () => {
    const { status, body } = await fetchStatus();
    return [status, body.status, body.queue_position];
  };
  assert.deepEqual(await shown(), [202, 'IN_QUEUE', 2]);
  made.clock.turn(600);
  assert.deepEqual(await shown(), [202, 'IN_QUEUE', 1]);
  made.clock.turn(900);
  assert.deepEqual(await shown(), [202, 'IN_PROGRESS', undefined]);
  assert.equal((await fetchStatus()).body.logs, null);
  assert.equal(((await fetchStatus('?logs=1')).body.logs as object[]).length, 1);
  const early = await send(made, `fal-ai/veo3.1/requests/${id}`);
  assert.deepEqual([early.status, early.body], [400, { detail: 'Request is still in progress' }]);
  made.clock.turn(2_000);
  assert.deepEqual(await shown(), [200, 'COMPLETED', undefined]);
  for (const form of ['', '/response']) {
    const result = await send(made, `fal-ai/veo3.1/requests/${id}${form}`);
    assert.equal(result.status, 200);
    assert.match(JSON.stringify(result.body), /^\{"video":\{"url":"https:\/\/v3\.fal\.media\/files\/video\//);
  }
});

test('without a key, or with another account’s key, a job cannot be read', async (t) => {
  const made = await bench(t);
  made.world.fal.controls.addApiKey('another:account');
  const id = await submitted(made);
  for (const key of [null, 'wrong', '']) {
    assert.equal((await send(made, 'fal-ai/veo3.1', { method: 'POST', json: input, key })).status, 401);
    assert.equal((await send(made, `fal-ai/veo3.1/requests/${id}/status`, { key })).status, 401);
  }
  for (const path of ['', '/status', '/response']) {
    const answer = await send(made, `fal-ai/veo3.1/requests/${id}${path}`, { key: 'another:account' });
    assert.equal(answer.status, 404, path);
  }
  const put = { method: 'PUT', key: 'another:account' };
  assert.equal((await send(made, `fal-ai/veo3.1/requests/${id}/cancel`, put)).status, 404);
  assert.equal((await made.world.fal.controls.jobs()).length, 1);
});

test('the queue accepts any input, and the model rejects invalid fields one by one', async (t) => {
  const made = await bench(t);
  const typesOf = async (endpoint: string, json: object) => {
    const id = await submitted(made, { endpoint, input: json });
    await made.world.fal.controls.finish(id);
    const app = endpoint.split('/').slice(0, 2).join('/');
    const { status, body } = await send(made, `${app}/requests/${id}`);
    if (status === 200) return 'valid';
    assert.equal(status, 422);
    return (body.detail as { loc: string[]; type: string }[]).map(({ loc, type }) => `${loc.join('.')} ${type}`).join();
  };
  assert.equal(await typesOf('fal-ai/veo3.1', input), 'valid');
  assert.equal(await typesOf('fal-ai/veo3.1', { prompt: 'x', a_field_of_tomorrow: 1 }), 'valid');
  assert.equal(await typesOf('fal-ai/veo3.1', { duration: '4' }), 'body.prompt missing,body.duration literal_error');
  assert.equal(await typesOf('fal-ai/veo3.1/image-to-video', input), 'body.image_url missing');
  assert.equal(
    await typesOf('fal-ai/pika/v2.2/text-to-video', { prompt: 'x', duration: 5 }),
    'body.duration literal_error',
  );
  const unknown = await send(made, 'fal-ai/sora-2/text-to-video', { method: 'POST', json: input });
  assert.equal(unknown.status, 404);
  assert.equal((await send(made, 'fal-ai/veo3.1', { method: 'POST', json: 'no json' })).status, 400);
});

test('each outcome has fal’s status codes and bodies', async (t) => {
  const made = await bench(t);
  const seen: Record<string, string> = {};
  for (const outcome of outcomeShape.options.filter((name) => !name.startsWith('video') && name !== 'hang')) {
    const id = await submitted(made, { input: { prompt: `x [fal:${outcome}] y`, duration: '4s' } });
    await made.world.fal.controls.finish(id);
    const status = await send(made, `fal-ai/veo3.1/requests/${id}/status`);
    assert.equal(status.body.status, 'COMPLETED', 'fal reports every end as COMPLETED');
    const result = await send(made, `fal-ai/veo3.1/requests/${id}/response`);
    const { detail } = result.body;
    const type = Array.isArray(detail)
      ? detail[0].type
      : (result.headers.get('x-fal-error-type') ?? JSON.stringify(result.body));
    seen[outcome] = `${status.body.error_type ?? '-'} ${result.status} ${type}`;
  }
  assert.deepEqual(seen, {
    no_file: '- 200 {"video":null}',
    no_files: '- 200 {}',
    moderated: '- 422 content_policy_violation',
    invalid: '- 422 literal_error',
    no_media: '- 422 no_media_generated',
    timeout: 'request_timeout 504 request_timeout',
    generation_timeout: '- 504 generation_timeout',
    unavailable: '- 500 downstream_service_unavailable',
    downstream: '- 400 downstream_service_error',
    crash: 'runner_disconnected 503 runner_disconnected',
    unexplained: '- 500 {"detail":"Internal Server Error"}',
  });
});

test('a job that hangs never ends by itself; planned outcomes override those in prompts', async (t) => {
  const made = await bench(t);
  made.world.fal.controls.planOutcomes('hang', 'moderated');
  const [hanging, declined] = [await submitted(made), await submitted(made, { input: { prompt: 'x [fal:video]' } })];
  made.clock.turn(30 * 24 * 3_600_000);
  assert.equal((await send(made, `fal-ai/veo3.1/requests/${hanging}/status`)).body.status, 'IN_PROGRESS');
  assert.equal((await send(made, `fal-ai/veo3.1/requests/${declined}`)).status, 422);
});

test('a cancellation ends a job that has not started; a running job continues', async (t) => {
  const made = await bench(t);
  const { controls } = made.world.fal;
  controls.setTiming({ queueMs: null, runMs: null });
  const cancel = async (id: string) => {
    const { status, body } = await send(made, `fal-ai/veo3.1/requests/${id}/cancel`, { method: 'PUT' });
    return `${status} ${body.status}`;
  };
  const [waiting, running] = [await submitted(made), await submitted(made)];
  await controls.start(running);
  assert.equal(await cancel(waiting), '202 CANCELLATION_REQUESTED');
  assert.equal(await cancel(running), '202 CANCELLATION_REQUESTED');
  assert.equal(await cancel(waiting), '400 ALREADY_COMPLETED');
  assert.equal(await cancel(crypto.randomUUID()), '404 NOT_FOUND');
  const status = await send(made, `fal-ai/veo3.1/requests/${waiting}/status`);
  assert.deepEqual([status.body.status, status.body.error_type], ['COMPLETED', 'client_cancelled']);
  await controls.finish(running);
  assert.equal((await send(made, `fal-ai/veo3.1/requests/${running}`)).status, 200);
});

test('a submit whose connection is cut creates a job only when it is applied', async (t) => {
  const made = await bench(t);
  const { controls } = made.world.fal;
  for (const apply of [true, false]) {
    controls.plan({ on: 'submit', apply, reply: 'cut' });
    await assert.rejects(submitted(made, { input: { prompt: `cut ${apply}` } }), { message: 'fetch failed' });
    assert.equal(controls.submitsOf(`cut ${apply}`), 1);
  }
  assert.deepEqual(
    (await controls.jobs()).map(({ input }) => input.prompt),
    ['cut true'],
  );
});

test('a planned fault lasts as often as planned, and affects only its operation', async (t) => {
  const made = await bench(t);
  const id = await submitted(made);
  made.world.fal.controls.plan({ on: 'status', times: 2, reply: { status: 429, headers: { 'retry-after': '3' } } });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    await submitted(made);
    statuses.push((await send(made, `fal-ai/veo3.1/requests/${id}/status`)).status);
  }
  assert.deepEqual(statuses, [429, 429, 202]);
});

test('jobs, keys and accounts survive a restart, and are shared by worlds with one folder', async (t) => {
  const made = await bench(t);
  const id = await submitted(made);
  const keys = (await send(made, 'https://rest.fal.ai/.well-known/jwks.json')).body;
  const other = await createWorld({ dataDir: made.dataDir, clock: made.clock, log: silentLog, deliver: unexpected });
  t.after(() => other.close());
  await made.world.close();
  assert.equal(other.fal.credentials.apiKey, made.world.fal.credentials.apiKey);
  assert.deepEqual((await send({ world: other }, 'https://rest.fal.ai/.well-known/jwks.json')).body, keys);
  assert.equal((await send({ world: other }, `fal-ai/veo3.1/requests/${id}/status`)).status, 202);
  made.clock.turn(60_000);
  assert.equal((await send({ world: other }, `fal-ai/veo3.1/requests/${id}`)).status, 200);
});

test('worlds that start at once share one identity, and leave no temporary files', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'fal-world-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const clock = { now: () => new Date(0) };
  const worlds = await Promise.all(Array.from({ length: 8 }, () => createWorld({ dataDir, clock, log: silentLog })));
  assert.equal(new Set(worlds.map(({ fal }) => fal.credentials.apiKey)).size, 1);
  await Promise.all(worlds.map((world) => world.close()));
  assert.deepEqual((await readdir(join(dataDir, 'simulators', 'fal'))).sort(), ['identity.json', 'jobs']);
});

test('jobs older than fal’s retention are deleted at the next start', async (t) => {
  const made = await bench(t);
  await submitted(made);
  made.clock.turn(8 * 24 * 3_600_000);
  await submitted(made);
  const later = await createWorld({ dataDir: made.dataDir, clock: made.clock, log: silentLog, deliver: unexpected });
  t.after(() => later.close());
  assert.equal((await later.fal.controls.jobs()).length, 1);
});

test('served over a port, one URL serves all of fal’s hosts, and the control panel does what the object does', async (t) => {
  const made = await bench(t);
  const { fal } = made.world;
  const { url, close } = await serveSimulator(withFalControls(fal));
  t.after(close);
  const call = async (method: string, path: string, json?: unknown) => {
    const headers = { authorization: `Key ${fal.credentials.apiKey}` };
    const response = await fetch(`${url}${path}`, { method, headers, ...(json ? { body: JSON.stringify(json) } : {}) });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
  };
  assert.equal((await call('PUT', '/_control/timing', { queueMs: null, runMs: null, webhookRetryMs: 5 })).status, 204);
  assert.equal((await call('POST', '/_control/outcomes', ['video'])).status, 204);
  const { body: submission } = await call('POST', '/fal-ai/veo3.1', { ...input, prompt: 'x [fal:moderated]' });
  assert.ok(submission.status_url.startsWith(`${url}/fal-ai/veo3.1/requests/`));
  assert.equal((await call('POST', `/_control/jobs/${submission.request_id}/start`)).status, 204);
  assert.equal((await fal.controls.jobs())[0]?.startsAtMs, made.clock.now().getTime());
  assert.equal((await call('POST', `/_control/jobs/${submission.request_id}/finish`)).status, 204);
  const { body: result } = await call('GET', new URL(submission.response_url).pathname);
  assert.ok(result.video.url.startsWith(`${url}/files/video/`));
  assert.equal((await fetch(result.video.url)).headers.get('content-type'), 'video/mp4');

  assert.equal((await call('POST', '/_control/faults', { on: 'submit', reply: { status: 503 } })).status, 204);
  assert.equal((await call('POST', '/fal-ai/veo3.1', input)).status, 503);
  assert.equal((await call('POST', '/_control/faults', { times: 9, reply: { status: 503 } })).status, 204);
  assert.equal((await call('DELETE', '/_control/faults')).status, 204);
  assert.equal((await call('POST', '/_control/webhooks', [{ fault: 'lose' }])).status, 204);
  const { keys: before } = (await call('GET', '/.well-known/jwks.json')).body;
  assert.equal((await call('POST', '/_control/keys', { apiKey: 'a:b', rotate: { keepOld: true } })).status, 204);
  assert.equal((await call('GET', '/.well-known/jwks.json')).body.keys.length, before.length + 1);
  assert.equal((await call('GET', '/_control/jobs')).body.length, 1);
  assert.equal(
    (await call('GET', '/_control/calls')).body.filter((made: { operation: string }) => made.operation === 'submit')
      .length,
    2,
  );
  assert.deepEqual((await call('GET', '/_control/deliveries')).body, []);
  assert.equal(
    (await made.world.fetch(`${fal.urls.queueUrl}/_control/jobs`)).status,
    401,
    'no control panel inside the server',
  );
});
