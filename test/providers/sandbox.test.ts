import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog } from '../../src/kernel/log.ts';
import { createProbe } from '../../src/media/probe.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import type {
  GenerationRequest,
  ProviderAdapter,
  ProviderStatus,
  VideoSettings,
} from '../../src/providers/provider.ts';
import { createSandboxAdapter } from '../../src/providers/sandbox/index.ts';
import { isRunning, until } from '../media/until.ts';

const tempFolder = await mkdtemp(join(tmpdir(), 'rendio-sandbox-'));
const env = compileCache();
const probe = createProbe({ maxParallel: 1, log: silentLog, env });
after(async () => {
  await probe.close();
  await rm(tempFolder, { recursive: true, force: true });
});

const never = new AbortController().signal;
const SMALL: VideoSettings = { duration: 1, resolution: '360p', aspect_ratio: '16:9', fps: 24 };
const LONG: VideoSettings = { duration: 10, resolution: '1080p', aspect_ratio: '16:9', fps: 30 };

const requestOf = (settings: VideoSettings, prompt = 'a cat playing piano'): GenerationRequest => ({
  jobId: randomUUID(),
  providerModelId: 'sandbox/clip',
  prompt,
  settings,
  image: null,
  webhookUrl: null,
});

const newFolder = (): string => join(tempFolder, randomUUID());

/** A provider for one test, in its own folder unless one is given. */
async function withProvider(
  options: { workDir?: string; maxParallel?: number },
  use: (provider: ProviderAdapter, workDir: string) => Promise<void>,
): Promise<void> {
  const workDir = options.workDir ?? newFolder();
  const provider = createSandboxAdapter({ workDir, log: silentLog, maxParallel: options.maxParallel ?? 1, env });
  try {
    await use(provider, workDir);
  } finally {
    await provider.close();
  }
}

const submit = async (provider: ProviderAdapter, request: GenerationRequest): Promise<void> => {
  const answer = await provider.submit(request, never);
  assert.deepEqual(answer, { outcome: 'accepted', providerJobId: `sandbox-${request.jobId}` });
};
const statusOf = (provider: ProviderAdapter, request: GenerationRequest): Promise<ProviderStatus> =>
  provider.status(request, `sandbox-${request.jobId}`, never);

/** Waits until the job is in this state and returns the status. */
const reaches = <S extends ProviderStatus['state']>(provider: ProviderAdapter, request: GenerationRequest, state: S) =>
  until(async () => {
    const status = await statusOf(provider, request);
    return status.state === state ? (status as Extract<ProviderStatus, { state: S }>) : null;
  }, 60_000);

async function finishedPath(provider: ProviderAdapter, request: GenerationRequest): Promise<string> {
  const { video } = await reaches(provider, request, 'completed');
  assert.equal(video.from, 'file');
  return video.from === 'file' ? video.path : '';
}

/** The processes that this test's own process has started and that still run. */
async function childPids(): Promise<number[]> {
  const list =
    process.platform === 'linux'
      ? await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')
      : spawnSync('pgrep', ['-P', String(process.pid)], { encoding: 'utf8' }).stdout;
  return list.split(/\s/).filter(Boolean).map(Number).filter(isRunning);
}

for (const [settings, width, height, frames] of [
  [SMALL, 640, 360, 24],
  [{ ...SMALL, fps: 30, aspect_ratio: '1:1' }, 360, 360, 30],
  [{ duration: 1, resolution: '1080p', aspect_ratio: '9:16', fps: 24 }, 1080, 1920, 24],
] as const) {
  test(`a video of ${width} × ${height} is a whole H.264 MP4 of exactly ${frames} frames with its index first`, () =>
    withProvider({}, async (provider) => {
      const request = requestOf(settings);
      await submit(provider, request);
      const path = await finishedPath(provider, request);
      const { fps, ...properties } = await probe.probe(path, { thumbnailPath: join(tempFolder, 'thumbnail.jpg') });
      assert.deepEqual(properties, { container: 'mp4', codec: 'avc', width, height, durationSeconds: 1 });
      assert.equal(fps, frames);
      const bytes = await readFile(path);
      assert.ok(bytes.indexOf('moov') < bytes.indexOf('mdat'), 'the index comes first');
    }));
}

test('a submit answers at once; then the job is queued with its position, makes progress, and completes', () =>
  withProvider({ maxParallel: 1 }, async (provider) => {
    const requests = [1, 2, 3].map(() => requestOf(SMALL));
    for (const request of requests) await submit(provider, request);
    const [first, second, third] = requests as [GenerationRequest, GenerationRequest, GenerationRequest];
    assert.equal((await statusOf(provider, first)).state, 'processing');
    assert.deepEqual(await statusOf(provider, second), { state: 'queued', queuePosition: 1 });
    assert.deepEqual(await statusOf(provider, third), { state: 'queued', queuePosition: 2 });
    const percents = new Set<number>();
    await until(async () => {
      const status = await statusOf(provider, third);
      if (status.state === 'processing' && status.progress !== null) percents.add(status.progress);
      return status.state === 'completed';
    });
    assert.ok([...percents].some((percent) => percent > 0 && percent <= 100 && Number.isInteger(percent)));
  }));

test('the same job gives the same bytes, also from another process; another job with the same prompt does not', async () => {
  const request = requestOf(SMALL);
  const videos: Buffer[] = [];
  for (const each of [request, request, { ...request, jobId: randomUUID() }]) {
    await withProvider({}, async (provider) => {
      videos.push(await readFile(await finishedPath(provider, each)));
    });
  }
  const [first, again, other] = videos.map((video) => createHash('sha256').update(video).digest('hex'));
  assert.equal(again, first);
  assert.notEqual(other, first);
  for (const box of ['mvhd', 'tkhd', 'mdhd']) {
    for (const video of videos) assert.equal(video.readUInt32BE(video.indexOf(box) + 8), 0, `${box} has no date`);
  }
});

test('submitting a job again renders it once', () =>
  withProvider({ maxParallel: 2 }, async (provider, workDir) => {
    const request = requestOf(SMALL);
    await Promise.all([submit(provider, request), submit(provider, request), statusOf(provider, request)]);
    assert.equal((await childPids()).length, 1);
    const { mtimeMs } = await stat(await finishedPath(provider, request));
    await submit(provider, request);
    assert.equal((await statusOf(provider, request)).state, 'completed');
    assert.equal((await stat(join(workDir, `${request.jobId}.mp4`))).mtimeMs, mtimeMs);
  }));

test('a job that a restart interrupted is rendered when its status is read; a finished one is still there', async () => {
  const workDir = newFolder();
  const request = requestOf(SMALL);
  await withProvider({ workDir }, async (provider) => {
    await submit(provider, request);
    await reaches(provider, request, 'processing');
  });
  await withProvider({ workDir }, async (provider) => {
    assert.equal((await statusOf(provider, request)).state, 'processing');
    await finishedPath(provider, request);
  });
  await withProvider({ workDir }, async (provider) => {
    assert.equal((await statusOf(provider, request)).state, 'completed');
  });
});

test('a cancelled job ends at once, leaves no process and no file, and does not start again', () =>
  withProvider({}, async (provider, workDir) => {
    const request = requestOf(LONG);
    await submit(provider, request);
    await until(async () => {
      const status = await statusOf(provider, request);
      return status.state === 'processing' && (status.progress ?? 0) > 0;
    });
    await provider.cancel(request, `sandbox-${request.jobId}`, never);
    assert.deepEqual([await childPids(), await readdir(workDir)], [[], []]);
    assert.deepEqual(await statusOf(provider, request), { state: 'failed', code: 'ERR_5004', cause: 'cancelled' });
    await submit(provider, request);
    assert.deepEqual(await childPids(), []);
  }));

test('a job cancelled in the queue gives its position to the next', () =>
  withProvider({}, async (provider) => {
    const [running, waiting, next] = [requestOf(LONG), requestOf(SMALL), requestOf(SMALL)];
    for (const request of [running, waiting, next]) await submit(provider, request);
    await provider.cancel(waiting, `sandbox-${waiting.jobId}`, never);
    assert.deepEqual(await statusOf(provider, next), { state: 'queued', queuePosition: 1 });
  }));

test('a render that is killed starts again, and one that is killed three times has failed', () =>
  withProvider({}, async (provider) => {
    const killRender = async (request: GenerationRequest): Promise<void> => {
      const pid = await until(async () => {
        await statusOf(provider, request);
        return (await childPids())[0];
      });
      process.kill(pid, 'SIGKILL');
      await until(() => !isRunning(pid));
    };
    const once = requestOf(SMALL);
    await submit(provider, once);
    await killRender(once);
    await finishedPath(provider, once);

    const always = requestOf(LONG);
    await submit(provider, always);
    for (let count = 0; count < 3; count++) await killRender(always);
    assert.equal((await reaches(provider, always, 'failed')).code, 'ERR_5002');
  }));

test('a machine that cannot render fails the job instead of retrying for ever', async () => {
  const env = { NODE_OPTIONS: '--no-such-option' };
  const provider = createSandboxAdapter({ workDir: newFolder(), log: silentLog, maxParallel: 1, env });
  const request = requestOf(SMALL);
  await submit(provider, request);
  assert.equal((await reaches(provider, request, 'failed')).code, 'ERR_5002');
  await provider.close();
});

test('a released video is deleted', () =>
  withProvider({}, async (provider, workDir) => {
    const request = requestOf(SMALL);
    await submit(provider, request);
    await finishedPath(provider, request);
    await provider.release(request.jobId);
    await provider.release(request.jobId);
    assert.deepEqual(await readdir(workDir), []);
  }));

test('a new provider deletes the files that crashes left, and no others', async () => {
  const workDir = newFolder();
  await withProvider({ workDir }, async (provider) => {
    await provider.release(randomUUID());
  });
  const [interrupted, old, recent] = [randomUUID(), randomUUID(), randomUUID()];
  const others = [`${recent}.${process.ppid}.part`, `${recent}.mp4`, 'notes.txt', 'holiday.mp4'];
  const stale = [`${interrupted}.${process.pid}.part`, `${interrupted}.4194305.part`, `${old}.mp4`];
  for (const name of [...others, ...stale]) await writeFile(join(workDir, name), 'x');
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  for (const name of [`${old}.mp4`, 'holiday.mp4']) await utimes(join(workDir, name), longAgo, longAgo);
  await withProvider({ workDir }, async (provider) => {
    await statusOf(provider, requestOf(SMALL, '[sandbox:timeout]'));
    assert.deepEqual((await readdir(workDir)).sort(), others.sort());
  });
});

test('[sandbox:fail] in a prompt fails the job as declined, without a render', () =>
  withProvider({}, async (provider) => {
    const request = requestOf(SMALL, '  a cat [sandbox:fail] ');
    await submit(provider, request);
    const status = await statusOf(provider, request);
    assert.deepEqual([status.state, status.state === 'failed' && status.code], ['failed', 'ERR_5003']);
    assert.deepEqual(await childPids(), []);
  }));

test('[sandbox:timeout] in a prompt never finishes, and can be cancelled', () =>
  withProvider({}, async (provider) => {
    const request = requestOf(SMALL, 'a cat [sandbox:timeout]');
    await submit(provider, request);
    assert.equal((await statusOf(provider, request)).state, 'processing');
    assert.deepEqual(await childPids(), []);
    await provider.cancel(request, `sandbox-${request.jobId}`, never);
    assert.equal((await statusOf(provider, request)).state, 'failed');
  }));

test('a closing provider fails no job: it is unreachable, and a submit is retryable', async (t) => {
  const warn = t.mock.fn();
  const log = { ...silentLog, warn };
  const provider = createSandboxAdapter({ workDir: newFolder(), log, maxParallel: 1 });
  const request = requestOf(LONG);
  await submit(provider, request);
  await provider.close();
  assert.deepEqual(await childPids(), []);
  assert.equal((await statusOf(provider, request)).state, 'unreachable');
  assert.equal((await provider.submit(request, never)).outcome, 'retryable');
  assert.equal(warn.mock.callCount(), 0);
});

test('a job id that is not a UUID never becomes a path', () =>
  withProvider({}, async (provider) => {
    const request = { ...requestOf(SMALL), jobId: '../../etc/passwd' };
    await assert.rejects(provider.submit(request, never), TypeError);
    await assert.rejects(provider.release('../x'), TypeError);
  }));

test('any prompt and any setting can be rendered', () =>
  withProvider({ maxParallel: 2 }, async (provider) => {
    const prompts = [
      '🐱👨‍👩‍👧 \u202e\u0000\ud800 漢字',
      '   ',
      'x'.repeat(2000),
      'ğ'.repeat(2000),
      '\n\n\n',
      '<b>&amp;"\'`$',
    ];
    const requests = [
      ...prompts.map((prompt) => requestOf({ duration: 1, resolution: '360p', aspect_ratio: '9:16' }, prompt)),
      requestOf({ duration: 0, resolution: '8K', aspect_ratio: '21:9', fps: -1 }),
    ];
    for (const request of requests) await submit(provider, request);
    for (const request of requests) assert.ok((await stat(await finishedPath(provider, request))).size > 1000);
  }));
