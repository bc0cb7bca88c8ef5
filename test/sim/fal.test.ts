/** The simulated queue as any client sees it. The adapter plays no part here. */
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
import { turnableClock } from '../providers/fal-bench.ts';

type Bench = { world: World; clock: ReturnType<typeof turnableClock>; dataDir: string };

async function bench(t: TestContext): Promise<Bench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fal-world-'));
  const clock = turnableClock();
  const world = await createWorld({ dataDir, clock, log: silentLog, deliver: unexpected });
  t.after(async () => {
    await world.close();
    await rm(dataDir, { recursive: true });
  });
  return { world, clock, dataDir };
}

const unexpected: typeof fetch = async () => new Response(null, { status: 500 });

type Asked = { status: number; body: Record<string, unknown>; headers: Headers };
type AskOptions = { method?: string; json?: unknown; key?: string | null };

/** A question with the simulator's own key, unless another is given, or null for none. */
async function ask({ world }: Pick<Bench, 'world'>, path: string, options: AskOptions = {}): Promise<Asked> {
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
  const { status, body } = await ask(made, endpoint, { method: 'POST', json });
  assert.equal(status, 200);
  return String(body.request_id);
}

test('a submit is answered with its place in the queue and with three addresses', async (t) => {
  const made = await bench(t);
  const endpoint = 'fal-ai/kling-video/v2.5-turbo/pro/text-to-video';
  const { body, headers } = await ask(made, endpoint, { method: 'POST', json: { prompt: 'x' } });
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
  for (const address of [body.status_url, body.response_url, base].map(String)) {
    assert.notEqual((await ask(made, address)).status, 404, address);
  }
  assert.equal((await ask(made, `${endpoint}/requests/${id}/status`)).status, 404, 'the app alone names a job');
});

test('a job waits, runs and ends as the clock goes on', async (t) => {
  const made = await bench(t);
  made.world.fal.controls.setTiming({ queueMs: 1_500, runMs: 2_000 });
  const id = await submitted(made);
  const look = async (query = '') => ask(made, `fal-ai/veo3.1/requests/${id}/status${query}`);
  const shown = async () => {
    const { status, body } = await look();
    return [status, body.status, body.queue_position];
  };
  assert.deepEqual(await shown(), [202, 'IN_QUEUE', 2]);
  made.clock.turn(600);
  assert.deepEqual(await shown(), [202, 'IN_QUEUE', 1]);
  made.clock.turn(900);
  assert.deepEqual(await shown(), [202, 'IN_PROGRESS', undefined]);
  assert.equal((await look()).body.logs, null);
  assert.equal(((await look('?logs=1')).body.logs as object[]).length, 1);
  const early = await ask(made, `fal-ai/veo3.1/requests/${id}`);
  assert.deepEqual([early.status, early.body], [400, { detail: 'Request is still in progress' }]);
  made.clock.turn(2_000);
  assert.deepEqual(await shown(), [200, 'COMPLETED', undefined]);
  for (const form of ['', '/response']) {
    const result = await ask(made, `fal-ai/veo3.1/requests/${id}${form}`);
    assert.equal(result.status, 200);
    assert.match(JSON.stringify(result.body), /^\{"video":\{"url":"https:\/\/v3\.fal\.media\/files\/video\//);
  }
});

test('without a key, or with another’s, there is nothing to see', async (t) => {
  const made = await bench(t);
  made.world.fal.controls.addApiKey('somebody:else');
  const id = await submitted(made);
  for (const key of [null, 'wrong', '']) {
    assert.equal((await ask(made, 'fal-ai/veo3.1', { method: 'POST', json: input, key })).status, 401);
    assert.equal((await ask(made, `fal-ai/veo3.1/requests/${id}/status`, { key })).status, 401);
  }
  for (const path of ['', '/status', '/response']) {
    const answer = await ask(made, `fal-ai/veo3.1/requests/${id}${path}`, { key: 'somebody:else' });
    assert.equal(answer.status, 404, path);
  }
  const put = { method: 'PUT', key: 'somebody:else' };
  assert.equal((await ask(made, `fal-ai/veo3.1/requests/${id}/cancel`, put)).status, 404);
  assert.equal((await made.world.fal.controls.jobs()).length, 1);
});

test('the queue takes any input, and the model refuses what it cannot take, field by field', async (t) => {
  const made = await bench(t);
  const typesOf = async (endpoint: string, json: object) => {
    const id = await submitted(made, { endpoint, input: json });
    await made.world.fal.controls.finish(id);
    const app = endpoint.split('/').slice(0, 2).join('/');
    const { status, body } = await ask(made, `${app}/requests/${id}`);
    if (status === 200) return 'fine';
    assert.equal(status, 422);
    return (body.detail as { loc: string[]; type: string }[]).map(({ loc, type }) => `${loc.join('.')} ${type}`).join();
  };
  assert.equal(await typesOf('fal-ai/veo3.1', input), 'fine');
  assert.equal(await typesOf('fal-ai/veo3.1', { prompt: 'x', a_field_of_tomorrow: 1 }), 'fine');
  assert.equal(await typesOf('fal-ai/veo3.1', { duration: '4' }), 'body.prompt missing,body.duration literal_error');
  assert.equal(await typesOf('fal-ai/veo3.1/image-to-video', input), 'body.image_url missing');
  assert.equal(
    await typesOf('fal-ai/pika/v2.2/text-to-video', { prompt: 'x', duration: 5 }),
    'body.duration literal_error',
  );
  const unknown = await ask(made, 'fal-ai/sora-2/text-to-video', { method: 'POST', json: input });
  assert.equal(unknown.status, 404);
  assert.equal((await ask(made, 'fal-ai/veo3.1', { method: 'POST', json: 'no json' })).status, 400);
});

test('each outcome looks on the wire as fal’s does', async (t) => {
  const made = await bench(t);
  const seen: Record<string, string> = {};
  for (const outcome of outcomeShape.options.filter((name) => !name.startsWith('video') && name !== 'hang')) {
    const id = await submitted(made, { input: { prompt: `x [fal:${outcome}] y`, duration: '4s' } });
    await made.world.fal.controls.finish(id);
    const status = await ask(made, `fal-ai/veo3.1/requests/${id}/status`);
    assert.equal(status.body.status, 'COMPLETED', 'there is no other word for it');
    const result = await ask(made, `fal-ai/veo3.1/requests/${id}/response`);
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

test('a job that hangs never ends by itself; planned outcomes come before what prompts ask for', async (t) => {
  const made = await bench(t);
  made.world.fal.controls.planOutcomes('hang', 'moderated');
  const [hanging, declined] = [await submitted(made), await submitted(made, { input: { prompt: 'x [fal:video]' } })];
  made.clock.turn(30 * 24 * 3_600_000);
  assert.equal((await ask(made, `fal-ai/veo3.1/requests/${hanging}/status`)).body.status, 'IN_PROGRESS');
  assert.equal((await ask(made, `fal-ai/veo3.1/requests/${declined}`)).status, 422);
});

test('cancelling stops what has not begun; the rest runs on or has ended', async (t) => {
  const made = await bench(t);
  const { controls } = made.world.fal;
  controls.setTiming({ queueMs: null, runMs: null });
  const cancel = async (id: string) => {
    const { status, body } = await ask(made, `fal-ai/veo3.1/requests/${id}/cancel`, { method: 'PUT' });
    return `${status} ${body.status}`;
  };
  const [waiting, running] = [await submitted(made), await submitted(made)];
  await controls.start(running);
  assert.equal(await cancel(waiting), '202 CANCELLATION_REQUESTED');
  assert.equal(await cancel(running), '202 CANCELLATION_REQUESTED');
  assert.equal(await cancel(waiting), '400 ALREADY_COMPLETED');
  assert.equal(await cancel(crypto.randomUUID()), '404 NOT_FOUND');
  const status = await ask(made, `fal-ai/veo3.1/requests/${waiting}/status`);
  assert.deepEqual([status.body.status, status.body.error_type], ['COMPLETED', 'client_cancelled']);
  await controls.finish(running);
  assert.equal((await ask(made, `fal-ai/veo3.1/requests/${running}`)).status, 200);
});

test('a cut before or after a submit was carried out is told apart by what fal then has', async (t) => {
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

test('a burst of refusals lasts as long as it was planned, and concerns what it was planned for', async (t) => {
  const made = await bench(t);
  const id = await submitted(made);
  made.world.fal.controls.plan({ on: 'status', times: 2, reply: { status: 429, headers: { 'retry-after': '3' } } });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    await submitted(made);
    statuses.push((await ask(made, `fal-ai/veo3.1/requests/${id}/status`)).status);
  }
  assert.deepEqual(statuses, [429, 429, 202]);
});

test('jobs, keys and customers survive a restart, and are shared by worlds over one folder', async (t) => {
  const made = await bench(t);
  const id = await submitted(made);
  const keys = (await ask(made, 'https://rest.fal.ai/.well-known/jwks.json')).body;
  const other = await createWorld({ dataDir: made.dataDir, clock: made.clock, log: silentLog, deliver: unexpected });
  t.after(() => other.close());
  await made.world.close();
  assert.equal(other.fal.credentials.apiKey, made.world.fal.credentials.apiKey);
  assert.deepEqual((await ask({ world: other }, 'https://rest.fal.ai/.well-known/jwks.json')).body, keys);
  assert.equal((await ask({ world: other }, `fal-ai/veo3.1/requests/${id}/status`)).status, 202);
  made.clock.turn(60_000);
  assert.equal((await ask({ world: other }, `fal-ai/veo3.1/requests/${id}`)).status, 200);
});

test('worlds that begin at once agree on who they are, and leave no drafts', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'fal-world-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const clock = { now: () => new Date(0) };
  const worlds = await Promise.all(Array.from({ length: 8 }, () => createWorld({ dataDir, clock, log: silentLog })));
  assert.equal(new Set(worlds.map(({ fal }) => fal.credentials.apiKey)).size, 1);
  await Promise.all(worlds.map((world) => world.close()));
  assert.deepEqual((await readdir(join(dataDir, 'simulators', 'fal'))).sort(), ['identity.json', 'jobs']);
});

test('what is older than fal’s memory is forgotten at the next start', async (t) => {
  const made = await bench(t);
  await submitted(made);
  made.clock.turn(8 * 24 * 3_600_000);
  await submitted(made);
  const later = await createWorld({ dataDir: made.dataDir, clock: made.clock, log: silentLog, deliver: unexpected });
  t.after(() => later.close());
  assert.equal((await later.fal.controls.jobs()).length, 1);
});

test('served over a port, one address is all of fal’s hosts, and the panel does what the object does', async (t) => {
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
  const { body: taken } = await call('POST', '/fal-ai/veo3.1', { ...input, prompt: 'x [fal:moderated]' });
  assert.ok(taken.status_url.startsWith(`${url}/fal-ai/veo3.1/requests/`));
  assert.equal((await call('POST', `/_control/jobs/${taken.request_id}/start`)).status, 204);
  assert.equal((await fal.controls.jobs())[0]?.startsAtMs, made.clock.now().getTime());
  assert.equal((await call('POST', `/_control/jobs/${taken.request_id}/finish`)).status, 204);
  const { body: result } = await call('GET', new URL(taken.response_url).pathname);
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
    'no panel inside the server',
  );
});
