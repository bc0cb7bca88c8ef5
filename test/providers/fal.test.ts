/** The fal adapter against the simulator, inside the process and over a port: outcomes of submits and cancellations. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FaultInput } from '../../sim/faults.ts';
import type { SubmitOutcome } from '../../src/providers/provider.ts';
import { createLeakCheck, falBench, isMp4, PROMPT, requestFor, submitAndLeave, TRANSPORTS } from './fal-bench.ts';

const record = createLeakCheck();

for (const transport of TRANSPORTS) {
  suite(`fal ${transport}`, { concurrency: 4 }, () => {
    test('a job is queued, processed and completed, and its file is a video', async (t) => {
      const bench = await falBench(t, transport);
      const { provider, controls, signal } = bench;
      const request = requestFor();
      const id = await bench.accepted(request);
      const fetchStatus = () => provider.status(request, id, signal);
      assert.deepEqual(await fetchStatus(), { state: 'queued', queuePosition: 3 });
      await controls.start(id);
      assert.deepEqual(await fetchStatus(), { state: 'processing', progress: null });
      await controls.finish(id);
      const done = await fetchStatus();
      assert.ok(done.state === 'completed' && done.video.from === 'url');
      assert.equal(done.thumbnail, null);
      const file = await (await bench.fetch(done.video.url)).arrayBuffer();
      assert.ok(isMp4(file));
      assert.equal(done.video.bytes, file.byteLength);
      assert.deepEqual(await fetchStatus(), done, 'the answer does not change');
      assert.deepEqual(bench.waits, []);
    });

    test('both statuses for unfinished jobs and both forms of a result’s URL work', async (t) => {
      const bench = await falBench(t, transport);
      for (const form of ['short', 'long'] as const) {
        for (const pending of [200, 202] as const) {
          bench.controls.setResponseForm(form);
          bench.controls.setPendingStatus(pending);
          const request = requestFor();
          const id = await bench.accepted(request);
          assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'queued');
          await bench.controls.finish(id);
          assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'completed');
        }
      }
    });

    test('an answer that is lost after fal accepted the job is unknown, and the job is sent once', async (t) => {
      const bench = await falBench(t, transport);
      const faults: [FaultInput, RegExp][] = [
        [{ reply: 'cut' }, /connection lost/],
        [{ reply: { status: 500, text: '{"detail":"Internal Server Error"}' } }, /answered 500/],
        [{ reply: { status: 502, text: '<html>Bad Gateway</html>' } }, /answered 502/],
        [{ reply: { status: 504 } }, /answered 504/],
        [{ reply: { status: 200, text: '{"status":"IN_QUEUE"}' } }, /answered 200 without a usable request id/],
        [{ reply: { status: 200, text: '{"request_id":"../../other"}' } }, /without a usable request id/],
        [{ reply: { status: 200, text: '{"request_id":"0b7c', isCutShort: true } }, /without a usable request id/],
        [{ reply: { status: 200, fillerBytes: 5_000_000 } }, /without a usable request id/],
        [{ reply: { status: 202, text: '<html>welcome</html>' } }, /answered 202 without/],
        [{ reply: { status: 307, headers: { location: '/elsewhere' } } }, /answered 307/],
        [{ reply: { status: 408 } }, /answered 408/],
      ];
      for (const [fault, cause] of faults) {
        const request = requestFor({ prompt: `${PROMPT} ${JSON.stringify(fault.reply)}` });
        bench.controls.plan({ on: 'submit', apply: true, ...fault });
        const answer = await bench.provider.submit(request, bench.signal);
        assert.equal(answer.outcome, 'unknown', JSON.stringify(fault));
        assert.match('cause' in answer ? answer.cause : '', cause);
        assert.equal(bench.controls.submitsOf(request.prompt), 1, 'one POST');
        record(bench, answer);
      }
      assert.equal((await bench.controls.jobs()).length, faults.length, 'each of them is one job at fal');
      assert.deepEqual(bench.waits, [], 'there is no second attempt');
    });

    test('a submit without an answer is unknown too, whether or not it was applied', async (t) => {
      const bench = await falBench(t, transport);
      for (const apply of [true, false]) {
        for (const fault of [{ reply: 'cut' as const }, { hangMs: 60_000 }]) {
          const request = requestFor({ prompt: `${PROMPT} ${apply} ${JSON.stringify(fault)}` });
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

    test('the id of a lost answer is kept for support where a header has it', async (t) => {
      const bench = await falBench(t, transport);
      bench.controls.plan({ reply: { status: 200, text: '<html>', headers: { 'x-fal-request-id': 'abc-123' } } });
      const answer = await bench.provider.submit(requestFor(), bench.signal);
      assert.ok(answer.outcome === 'unknown' && answer.cause.includes('abc-123'));
    });

    const submits: [FaultInput['reply'], SubmitOutcome['outcome'], string?, string?][] = [
      [{ status: 429, text: '{"detail":"concurrent_requests_limit"}' }, 'retryable'],
      [{ status: 503 }, 'retryable'],
      [{ status: 401, text: '{"detail":"Invalid key"}' }, 'declined', 'ERR_5002'],
      [{ status: 403, text: '{"detail":"User is locked. Reason: Exhausted balance."}' }, 'declined', 'ERR_5002'],
      [{ status: 402 }, 'declined', 'ERR_5002'],
      [{ status: 404, text: '{"detail":"Application not found"}' }, 'declined', 'ERR_5003'],
      [{ status: 400, text: '{"detail":"no","error_type":"bad_request"}' }, 'declined', 'ERR_5003'],
      [{ status: 413 }, 'declined', 'ERR_5003'],
      [{ status: 422, text: '{"detail":"Prompt is too long"}' }, 'declined', 'ERR_5003'],
      [
        { status: 422, text: '{"detail":[{"loc":["body","prompt"],"msg":"no","type":"content_policy_violation"}]}' },
        'declined',
        'ERR_5003',
        'moderated',
      ],
      [
        { status: 400, text: '{"detail":"Input was flagged by a content checker"}' },
        'declined',
        'ERR_5003',
        'moderated',
      ],
      [
        { status: 422, text: '{"detail":[{"loc":["body","prompt"],"msg":"Prohibited content","type":"value_error"}]}' },
        'declined',
        'ERR_5003',
        'moderated',
      ],
      [{ status: 403, text: '{"detail":{"message":"NSFW prompt"}}' }, 'declined', 'ERR_5003', 'moderated'],
      [
        { status: 400, text: '{"detail":[{"loc":["body"],"msg":"x","type":"downstream_service_error"}]}' },
        'declined',
        'ERR_5002',
      ],
    ];
    test('"not now" is retryable; a declined submit has the code for its reason', async (t) => {
      const bench = await falBench(t, transport);
      for (const [reply, outcome, code, reason] of submits) {
        bench.controls.plan({ on: 'submit', ...(reply ? { reply } : {}) });
        const answer = await bench.provider.submit(requestFor(), bench.signal);
        const label = JSON.stringify(reply);
        assert.equal(answer.outcome, outcome, label);
        assert.equal('code' in answer ? answer.code : undefined, code, label);
        assert.equal('reason' in answer ? answer.reason : undefined, reason, label);
        const isKeyRejected = code === 'ERR_5002' && reply !== 'cut' && !label.includes('downstream');
        assert.equal(
          bench.log.lines.some(({ level }) => level === 'error'),
          isKeyRejected || label.includes('404'),
          label,
        );
        record(bench, answer);
      }
      assert.equal(bench.controls.calls().length, submits.length, 'none of them is sent twice');
      assert.deepEqual(await bench.controls.jobs(), []);
    });

    test('a retryable outcome has the time of Retry-After', async (t) => {
      const { provider, controls, signal, clock } = await falBench(t, transport);
      controls.plan({ reply: { status: 429, headers: { 'retry-after': '90' } } });
      const inSeconds = await provider.submit(requestFor(), signal);
      assert.equal(inSeconds.outcome === 'retryable' && inSeconds.retryAfterMs, 90_000);
      const at = new Date(clock.now().getTime() + 7_000).toUTCString();
      controls.plan({ reply: { status: 503, headers: { 'retry-after': at } } });
      const byDate = await provider.submit(requestFor(), signal);
      assert.equal(byDate.outcome === 'retryable' && byDate.retryAfterMs, 7_000);
    });

    test('a cancellation removes a job from the queue, and succeeds whatever fal answers', async (t) => {
      const bench = await falBench(t, transport);
      const { provider, controls, signal } = bench;
      const request = requestFor();
      const id = await bench.accepted(request);
      await provider.cancel(request, id, signal);
      assert.equal((await controls.jobs())[0]?.isCancelled, true);
      assert.equal((await provider.status(request, id, signal)).state, 'failed');
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
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.accepted(request);
      bench.controls.plan({ on: 'status', hangMs: 60_000 });
      assert.equal((await bench.provider.status(request, id, AbortSignal.timeout(100))).state, 'unreachable');
      assert.deepEqual(bench.waits, []);
      const before = bench.controls.calls().length;
      assert.equal((await bench.provider.submit(requestFor(), AbortSignal.abort())).outcome, 'retryable');
      assert.equal(bench.controls.calls().length, before, 'nothing was sent');
    });
  });
}
