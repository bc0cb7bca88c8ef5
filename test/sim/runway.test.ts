/** Simulated Runway as any client sees it, without the adapter. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeJwt } from 'jose';
import { withRunwayControls } from '../../sim/runway/controls.ts';
import { outcomeShape } from '../../sim/runway/outcome.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld, type World } from '../../sim/world.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { manualClock } from '../providers/fal-bench.ts';
import { PNG } from '../providers/runway-bench.ts';

const HOUR_MS = 3_600_000;
const MEDIA = 'https://dnznrvs05pmza.cloudfront.net';

type Bench = { world: World; clock: ReturnType<typeof manualClock>; dataDir: string };

async function bench(t: TestContext): Promise<Bench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'runway-world-'));
  const clock = manualClock();
  const world = await createWorld({ dataDir, clock, log: silentLog });
  world.runway.controls.setTiming({ queueMs: null, runMs: null });
  t.after(async () => {
    await world.close();
    await rm(dataDir, { recursive: true });
  });
  return { world, clock, dataDir };
}

type Answer = { status: number; body: Record<string, unknown> };
type SendOptions = { method?: string; json?: unknown; key?: string | null; version?: string | null };

/** Sends a request with the simulator's own key and version, or with the given ones; null sends none. */
async function send({ world }: Pick<Bench, 'world'>, path: string, options: SendOptions = {}): Promise<Answer> {
  const { method = 'GET', json, key = world.runway.credentials.apiKey, version = '2024-11-06' } = options;
  const response = await world.fetch(`${world.runway.urls.baseUrl}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(version === null ? {} : { 'x-runway-version': version }),
    },
    ...(json === undefined ? {} : { body: typeof json === 'string' ? json : JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : { text } };
}

const input = { model: 'gen4.5', promptText: 'a heron', ratio: '1280:720', duration: 5 };
const withImage = { ...input, model: 'gen4_turbo', promptImage: 'https://media.example/heron.png' };

async function submitted(made: Bench, json: object = input, kind = 'text_to_video'): Promise<string> {
  const { status, body } = await send(made, `/v1/${kind}`, { method: 'POST', json });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body.id);
}

async function fileOf(made: Bench, id: string): Promise<string> {
  await made.world.runway.controls.finish(id);
  const { body } = await send(made, `/v1/tasks/${id}`);
  return String((body.output as string[])[0]);
}

test('a task waits, runs and ends by the clock, and shows its cost', async (t) => {
  const made = await bench(t);
  made.world.runway.controls.setTiming({ queueMs: 1_000, runMs: 4_000 });
  const { body: submission } = await send(made, '/v1/text_to_video', { method: 'POST', json: input });
  assert.deepEqual(submission, { id: submission.id, estimatedCost: { credits: 60 } });
  const fetchTask = async () => (await send(made, `/v1/tasks/${submission.id}`)).body;
  const known = { id: submission.id, createdAt: '2026-11-22T12:00:00.000Z' };
  assert.deepEqual(await fetchTask(), { ...known, status: 'PENDING', estimatedCost: { credits: 60 } });
  made.clock.turn(2_000);
  assert.deepEqual(await fetchTask(), { ...known, status: 'RUNNING', progress: 0.25, estimatedCost: { credits: 60 } });
  made.clock.turn(3_000);
  const { output, ...ended } = await fetchTask();
  assert.deepEqual(ended, { ...known, status: 'SUCCEEDED', cost: { credits: 60 } });
  assert.match(String(output), /^https:\/\/dnznrvs05pmza\.cloudfront\.net\/[0-9a-f-]{36}\.mp4\?_jwt=[\w.-]+$/);
});

test('without a key, without a version, or with another account’s key, a task cannot be read', async (t) => {
  const made = await bench(t);
  made.world.runway.controls.addApiKey('key_else');
  const id = await submitted(made);
  const requests: [string, SendOptions][] = [
    ['/v1/text_to_video', { method: 'POST', json: input }],
    [`/v1/tasks/${id}`, {}],
    [`/v1/tasks/${id}`, { method: 'DELETE' }],
    ['/v1/uploads', { method: 'POST', json: { filename: 'a.png', type: 'ephemeral' } }],
    ['/v1/organization', {}],
  ];
  for (const [path, options] of requests) {
    for (const key of [null, 'wrong', ''])
      assert.equal((await send(made, path, { ...options, key })).status, 401, path);
    for (const version of [null, '2023-01-01']) {
      assert.equal((await send(made, path, { ...options, version })).status, 400, path);
    }
  }
  for (const method of ['GET', 'DELETE']) {
    assert.equal((await send(made, `/v1/tasks/${id}`, { method, key: 'key_else' })).status, 404);
    assert.equal((await send(made, `/v1/tasks/${crypto.randomUUID()}`, { method })).status, 404);
    assert.equal((await send(made, '/v1/tasks/none', { method })).status, 404);
  }
  assert.equal((await made.world.runway.controls.jobs()).length, 1);
});

test('invalid input is rejected at once, with an issue for each field', async (t) => {
  const made = await bench(t);
  const issuesOf = async (kind: string, json: unknown) => {
    const { status, body } = await send(made, `/v1/${kind}`, { method: 'POST', json });
    if (status === 200) return 'valid';
    assert.equal(status, 400);
    assert.equal(body.error, 'Validation of body failed');
    return (body.issues as { path: string[] }[]).map(({ path }) => path.join('.')).join();
  };
  assert.equal(await issuesOf('text_to_video', { ...input, seed: 7 }), 'valid');
  assert.equal(await issuesOf('text_to_video', { ...input, duration: '5' }), 'duration');
  assert.equal(await issuesOf('text_to_video', { ...input, duration: 2.5 }), 'duration');
  assert.equal(await issuesOf('text_to_video', { ...input, duration: 11, ratio: '16:9' }), 'duration,ratio');
  assert.equal(await issuesOf('text_to_video', { ...input, ratio: '960:960' }), 'ratio');
  assert.equal(await issuesOf('text_to_video', { ...input, promptText: 'x'.repeat(1001) }), 'promptText');
  assert.equal(await issuesOf('text_to_video', { ...input, promptText: '' }), 'promptText');
  assert.equal(await issuesOf('text_to_video', withImage), 'model');
  assert.equal(await issuesOf('text_to_video', 'no json'), '');
  assert.equal(await issuesOf('image_to_video', withImage), 'valid');
  assert.equal(await issuesOf('image_to_video', { ...withImage, promptText: undefined, duration: undefined }), 'valid');
  assert.equal(await issuesOf('image_to_video', { ...withImage, promptImage: undefined }), 'promptImage');
  assert.equal(
    await issuesOf('image_to_video', { ...withImage, promptImage: 'http://media.example/a.png' }),
    'promptImage',
  );
  assert.equal(
    await issuesOf('image_to_video', { ...withImage, promptImage: `runway://${crypto.randomUUID()}` }),
    'promptImage',
  );
  assert.equal(
    await issuesOf('image_to_video', { ...withImage, promptImage: 'data:image/png;base64,iVBORw0KGgo=' }),
    'valid',
  );
});

test('each outcome has Runway’s statuses and codes', async (t) => {
  const made = await bench(t);
  const seen: Record<string, string> = {};
  for (const outcome of outcomeShape.options.filter((name) => !name.startsWith('video'))) {
    const id = await submitted(made, { ...input, promptText: `x [runway:${outcome}] y` });
    const { body: before } = await send(made, `/v1/tasks/${id}`);
    if (outcome !== 'hang') await made.world.runway.controls.finish(id);
    else await made.world.runway.controls.start(id);
    made.clock.turn(HOUR_MS);
    const { body } = await send(made, `/v1/tasks/${id}`);
    const { credits } = (body.cost ?? { credits: '-' }) as { credits: unknown };
    const detail = body.failureCode ?? body.failure ?? (body.output as string[] | undefined)?.length ?? '-';
    seen[outcome] = `${before.status} ${body.status} ${detail} ${credits}`;
  }
  assert.deepEqual(seen, {
    no_output: 'PENDING SUCCEEDED 0 60',
    throttled: 'THROTTLED SUCCEEDED 1 60',
    hang: 'PENDING RUNNING - -',
    cancelled: 'PENDING CANCELLED - 0',
    moderated: 'PENDING FAILED SAFETY.INPUT.TEXT 60',
    moderated_output: 'PENDING FAILED SAFETY.OUTPUT.VIDEO 60',
    moderated_early: 'PENDING FAILED INPUT_PREPROCESSING.SAFETY.TEXT 60',
    asset_invalid: 'PENDING FAILED ASSET.INVALID 0',
    third_party_input: 'PENDING FAILED THIRD_PARTY.INPUT_VALIDATION 0',
    third_party: 'PENDING FAILED THIRD_PARTY.UNAVAILABLE 0',
    internal: 'PENDING FAILED INTERNAL 0',
    internal_early: 'PENDING FAILED INPUT_PREPROCESSING.INTERNAL 0',
    bad_output: 'PENDING FAILED INTERNAL.BAD_OUTPUT.CODE01 0',
    unnamed: 'PENDING FAILED An unexpected error occurred. 0',
  });
});

test('planned outcomes override those in prompts', async (t) => {
  const made = await bench(t);
  made.world.runway.controls.planOutcomes('internal');
  const ids = [await submitted(made, { ...input, promptText: '[runway:video]' }), await submitted(made)];
  const statuses = ids.map(async (id) => {
    await made.world.runway.controls.finish(id);
    return (await send(made, `/v1/tasks/${id}`)).body.status;
  });
  assert.deepEqual(await Promise.all(statuses), ['FAILED', 'SUCCEEDED']);
});

test('a video’s URL is signed for one file, expires within two days, and is renewed by the next read', async (t) => {
  const made = await bench(t);
  const id = await submitted(made);
  const url = await fileOf(made, id);
  const jwt = new URL(url).searchParams.get('_jwt') ?? '';
  const { exp = 0 } = decodeJwt(jwt);
  const leftHours = exp / 3_600 - made.clock.now().getTime() / HOUR_MS;
  assert.ok(leftHours >= 24 && leftHours <= 48, String(leftHours));
  const statusOf = async (videoUrl: string) => (await made.world.fetch(videoUrl)).status;
  assert.equal(await statusOf(url), 200);
  assert.equal(await statusOf(`${MEDIA}/${id}.mp4`), 403);
  assert.equal(await statusOf(`${MEDIA}/${id}.mp4?_jwt=${jwt.slice(0, -4)}AAAA`), 403);
  const other = await submitted(made);
  await fileOf(made, other);
  assert.equal(await statusOf(`${MEDIA}/${other}.mp4?_jwt=${jwt}`), 403, 'a token of another file');

  made.clock.turn(leftHours * HOUR_MS + 1_000);
  assert.equal(await statusOf(url), 403);
  const renewed = await fileOf(made, id);
  assert.notEqual(renewed, url);
  assert.equal(await statusOf(renewed), 200);
  await send(made, `/v1/tasks/${id}`, { method: 'DELETE' });
  assert.equal(await statusOf(renewed), 404, 'a deleted task has no file');
});

test('a video is served whole or in ranges, with the requested duration and aspect ratio', async (t) => {
  const made = await bench(t);
  const etags = new Set<string | null>();
  for (const [ratio, duration] of [
    ['1280:720', 2],
    ['1280:720', 4],
    ['720:1280', 2],
  ]) {
    const url = await fileOf(made, await submitted(made, { ...input, ratio, duration }));
    const part = await made.world.fetch(url, { headers: { range: 'bytes=4-7' } });
    assert.deepEqual([part.status, await part.text()], [206, 'ftyp']);
    etags.add(part.headers.get('etag'));
    const whole = await made.world.fetch(url);
    assert.equal(whole.headers.get('content-type'), 'video/mp4');
    assert.equal((await whole.arrayBuffer()).byteLength, Number(whole.headers.get('content-length')));
  }
  assert.equal(etags.size, 3);
});

test('each faulty video outcome serves its fault', async (t) => {
  const made = await bench(t);
  const get = async (outcome: string, options: RequestInit = {}) => {
    const url = await fileOf(made, await submitted(made, { ...input, promptText: `[runway:video_${outcome}]` }));
    return { url, response: await made.world.fetch(url, options) };
  };
  const html = (await get('html')).response;
  assert.match(html.headers.get('content-type') ?? '', /^text\/html/);
  const whole = (await (await made.world.fetch(await fileOf(made, await submitted(made)))).arrayBuffer()).byteLength;
  assert.equal((await (await get('truncated')).response.arrayBuffer()).byteLength, whole >> 1);
  await assert.rejects((await get('cut')).response.arrayBuffer());
  assert.equal((await get('missing')).response.status, 404);
  const moved = (await get('redirect', { redirect: 'manual' })).response;
  assert.equal(moved.status, 302);
  assert.match(moved.headers.get('location') ?? '', /^https:\/\/169\.254\.169\.254\//);
  assert.equal((await get('endless')).response.headers.get('content-length'), null);
  const slow = (await get('slow', { signal: AbortSignal.timeout(200) })).response;
  await assert.rejects(slow.arrayBuffer());
  const internal = await submitted(made, { ...input, promptText: '[runway:video_internal]' });
  assert.match(await fileOf(made, internal), /^https:\/\/169\.254\.169\.254\//);
});

test('an upload can be used for a day, by its owner, once its file was sent', async (t) => {
  const made = await bench(t);
  made.world.runway.controls.addApiKey('key_else');
  const open = async () => {
    const json = { filename: 'heron.png', type: 'ephemeral' };
    return (await send(made, '/v1/uploads', { method: 'POST', json })).body as {
      uploadUrl: string;
      fields: Record<string, string>;
      runwayUri: string;
    };
  };
  const sendForm = async (url: string, fields: Record<string, string>, bytes: Uint8Array<ArrayBuffer> | null) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    if (bytes) body.append('file', new File([bytes], 'heron.png', { type: 'image/png' }));
    return (await made.world.fetch(url, { method: 'POST', body })).status;
  };
  const animate = async (promptImage: string, key?: string) =>
    (
      await send(made, '/v1/image_to_video', {
        method: 'POST',
        json: { ...withImage, promptImage },
        ...(key && { key }),
      })
    ).status;

  const { uploadUrl, fields, runwayUri } = await open();
  assert.equal(await animate(runwayUri), 400, 'no file was sent yet');
  assert.equal(await sendForm(uploadUrl, { ...fields, 'x-amz-signature': 'forged' }, PNG), 403);
  assert.equal(await sendForm(uploadUrl, { ...fields, key: crypto.randomUUID() }, PNG), 403);
  assert.equal(await sendForm(uploadUrl, fields, null), 400);
  assert.equal(await sendForm(uploadUrl, fields, PNG.slice(0, 511)), 400);
  assert.equal(await sendForm(uploadUrl, fields, PNG), 204);
  assert.equal(await animate(runwayUri), 200);
  assert.equal(await animate(runwayUri), 200, 'any number of times');
  assert.equal(await animate(runwayUri, 'key_else'), 400);
  made.clock.turn(24 * HOUR_MS);
  assert.equal(await animate(runwayUri), 400);
  assert.equal((await send(made, '/v1/uploads', { method: 'POST', json: { filename: 'x' } })).status, 400);
});

test('an account pays for completed and declined tasks, and cannot spend more than its balance', async (t) => {
  const made = await bench(t);
  const { controls } = made.world.runway;
  controls.setCredits(130);
  const balance = async () => (await send(made, '/v1/organization')).body.creditBalance;
  for (const outcome of ['moderated', 'internal', 'cancelled', 'video']) {
    await controls.finish(await submitted(made, { ...input, promptText: `[runway:${outcome}]` }));
  }
  assert.equal(await balance(), 10);
  const noCredits = await send(made, '/v1/text_to_video', { method: 'POST', json: input });
  assert.deepEqual(noCredits, { status: 400, body: { error: 'You do not have enough credits to run this task.' } });
  const { body } = await send(made, '/v1/organization');
  assert.deepEqual((body.usage as { models: object }).models, {
    'gen4.5': { dailyGenerations: 4 },
    gen4_turbo: { dailyGenerations: 0 },
  });
});

test('a deleted task answers 404, or cancelled where the controls say so', async (t) => {
  const made = await bench(t);
  const id = await submitted(made);
  assert.deepEqual(await send(made, `/v1/tasks/${id}`, { method: 'DELETE' }), { status: 204, body: { text: '' } });
  assert.equal((await send(made, `/v1/tasks/${id}`)).status, 404);
  assert.equal((await send(made, `/v1/tasks/${id}`, { method: 'DELETE' })).status, 404);
  made.world.runway.controls.setDeletedReply('cancelled');
  const { body } = await send(made, `/v1/tasks/${id}`);
  assert.deepEqual([body.status, body.cost], ['CANCELLED', { credits: 0 }]);
});

test('a submit whose connection is cut creates a task only when it is applied', async (t) => {
  const made = await bench(t);
  const { controls } = made.world.runway;
  for (const apply of [true, false]) {
    controls.plan({ on: 'submit', apply, reply: 'cut' });
    await assert.rejects(submitted(made, { ...input, promptText: `cut ${apply}` }), { message: 'fetch failed' });
    assert.equal(controls.submitsOf(`cut ${apply}`), 1);
  }
  assert.deepEqual(
    (await controls.jobs()).map(({ input }) => input.promptText),
    ['cut true'],
  );
});

test('a planned fault lasts as often as planned, and affects only its operation', async (t) => {
  const made = await bench(t);
  const id = await submitted(made);
  made.world.runway.controls.plan({ on: 'status', times: 2, reply: { status: 429, headers: { 'retry-after': '3' } } });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    await submitted(made);
    statuses.push((await send(made, `/v1/tasks/${id}`)).status);
  }
  assert.deepEqual(statuses, [429, 429, 200]);
});

test('tasks, uploads, keys and URLs survive a restart, and are shared by worlds with one folder', async (t) => {
  const made = await bench(t);
  const [id, later] = [await submitted(made), await submitted(made, withImage, 'image_to_video')];
  const url = await fileOf(made, id);
  await send(made, '/v1/uploads', { method: 'POST', json: { filename: 'a.png', type: 'ephemeral' } });
  const other = await createWorld({ dataDir: made.dataDir, clock: made.clock, log: silentLog });
  t.after(() => other.close());
  await made.world.close();
  assert.equal(other.runway.credentials.apiKey, made.world.runway.credentials.apiKey);
  assert.equal((await other.fetch(url)).status, 200);
  assert.equal((await send({ world: other }, `/v1/tasks/${later}`)).body.status, 'PENDING');
  assert.equal((await other.runway.controls.uploads()).length, 1);
  const stored = (await other.runway.controls.jobs()).find((task) => task.id === later);
  assert.deepEqual(stored?.input, withImage, 'the image is stored');
  assert.deepEqual((await readdir(join(made.dataDir, 'simulators', 'runway'))).sort(), [
    'identity.json',
    'tasks',
    'uploads',
  ]);
});

test('tasks older than 30 days are deleted at the next start', async (t) => {
  const made = await bench(t);
  await submitted(made);
  made.clock.turn(31 * 24 * HOUR_MS);
  await submitted(made);
  const later = await createWorld({ dataDir: made.dataDir, clock: made.clock, log: silentLog });
  t.after(() => later.close());
  assert.equal((await later.runway.controls.jobs()).length, 1);
});

test('served over a port, one URL serves all of Runway’s hosts, and the control panel does what the object does', async (t) => {
  const made = await bench(t);
  const { runway } = made.world;
  const { url, close } = await serveSimulator(withRunwayControls(runway));
  t.after(close);
  const call = async (method: string, path: string, json?: unknown) => {
    const headers = { authorization: `Bearer ${runway.credentials.apiKey}`, 'x-runway-version': '2024-11-06' };
    const response = await fetch(`${url}${path}`, { method, headers, ...(json ? { body: JSON.stringify(json) } : {}) });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
  };
  assert.equal((await call('PUT', '/_control/timing', { queueMs: null, runMs: null })).status, 204);
  assert.equal((await call('POST', '/_control/outcomes', ['video'])).status, 204);
  const { body: submission } = await call('POST', '/v1/text_to_video', { ...input, promptText: '[runway:moderated]' });
  assert.equal((await call('POST', `/_control/jobs/${submission.id}/start`)).status, 204);
  assert.equal((await call('GET', `/v1/tasks/${submission.id}`)).body.status, 'RUNNING');
  assert.equal((await call('POST', `/_control/jobs/${submission.id}/finish`)).status, 204);
  const { body: task } = await call('GET', `/v1/tasks/${submission.id}`);
  assert.ok(task.output[0].startsWith(`${url}/${submission.id}.mp4?_jwt=`));
  assert.equal((await fetch(task.output[0])).headers.get('content-type'), 'video/mp4');
  const { body: upload } = await call('POST', '/v1/uploads', { filename: 'a.png', type: 'ephemeral' });
  assert.equal(upload.uploadUrl, `${url}/ephemeral`);
  assert.equal((await call('GET', '/_control/uploads')).body.length, 1);

  assert.equal((await call('POST', '/_control/faults', { on: 'submit', reply: { status: 503 } })).status, 204);
  assert.equal((await call('POST', '/v1/text_to_video', input)).status, 503);
  assert.equal((await call('POST', '/_control/faults', { times: 9, reply: { status: 503 } })).status, 204);
  assert.equal((await call('DELETE', '/_control/faults')).status, 204);
  assert.equal((await call('PUT', '/_control/account', { apiKey: 'key_b', credits: 60 })).status, 204);
  assert.equal((await call('POST', '/v1/text_to_video', input)).status, 400);
  assert.equal((await call('GET', '/_control/jobs')).body.length, 1);
  const calls: { operation: string }[] = (await call('GET', '/_control/calls')).body;
  assert.equal(calls.filter(({ operation }) => operation === 'submit').length, 3);
  assert.equal(
    (await made.world.fetch(`${runway.urls.baseUrl}/_control/jobs`)).status,
    404,
    'no control panel inside the server',
  );
});
