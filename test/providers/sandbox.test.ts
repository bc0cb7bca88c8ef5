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

const scratch = await mkdtemp(join(tmpdir(), 'rendio-sandbox-'));
const env = compileCache();
const probe = createProbe({ maxParallel: 1, log: silentLog, env });
after(async () => {
  await probe.close();
  await rm(scratch, { recursive: true, force: true });
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

const freshFolder = (): string => join(scratch, randomUUID());

/** A provider for one test, in a folder of its own unless one is given. */
async function withProvider(
  options: { workDir?: string; maxParallel?: number },
  use: (provider: ProviderAdapter, workDir: string) => Promise<void>,
): Promise<void> {
  const workDir = options.workDir ?? freshFolder();
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

/** Waits until the job is in this state and answers the status. */
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
  test(`a film of ${width} × ${height} is a whole H.264 MP4 of exactly ${frames} frames that starts playing at once`, () =>
    withProvider({}, async (provider) => {
      const request = requestOf(settings);
      await submit(provider, request);
      const path = await finishedPath(provider, request);
      const { fps, ...facts } = await probe.probe(path, { thumbnailPath: join(scratch, 'poster.jpg') });
      assert.deepEqual(facts, { container: 'mp4', codec: 'avc', width, height, durationSeconds: 1 });
      assert.equal(fps, frames);
      const bytes = await readFile(path);
      assert.ok(bytes.indexOf('moov') < bytes.indexOf('mdat'), 'the index comes first');
    }));
}

test('a submit answers at once; then the job is queued with its place, makes progress, and is complete', () =>
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

test('the same job gives the same bytes, also from another process; another job of the same prompt does not', async () => {
  const request = requestOf(SMALL);
  const films: Buffer[] = [];
  for (const asked of [request, request, { ...request, jobId: randomUUID() }]) {
    await withProvider({}, async (provider) => {
      films.push(await readFile(await finishedPath(provider, asked)));
    });
  }
  const [first, again, other] = films.map((film) => createHash('sha256').update(film).digest('hex'));
  assert.equal(again, first);
  assert.notEqual(other, first);
  for (const box of ['mvhd', 'tkhd', 'mdhd']) {
    for (const film of films) assert.equal(film.readUInt32BE(film.indexOf(box) + 8), 0, `${box} has no date`);
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

test('a job that a restart lost is rendered when its status is asked; one that was finished is still there', async () => {
  const workDir = freshFolder();
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

test('a cancelled job ends at once, leaves no process and no file, and does not come back', () =>
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

test('a job cancelled in the waiting line gives its place to the next', () =>
  withProvider({}, async (provider) => {
    const [running, waiting, behind] = [requestOf(LONG), requestOf(SMALL), requestOf(SMALL)];
    for (const request of [running, waiting, behind]) await submit(provider, request);
    await provider.cancel(waiting, `sandbox-${waiting.jobId}`, never);
    assert.deepEqual(await statusOf(provider, behind), { state: 'queued', queuePosition: 1 });
  }));

test('a render that is killed begins again, and one that dies three times has failed', () =>
  withProvider({}, async (provider) => {
    const killed = async (request: GenerationRequest): Promise<void> => {
      const pid = await until(async () => {
        await statusOf(provider, request);
        return (await childPids())[0];
      });
      process.kill(pid, 'SIGKILL');
      await until(() => !isRunning(pid));
    };
    const once = requestOf(SMALL);
    await submit(provider, once);
    await killed(once);
    await finishedPath(provider, once);

    const always = requestOf(LONG);
    await submit(provider, always);
    for (let turn = 0; turn < 3; turn++) await killed(always);
    assert.equal((await reaches(provider, always, 'failed')).code, 'ERR_5002');
  }));

test('a machine that cannot render says so instead of trying for ever', async () => {
  const env = { NODE_OPTIONS: '--no-such-option' };
  const provider = createSandboxAdapter({ workDir: freshFolder(), log: silentLog, maxParallel: 1, env });
  const request = requestOf(SMALL);
  await submit(provider, request);
  assert.equal((await reaches(provider, request, 'failed')).code, 'ERR_5002');
  await provider.close();
});

test('a released film is removed', () =>
  withProvider({}, async (provider, workDir) => {
    const request = requestOf(SMALL);
    await submit(provider, request);
    await finishedPath(provider, request);
    await provider.release(request.jobId);
    await provider.release(request.jobId);
    assert.deepEqual(await readdir(workDir), []);
  }));

test('a new provider removes what crashes left, and only that', async () => {
  const workDir = freshFolder();
  await withProvider({ workDir }, async (provider) => {
    await provider.release(randomUUID());
  });
  const [dead, old, fresh] = [randomUUID(), randomUUID(), randomUUID()];
  const others = [`${fresh}.${process.ppid}.part`, `${fresh}.mp4`, 'notes.txt', 'holiday.mp4'];
  const stale = [`${dead}.${process.pid}.part`, `${dead}.4194305.part`, `${old}.mp4`];
  for (const name of [...others, ...stale]) await writeFile(join(workDir, name), 'x');
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  for (const name of [`${old}.mp4`, 'holiday.mp4']) await utimes(join(workDir, name), longAgo, longAgo);
  await withProvider({ workDir }, async (provider) => {
    await statusOf(provider, requestOf(SMALL, '[sandbox:timeout]'));
    assert.deepEqual((await readdir(workDir)).sort(), others.sort());
  });
});

test('[sandbox:fail] in a prompt is a rejection by the provider, without a render', () =>
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

test('a provider that closes fails nobody: it cannot be asked', async (t) => {
  const warn = t.mock.fn();
  const log = { ...silentLog, warn };
  const provider = createSandboxAdapter({ workDir: freshFolder(), log, maxParallel: 1 });
  const request = requestOf(LONG);
  await submit(provider, request);
  await provider.close();
  assert.deepEqual(await childPids(), []);
  assert.equal((await statusOf(provider, request)).state, 'unreachable');
  assert.equal((await provider.submit(request, never)).outcome, 'retryable');
  assert.equal(warn.mock.callCount(), 0);
});

test('a job id that is no UUID never becomes a path', () =>
  withProvider({}, async (provider) => {
    const request = { ...requestOf(SMALL), jobId: '../../etc/passwd' };
    await assert.rejects(provider.submit(request, never), TypeError);
    await assert.rejects(provider.release('../x'), TypeError);
  }));

test('no prompt and no strange setting stops a render', () =>
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
