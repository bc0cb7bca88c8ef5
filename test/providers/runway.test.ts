/** The Runway adapter against the simulator, inside the process and over a port: outcomes of submits and cancellations. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FaultInput } from '../../sim/faults.ts';
import type { SubmitOutcome } from '../../src/providers/provider.ts';
import { createLeakCheck, isMp4, PROMPT, submitAndLeave, TRANSPORTS } from './fal-bench.ts';
import { imageRequest, runwayBench, runwayRequest } from './runway-bench.ts';

const record = createLeakCheck('key_');

for (const transport of TRANSPORTS) {
  suite(`Runway ${transport}`, { concurrency: 4 }, () => {
    test('a job is queued, processed and completed, its file is a video, and it has a cost', async (t) => {
      const bench = await runwayBench(t, transport);
      const { provider, controls, signal, clock } = bench;
      const request = runwayRequest();
      controls.setTiming({ queueMs: 1_000, runMs: 10_000 });
      const id = await bench.accepted(request);
      const fetchStatus = () => provider.status(request, id, signal);
      assert.deepEqual(await fetchStatus(), { state: 'queued', queuePosition: null });
      clock.turn(5_200);
      assert.deepEqual(await fetchStatus(), { state: 'processing', progress: 42 });
      clock.turn(6_000);
      const done = await fetchStatus();
      assert.ok(done.state === 'completed' && done.video.from === 'url');
      assert.equal(done.thumbnail, null);
      assert.equal(done.costUsd, 0.48);
      assert.ok(isMp4(await (await bench.fetch(done.video.url)).arrayBuffer()));
      assert.deepEqual(await fetchStatus(), done, 'the answer does not change');
      assert.deepEqual(bench.waits, []);
    });

    test('an answer that is lost after Runway accepted the task is unknown, and the task is sent once', async (t) => {
      const bench = await runwayBench(t, transport);
      const faults: [FaultInput, RegExp][] = [
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
      for (const [fault, cause] of faults) {
        const request = runwayRequest({ prompt: `${PROMPT} ${JSON.stringify(fault.reply)}` });
        bench.controls.plan({ on: 'submit', apply: true, ...fault });
        const answer = await bench.provider.submit(request, bench.signal);
        assert.equal(answer.outcome, 'unknown', JSON.stringify(fault));
        assert.match('cause' in answer ? answer.cause : '', cause);
        assert.equal(bench.controls.submitsOf(request.prompt), 1, 'one POST');
        record(bench, answer);
      }
      assert.equal((await bench.controls.jobs()).length, faults.length, 'each of them is one task at Runway');
      assert.deepEqual(bench.waits, [], 'there is no second attempt');
    });

    test('a submit without an answer is unknown too, whether or not it was applied', async (t) => {
      const bench = await runwayBench(t, transport);
      for (const apply of [true, false]) {
        for (const fault of [{ reply: 'cut' as const }, { hangMs: 60_000 }]) {
          const request = runwayRequest({ prompt: `${PROMPT} ${apply} ${JSON.stringify(fault)}` });
          bench.controls.plan({ on: 'submit', apply, ...fault });
          const answer = await ('hangMs' in fault
            ? submitAndLeave(bench, request)
            : bench.provider.submit(request, bench.signal));
          assert.equal(answer.outcome, 'unknown');
          assert.equal(bench.controls.submitsOf(request.prompt), 1);
          record(bench, answer);
        }
      }
    });

    const submits: [FaultInput['reply'], SubmitOutcome['outcome'], string?, string?][] = [
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
      [{ status: 400, text: '{"error":"The prompt was flagged."}' }, 'declined', 'ERR_5003', 'moderated'],
      [
        {
          status: 400,
          text: '{"error":"Validation of body failed","issues":[{"path":["promptText"],"message":"NSFW"}]}',
        },
        'declined',
        'ERR_5003',
        'moderated',
      ],
    ];
    test('"not now" is retryable; a declined submit has the code for its reason', async (t) => {
      const bench = await runwayBench(t, transport);
      for (const [reply, outcome, code, reason] of submits) {
        bench.controls.plan({ on: 'submit', ...(reply ? { reply } : {}) });
        const answer = await bench.provider.submit(runwayRequest(), bench.signal);
        const label = JSON.stringify(reply);
        assert.equal(answer.outcome, outcome, label);
        assert.equal('code' in answer ? answer.code : undefined, code, label);
        assert.equal('reason' in answer ? answer.reason : undefined, reason, label);
        assert.equal('isBusy' in answer, label.includes('429'), label);
        const isReported = bench.log.lines.some(({ level }) => level === 'error');
        assert.equal(isReported, code === 'ERR_5002' || label.includes('404'), label);
        record(bench, answer);
      }
      assert.equal(bench.controls.calls().length, submits.length, 'none of them is sent twice');
      assert.deepEqual(await bench.controls.jobs(), []);
    });

    test('a retryable outcome has the time of Retry-After', async (t) => {
      const { provider, controls, signal, clock } = await runwayBench(t, transport);
      controls.plan({ reply: { status: 429, headers: { 'retry-after': '90' } } });
      const inSeconds = await provider.submit(runwayRequest(), signal);
      assert.equal(inSeconds.outcome === 'retryable' && inSeconds.retryAfterMs, 90_000);
      const at = new Date(clock.now().getTime() + 7_000).toUTCString();
      controls.plan({ reply: { status: 503, headers: { 'retry-after': at } } });
      const byDate = await provider.submit(runwayRequest(), signal);
      assert.equal(byDate.outcome === 'retryable' && byDate.retryAfterMs, 7_000);
    });

    test('an image is uploaded first, and the task is submitted after that', async (t) => {
      const bench = await runwayBench(t, transport);
      const id = await bench.accepted(imageRequest());
      const [upload] = await bench.controls.uploads();
      assert.equal(upload?.fileName, 'picture.png', 'the user’s file name is not sent');
      assert.equal(upload?.isImage, true);
      assert.deepEqual(
        bench.controls.calls().map(({ operation }) => operation),
        ['upload', 'storage', 'submit'],
      );
      assert.equal(bench.controls.calls().at(-1)?.input?.promptImage, `runway://${upload?.id}`);
      await bench.controls.finish(id);
      const status = await bench.provider.status(imageRequest(), id, bench.signal);
      assert.equal(status.state === 'completed' && status.costUsd, 0.2);
    });

    test('an upload that fails is retried, and no task is submitted without its image', async (t) => {
      const bench = await runwayBench(t, transport);
      const retryableReplies: FaultInput['reply'][] = ['cut', { status: 500 }, { status: 503 }, { status: 429 }];
      for (const on of ['upload', 'storage']) {
        for (const reply of retryableReplies) {
          bench.controls.plan({ on, times: 3, ...(reply ? { reply } : {}) });
          assert.equal((await bench.provider.submit(imageRequest(), bench.signal)).outcome, 'accepted');
          assert.deepEqual(bench.waits.splice(0), [2_000, 4_000, 8_000]);
          bench.controls.plan({ on, times: 4, ...(reply ? { reply } : {}) });
          const answer = await bench.provider.submit(imageRequest(), bench.signal);
          assert.equal(answer.outcome, 'retryable', `${on} ${JSON.stringify(reply)}`);
          assert.match('cause' in answer ? answer.cause : '', /^the picture was not uploaded/);
          bench.waits.splice(0);
          record(bench, answer);
        }
      }
      const submits = bench.controls.calls().filter(({ operation }) => operation === 'submit');
      assert.equal(submits.length, 2 * retryableReplies.length);
    });

    test('an upload that is declined has the code for its reason', async (t) => {
      const bench = await runwayBench(t, transport);
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
        const answer = await bench.provider.submit(imageRequest(), bench.signal);
        const label = JSON.stringify(fault);
        assert.equal(answer.outcome, outcome, label);
        assert.equal('code' in answer ? answer.code : undefined, code, label);
        assert.equal(
          bench.log.lines.some(({ level }) => level === 'error'),
          code === 'ERR_5002',
          label,
        );
        record(bench, answer);
      }
      assert.deepEqual(bench.waits, [], 'there is no wait');
      assert.deepEqual(await bench.controls.jobs(), []);
    });

    test('a cancellation deletes a task, and succeeds whatever Runway answers', async (t) => {
      const bench = await runwayBench(t, transport);
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

    test('the caller’s signal ends a request at once: unreachable for a status, retryable for a submit that was not sent', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.accepted(request);
      bench.controls.plan({ on: 'status', hangMs: 60_000 });
      assert.equal((await bench.provider.status(request, id, AbortSignal.timeout(100))).state, 'unreachable');
      bench.controls.plan({ on: 'storage', hangMs: 60_000 });
      assert.equal((await bench.provider.submit(imageRequest(), AbortSignal.timeout(150))).outcome, 'retryable');
      assert.deepEqual(bench.waits, []);
      const before = bench.controls.calls().length;
      for (const late of [runwayRequest(), imageRequest()]) {
        assert.equal((await bench.provider.submit(late, AbortSignal.abort())).outcome, 'retryable');
      }
      assert.equal(bench.controls.calls().length, before, 'nothing was sent');
    });
  });
}
