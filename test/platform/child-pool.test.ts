import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  ChildFailure,
  type ChildFailureKind,
  type ChildPoolOptions,
  createChildPool,
} from '../../src/platform/child-pool.ts';
import { isRunning, until } from '../media/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'rendio-child-pool-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const poolUrl = new URL('../../src/platform/child-pool.ts', import.meta.url).href;
const workUrl = new URL('../../src/platform/child-work.ts', import.meta.url).href;

type Task = {
  do: 'answer' | 'hang' | 'spin' | 'print' | 'refuse' | 'throw' | 'crash' | 'kill' | 'forget';
  text?: string;
};
type Answer = { pid: number; text?: string; env: string[]; flags: string[] };

const childModule = moduleOf(
  'child.mjs',
  `import { runTaskFromParent, TaskRefusal } from ${JSON.stringify(workUrl)};
  runTaskFromParent(async () => async (task, report) => {
    report(process.pid);
    if (task.do === 'hang') await new Promise((resolve) => setTimeout(resolve, 600_000));
    if (task.do === 'spin') for (;;);
    if (task.do === 'print') process.stdout.write(task.text);
    if (task.do === 'forget') await new Promise((collected) => {
      globalThis.registry = new FinalizationRegistry(collected);
      registry.register({ frame: 1 });
      setInterval(() => {}, 1_000);
    });
    if (task.do === 'refuse') throw new TaskRefusal('not_allowed');
    if (task.do === 'throw') throw new Error('a bug');
    if (task.do === 'crash') { process.stderr.write('x'.repeat(5000) + 'last output', () => process.abort()); await new Promise(() => {}); }
    if (task.do === 'kill') process.kill(process.pid, 'SIGKILL');
    return { pid: process.pid, text: task.text, env: Object.keys(process.env), flags: process.execArgv };
  });`,
);

/** Elsewhere the system does not say how much processor time another process has used. */
function isLinux(): boolean {
  return process.platform === 'linux';
}

function moduleOf(name: string, source: string): string {
  writeFileSync(join(folder, name), source);
  return join(folder, name);
}

/** A pool for one test. */
async function withPool(
  options: Partial<ChildPoolOptions>,
  use: (pool: ReturnType<typeof createChildPool<Task, Answer>>) => Promise<void>,
): Promise<void> {
  const defaults = { modulePath: childModule, maxParallel: 2, timeoutMs: 20_000, graceMs: 200 };
  const pool = createChildPool<Task, Answer>({ ...defaults, ...options });
  try {
    await use(pool);
  } finally {
    await pool.close();
  }
}

const failsAs =
  (kind: ChildFailureKind, message = /./) =>
  (error: unknown) =>
    error instanceof ChildFailure && error.kind === kind && message.test(error.message);

test('each task has its own process, which has ended when the answer arrives', () =>
  withPool({}, async (pool) => {
    const [one, two] = await Promise.all(['1', '2'].map((text) => pool.run({ do: 'answer', text }).result));
    assert.deepEqual([one?.text, two?.text], ['1', '2']);
    assert.notEqual(one?.pid, two?.pid);
    assert.deepEqual(
      [one, two].map((answer) => isRunning(answer?.pid ?? 0)),
      [false, false],
    );
    assert.deepEqual(pool.pids(), []);
  }));

test('a child has only the given environment, and none of its parent’s flags', () =>
  withPool({ env: { GIVEN: 'yes' } }, async (pool) => {
    process.env.SOMETHING_SECRET = 'secret';
    process.execArgv.push('--no-warnings');
    const { env, flags } = await pool.run({ do: 'answer' }).result;
    delete process.env.SOMETHING_SECRET;
    process.execArgv.pop();
    assert.deepEqual({ env, flags }, { env: ['GIVEN'], flags: [] });
  }));

test('a child runs at a lower priority than its parent', () =>
  withPool({ niceness: 12 }, async (pool) => {
    const task = pool.run({ do: 'hang' });
    task.result.catch(() => {});
    const [pid] = pool.pids();
    assert.equal(getPriority(pid), 12);
  }));

test('no more tasks run at once than allowed, and the others wait in their order', () =>
  withPool({ maxParallel: 1 }, async (pool) => {
    const order: string[] = [];
    const tasks = ['first', 'second', 'third'].map((text) => pool.run({ do: 'answer', text }));
    assert.deepEqual(
      tasks.map((task) => task.position()),
      [null, 1, 2],
    );
    assert.equal(pool.pids().length, 1);
    await Promise.all(tasks.map((task) => task.result.then(({ text }) => order.push(text ?? ''))));
    assert.deepEqual(order, ['first', 'second', 'third']);
    assert.deepEqual(
      tasks.map((task) => task.position()),
      [null, null, null],
    );
  }));

test('progress reaches the parent before the answer', () =>
  withPool({}, async (pool) => {
    const seen: number[] = [];
    const { pid } = await pool.run({ do: 'answer' }, { onProgress: (value) => seen.push(value) }).result;
    assert.deepEqual(seen, [pid]);
  }));

for (const behaviour of ['hang', 'spin'] as const) {
  test(`aborting a task ends its process, even one that ignores signals (${behaviour})`, () =>
    withPool({}, async (pool) => {
      const abort = new AbortController();
      const started = Promise.withResolvers<number>();
      const task = pool.run({ do: behaviour }, { signal: abort.signal, onProgress: started.resolve });
      const pid = await started.promise;
      assert.equal(isRunning(pid), true);
      abort.abort(new Error('changed my mind'));
      await assert.rejects(task.result, /changed my mind/);
      assert.equal(isRunning(pid), false);
    }));
}

test('aborting a task that waits removes it from the queue', () =>
  withPool({ maxParallel: 1 }, async (pool) => {
    const abort = new AbortController();
    const running = pool.run({ do: 'hang' });
    const waiting = pool.run({ do: 'answer' }, { signal: abort.signal });
    const next = pool.run({ do: 'answer' });
    for (const task of [running, next]) task.result.catch(() => {});
    abort.abort(new Error('not wanted'));
    await assert.rejects(waiting.result, /not wanted/);
    assert.deepEqual([waiting.position(), next.position()], [null, 1]);
    await assert.rejects(pool.run({ do: 'answer' }, { signal: abort.signal }).result, /not wanted/);
  }));

test('a task that takes too long is ended; the time in the queue does not count', () =>
  withPool({ maxParallel: 1, timeoutMs: 2_000 }, async (pool) => {
    const slow = pool.run({ do: 'spin' });
    const next = pool.run({ do: 'answer', text: 'after' });
    await assert.rejects(slow.result, failsAs('timeout'));
    assert.equal((await next.result).text, 'after');
  }));

test('a task that uses up its processor time is exhausted; one that only waits is not', {
  skip: !isLinux(),
}, async () => {
  await withPool({ timeoutMs: 600_000, processorMsMax: 10 }, async (pool) => {
    await assert.rejects(pool.run({ do: 'spin' }).result, failsAs('exhausted'));
  });
  await withPool({ timeoutMs: 1_500, processorMsMax: 600_000 }, async (pool) => {
    await assert.rejects(pool.run({ do: 'hang' }).result, failsAs('timeout'));
  });
});

test('a line of output can refuse a task that has found nothing wrong, however late it is read', () =>
  withPool({ refuseOn: (line) => (line.startsWith('lost') ? 'damaged' : null) }, async (pool) => {
    const failure = await pool.run({ do: 'print', text: 'found\nlost 3 of 4\nfound' }).result.catch((error) => error);
    assert.ok(failure instanceof ChildFailure);
    assert.deepEqual([failure.kind, failure.reason, failure.message], ['refused', 'damaged', 'lost 3 of 4']);
    assert.equal((await pool.run({ do: 'print', text: 'found\n' }).result).text, 'found\n');
  }));

test('a crash is reported with the last output of the child, and fails only its own task', () =>
  withPool({ maxParallel: 1 }, async (pool) => {
    await assert.rejects(pool.run({ do: 'crash' }).result, failsAs('crashed', /x{500}last output/));
    await assert.rejects(pool.run({ do: 'kill' }).result, failsAs('crashed', /SIGKILL/));
    await assert.rejects(pool.run({ do: 'throw' }).result, failsAs('crashed', /a bug/));
    assert.equal((await pool.run({ do: 'answer', text: 'alive' }).result).text, 'alive');
  }));

test('a child collects garbage while it works, so that native memory does not accumulate', () =>
  withPool({ timeoutMs: 10_000 }, async (pool) => {
    await pool.run({ do: 'forget' }).result;
  }));

test('a TaskRefusal keeps its reason', () =>
  withPool({}, async (pool) => {
    const failure = await pool.run({ do: 'refuse' }).result.catch((error: unknown) => error);
    assert.ok(failure instanceof ChildFailure);
    assert.deepEqual([failure.kind, failure.reason], ['refused', 'not_allowed']);
  }));

test('a child that cannot load its modules is not_started, not crashed', async () => {
  const broken = moduleOf(
    'broken.mjs',
    `import { runTaskFromParent } from ${JSON.stringify(workUrl)}; runTaskFromParent(() => import('no-such-module'));`,
  );
  for (const modulePath of [broken, moduleOf('syntax.mjs', 'not a module'), join(folder, 'missing.mjs')]) {
    await withPool({ modulePath }, async (pool) => {
      await assert.rejects(pool.run({ do: 'answer' }).result, failsAs('not_started'));
    });
  }
});

test('closing ends running tasks, and rejects waiting and later ones', async () => {
  const pool = createChildPool<Task, Answer>({
    modulePath: childModule,
    maxParallel: 1,
    timeoutMs: 20_000,
    graceMs: 200,
  });
  const tasks = [pool.run({ do: 'spin' }), pool.run({ do: 'answer' })];
  const rejected = Promise.all(tasks.map((task) => assert.rejects(task.result, failsAs('closed'))));
  const pids = pool.pids();
  await pool.close();
  await rejected;
  assert.deepEqual(pids.map(isRunning), [false]);
  await assert.rejects(pool.run({ do: 'answer' }).result, failsAs('closed'));
});

test('a Ctrl-C meant for the server does not end its children', () =>
  withPool({}, async (pool) => {
    const abort = new AbortController();
    const started = Promise.withResolvers<number>();
    const task = pool.run({ do: 'hang' }, { signal: abort.signal, onProgress: started.resolve });
    const pid = await started.promise;
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    // Signals and messages reach the child in any order; a second task gives the signals enough time.
    await pool.run({ do: 'answer' }).result;
    assert.equal(isRunning(pid), true);
    abort.abort(new Error('enough'));
    await assert.rejects(task.result, /enough/);
  }));

test('children end when their parent is killed', async () => {
  const parentModule = moduleOf(
    'parent.mjs',
    `import { createChildPool } from ${JSON.stringify(poolUrl)};
    const pool = createChildPool({ modulePath: ${JSON.stringify(childModule)}, maxParallel: 1, timeoutMs: 600_000 });
    pool.run({ do: 'hang' }, { onProgress: (pid) => console.log(pid) });`,
  );
  const parent = spawn(process.execPath, [parentModule], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await parent.stdout.take(1).toArray();
    const pid = Number(String(line).trim());
    assert.equal(isRunning(pid), true);
    parent.kill('SIGKILL');
    await until(() => !isRunning(pid));
  } finally {
    parent.kill('SIGKILL');
  }
});
