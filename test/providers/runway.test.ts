/** The Runway adapter against the simulator, inside the process and over a port: what becomes of a submit, and of a cancel. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FaultInput } from '../../sim/faults.ts';
import type { SubmitOutcome } from '../../src/providers/provider.ts';
import { DOORS, isMp4, leaksNothing, PROMPT } from './fal-bench.ts';
import { pictureRequest, runwayBench, runwayRequest } from './runway-bench.ts';

const remember = leaksNothing('key_');

for (const door of DOORS) {
  suite(`Runway ${door}`, { concurrency: 4 }, () => {
    test('a job is queued, processed and completed, its file is a film, and its cost is told', async (t) => {
      const bench = await runwayBench(t, door);
      const { provider, controls, signal, clock } = bench;
      const request = runwayRequest();
      controls.setTiming({ queueMs: 1_000, runMs: 10_000 });
      const id = await bench.accepted(request);
      const look = () => provider.status(request, id, signal);
      assert.deepEqual(await look(), { state: 'queued', queuePosition: null });
      clock.turn(5_200);
      assert.deepEqual(await look(), { state: 'processing', progress: 42 });
      clock.turn(6_000);
      const done = await look();
      assert.ok(done.state === 'completed' && done.video.from === 'url');
      assert.equal(done.thumbnail, null);
      assert.equal(done.costUsd, 0.48);
      assert.ok(isMp4(await (await bench.fetch(done.video.url)).arrayBuffer()));
      assert.deepEqual(await look(), done, 'the answer stays');
      assert.deepEqual(bench.waits, []);
    });

    test('an answer that is lost after Runway took the task is unknown, and the task is sent once', async (t) => {
      const bench = await runwayBench(t, door);
      const spoiled: [FaultInput, RegExp][] = [
        [{ reply: 'cut' }, /connection lost/],
        [{ reply: { status: 500, text: '{"error":"An internal error occurred."}' } }, /answered 500 \(An internal/],
        [{ reply: { status: 502, text: '<html>Bad Gateway</html>' } }, /answered 502/],
        [{ reply: { status: 504 } }, /answered 504/],
        [{ reply: { status: 408 } }, /answered 408/],
        [{ reply: { status: 409 } }, /answered 409/],
        [{ reply: { status: 425 } }, /answered 425/],
        [{ reply: { status: 499 } }, /answered 499/],
        [{ reply: { status: 500, headers: { 'x-should-retry': 'true' } } }, /answered 500/],
        [{ reply: { status: 307, headers: { location: '/elsewhere' } } }, /answered 307/],
        [{ reply: { status: 200, text: '{"estimatedCost":{"credits":25}}' } }, /answered 200 without a usable task id/],
        [{ reply: { status: 200, text: '{"id":"../../other"}' } }, /without a usable task id/],
        [{ reply: { status: 200, text: '{"id":"0b7c', isCutShort: true } }, /without a usable task id/],
        [{ reply: { status: 200, fillerBytes: 5_000_000 } }, /without a usable task id/],
        [{ reply: { status: 202, text: '<html>welcome</html>' } }, /answered 202 without/],
        [{ reply: { status: 200, headers: { 'content-type': 'application/json' } } }, /answered 200 without/],
        [{ reply: { status: 204 } }, /answered 204 without/],
      ];
      for (const [fault, cause] of spoiled) {
        const request = runwayRequest({ prompt: `${PROMPT} ${JSON.stringify(fault.reply)}` });
        bench.controls.plan({ on: 'submit', apply: true, ...fault });
        const answer = await bench.provider.submit(request, bench.signal);
        assert.equal(answer.outcome, 'unknown', JSON.stringify(fault));
        assert.match('cause' in answer ? answer.cause : '', cause);
        assert.equal(bench.controls.submitsOf(request.prompt), 1, 'one POST');
        remember(bench, answer);
      }
      assert.equal((await bench.controls.jobs()).length, spoiled.length, 'each of them is one task at Runway');
      assert.deepEqual(bench.waits, [], 'nobody waits for a second try');
    });

    test('a submit that nobody answered is unknown too, whether or not it was carried out', async (t) => {
      const bench = await runwayBench(t, door);
      for (const apply of [true, false]) {
        for (const fault of [{ reply: 'cut' as const }, { hangMs: 60_000 }]) {
          const request = runwayRequest({ prompt: `${PROMPT} ${apply} ${JSON.stringify(fault)}` });
          bench.controls.plan({ on: 'submit', apply, ...fault });
          const answer = await bench.provider.submit(request, AbortSignal.timeout(250));
          assert.equal(answer.outcome, 'unknown');
          assert.equal(bench.controls.submitsOf(request.prompt), 1);
          remember(bench, answer);
        }
      }
    });

    const submits: [FaultInput['reply'], SubmitOutcome['outcome'], string?][] = [
      [{ status: 429, text: '{"error":"Daily limit exceeded"}' }, 'retryable'],
      [{ status: 503 }, 'retryable'],
      [{ status: 401, text: '{"error":"Invalid key"}' }, 'declined', 'ERR_5002'],
      [{ status: 402 }, 'declined', 'ERR_5002'],
      [{ status: 403, text: 'Forbidden' }, 'declined', 'ERR_5002'],
      [{ status: 400, text: '{"error":"You do not have enough credits to run this task."}' }, 'declined', 'ERR_5002'],
      [{ status: 404, text: '{"error":"Not found"}' }, 'declined', 'ERR_5003'],
      [{ status: 400, text: '{"error":"Validation of body failed","issues":[]}' }, 'declined', 'ERR_5003'],
      [{ status: 400, text: '[1]' }, 'declined', 'ERR_5003'],
      [{ status: 413 }, 'declined', 'ERR_5003'],
      [{ status: 422, text: '{"error":{"message":"no"}}' }, 'declined', 'ERR_5003'],
    ];
    test('a refusal may be repeated by the caller; a rejection has the code of whose fault it is', async (t) => {
      const bench = await runwayBench(t, door);
      for (const [reply, outcome, code] of submits) {
        bench.controls.plan({ on: 'submit', ...(reply ? { reply } : {}) });
        const answer = await bench.provider.submit(runwayRequest(), bench.signal);
        const label = JSON.stringify(reply);
        assert.equal(answer.outcome, outcome, label);
        assert.equal('code' in answer ? answer.code : undefined, code, label);
        assert.equal('isBusy' in answer, label.includes('429'), label);
        const isReported = bench.log.lines.some(({ level }) => level === 'error');
        assert.equal(isReported, code === 'ERR_5002' || label.includes('404'), label);
        remember(bench, answer);
      }
      assert.equal(bench.controls.calls().length, submits.length, 'none of them is sent twice');
      assert.deepEqual(await bench.controls.jobs(), []);
    });

    test('a refusal that names a time passes it on', async (t) => {
      const { provider, controls, signal, clock } = await runwayBench(t, door);
      controls.plan({ reply: { status: 429, headers: { 'retry-after': '90' } } });
      const inSeconds = await provider.submit(runwayRequest(), signal);
      assert.equal(inSeconds.outcome === 'retryable' && inSeconds.retryAfterMs, 90_000);
      const at = new Date(clock.now().getTime() + 7_000).toUTCString();
      controls.plan({ reply: { status: 503, headers: { 'retry-after': at } } });
      const byDate = await provider.submit(runwayRequest(), signal);
      assert.equal(byDate.outcome === 'retryable' && byDate.retryAfterMs, 7_000);
    });

    test('a picture is uploaded first, and a task is asked for once it is there', async (t) => {
      const bench = await runwayBench(t, door);
      const id = await bench.accepted(pictureRequest());
      const [upload] = await bench.controls.uploads();
      assert.equal(upload?.fileName, 'picture.png', 'what a person called it stays here');
      assert.equal(upload?.isImage, true);
      assert.deepEqual(
        bench.controls.calls().map(({ operation }) => operation),
        ['upload', 'storage', 'submit'],
      );
      assert.equal(bench.controls.calls().at(-1)?.input?.promptImage, `runway://${upload?.id}`);
      await bench.controls.finish(id);
      const status = await bench.provider.status(pictureRequest(), id, bench.signal);
      assert.equal(status.state === 'completed' && status.costUsd, 0.2);
    });

    test('an upload that fails is tried again, and no task is asked for without its picture', async (t) => {
      const bench = await runwayBench(t, door);
      const passing: FaultInput['reply'][] = ['cut', { status: 500 }, { status: 503 }, { status: 429 }];
      for (const on of ['upload', 'storage']) {
        for (const reply of passing) {
          bench.controls.plan({ on, times: 3, ...(reply ? { reply } : {}) });
          assert.equal((await bench.provider.submit(pictureRequest(), bench.signal)).outcome, 'accepted');
          assert.deepEqual(bench.waits.splice(0), [2_000, 4_000, 8_000]);
          bench.controls.plan({ on, times: 4, ...(reply ? { reply } : {}) });
          const answer = await bench.provider.submit(pictureRequest(), bench.signal);
          assert.equal(answer.outcome, 'retryable', `${on} ${JSON.stringify(reply)}`);
          assert.match('cause' in answer ? answer.cause : '', /^the picture was not uploaded/);
          bench.waits.splice(0);
          remember(bench, answer);
        }
      }
      const submits = bench.controls.calls().filter(({ operation }) => operation === 'submit');
      assert.equal(submits.length, 2 * passing.length);
    });

    test('an upload that is declined has the code of whose fault it is', async (t) => {
      const bench = await runwayBench(t, door);
      const cases: [FaultInput, SubmitOutcome['outcome'], string?][] = [
        [{ on: 'upload', reply: { status: 401 } }, 'declined', 'ERR_5002'],
        [{ on: 'upload', reply: { status: 403 } }, 'declined', 'ERR_5002'],
        [
          { on: 'upload', reply: { status: 400, text: '{"error":"Validation of body failed"}' } },
          'declined',
          'ERR_5003',
        ],
        [
          { on: 'upload', reply: { status: 400, text: '{"error":"You must have purchased credits"}' } },
          'declined',
          'ERR_5002',
        ],
        [
          { on: 'storage', reply: { status: 400, text: '<Error><Code>EntityTooSmall</Code></Error>' } },
          'declined',
          'ERR_5003',
        ],
        [{ on: 'storage', reply: { status: 403, text: '<Error><Code>AccessDenied</Code></Error>' } }, 'retryable'],
        [{ on: 'storage', reply: { status: 307, headers: { location: 'https://example.com' } } }, 'retryable'],
        [{ on: 'upload', reply: { status: 200, text: '<html>welcome</html>' } }, 'retryable'],
        [
          { on: 'upload', reply: { status: 200, text: '{}', headers: { 'content-type': 'application/json' } } },
          'retryable',
        ],
      ];
      for (const [fault, outcome, code] of cases) {
        bench.controls.plan(fault);
        const answer = await bench.provider.submit(pictureRequest(), bench.signal);
        const label = JSON.stringify(fault);
        assert.equal(answer.outcome, outcome, label);
        assert.equal('code' in answer ? answer.code : undefined, code, label);
        assert.equal(
          bench.log.lines.some(({ level }) => level === 'error'),
          code === 'ERR_5002',
          label,
        );
        remember(bench, answer);
      }
      assert.deepEqual(bench.waits, [], 'there is nothing to wait for');
      assert.deepEqual(await bench.controls.jobs(), []);
    });

    test('cancelling stops a task, and is content with whatever Runway says', async (t) => {
      const bench = await runwayBench(t, door);
      const { provider, controls, signal } = bench;
      const request = runwayRequest();
      const id = await bench.accepted(request);
      await provider.cancel(request, id, signal);
      assert.equal((await controls.jobs())[0]?.isDeleted, true);
      assert.equal((await provider.status(request, id, signal)).state, 'absent');
      controls.setDeletedReply('cancelled');
      assert.deepEqual(await provider.status(request, id, signal), {
        state: 'failed',
        code: 'ERR_5002',
        cause: 'cancelled at Runway',
        costUsd: 0,
      });
      await provider.cancel(request, id, signal);
      await provider.cancel(request, crypto.randomUUID(), signal);
      await provider.cancel(request, '../..', signal);
      assert.deepEqual(bench.log.lines, []);

      controls.plan({ on: 'cancel', times: 4, reply: 'cut' });
      await provider.cancel(request, id, signal);
      assert.equal(bench.waits.length, 3);
      assert.deepEqual(
        bench.log.lines.map(({ level }) => level),
        ['warn'],
      );
      await provider.cancel(request, id, AbortSignal.abort());
    });

    test('the caller’s signal ends a question at once, and whatever is known by then is the answer', async (t) => {
      const bench = await runwayBench(t, door);
      const request = runwayRequest();
      const id = await bench.accepted(request);
      bench.controls.plan({ on: 'status', hangMs: 60_000 });
      assert.equal((await bench.provider.status(request, id, AbortSignal.timeout(100))).state, 'unreachable');
      bench.controls.plan({ on: 'storage', hangMs: 60_000 });
      assert.equal((await bench.provider.submit(pictureRequest(), AbortSignal.timeout(150))).outcome, 'retryable');
      assert.deepEqual(bench.waits, []);
      const before = bench.controls.calls().length;
      for (const late of [runwayRequest(), pictureRequest()]) {
        assert.equal((await bench.provider.submit(late, AbortSignal.abort())).outcome, 'retryable');
      }
      assert.equal(bench.controls.calls().length, before, 'nothing was sent');
    });
  });
}
