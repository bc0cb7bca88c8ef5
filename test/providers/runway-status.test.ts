/** The Runway adapter against the simulator, inside the process and over a port: the status for each answer. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FaultInput } from '../../sim/faults.ts';
import { createLeakCheck, IMAGE_URL, PROMPT, TRANSPORTS } from './fal-bench.ts';
import { imageRequest, runwayBench, runwayRequest } from './runway-bench.ts';

const record = createLeakCheck('key_');

for (const transport of TRANSPORTS) {
  suite(`Runway's status of a task, ${transport}`, { concurrency: 4 }, () => {
    const ends: [string, string, RegExp, number, string?][] = [
      ['moderated', 'ERR_5003', /^moderated: SAFETY\.INPUT\.TEXT: Your input/, 0.48, 'moderated'],
      ['moderated_output', 'ERR_5003', /^moderated: SAFETY\.OUTPUT\.VIDEO/, 0.48, 'moderated'],
      ['moderated_early', 'ERR_5003', /^moderated: INPUT_PREPROCESSING\.SAFETY\.TEXT/, 0.48, 'moderated'],
      ['asset_invalid', 'ERR_5003', /ASSET\.INVALID/, 0, 'image_unreadable'],
      ['third_party_input', 'ERR_5003', /THIRD_PARTY\.INPUT_VALIDATION/, 0],
      ['third_party', 'ERR_5002', /THIRD_PARTY\.UNAVAILABLE/, 0],
      ['internal', 'ERR_5002', /^failed \(INTERNAL: An unexpected/, 0],
      ['internal_early', 'ERR_5002', /INPUT_PREPROCESSING\.INTERNAL/, 0],
      ['bad_output', 'ERR_5002', /INTERNAL\.BAD_OUTPUT\.CODE01/, 0],
      ['unnamed', 'ERR_5002', /^failed \(no code: An unexpected/, 0],
      ['cancelled', 'ERR_5002', /^cancelled at Runway$/, 0],
      ['no_output', 'ERR_5005', /^succeeded without a video$/, 0.48],
    ];
    for (const [outcome, code, cause, costUsd, reason] of ends) {
      test(`a task that ends as «${outcome}» has failed with ${code}, and has a cost`, async (t) => {
        const bench = await runwayBench(t, transport);
        const request = runwayRequest({ prompt: `${PROMPT} [runway:${outcome}]` });
        const id = await bench.ended(request);
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed', JSON.stringify(status));
        assert.equal(status.code, code);
        assert.match(status.cause, cause);
        assert.equal(status.reason, reason);
        assert.equal(status.costUsd, costUsd);
        assert.deepEqual(bench.waits, [], 'a final answer is not requested again');
        record(bench, status);
      });
    }

    test('unknown failure codes are classified by their beginnings', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.ended(request);
      const cases: [string, string, string?][] = [
        ['SAFETY', 'ERR_5003', 'moderated'],
        ['SAFETY.INPUT.A_KIND_OF_TOMORROW', 'ERR_5003', 'moderated'],
        ['INPUT_PREPROCESSING.SAFETY.THIRD_PARTY', 'ERR_5003', 'moderated'],
        ['ASSET.INVALID.IMAGE', 'ERR_5003', 'image_unreadable'],
        ['INPUT_VALIDATION', 'ERR_5003'],
        ['SAFETYNET.DOWN', 'ERR_5002'],
        ['INTERNAL.INPUT_VALIDATOR.DOWN', 'ERR_5002'],
        ['A_WORD_OF_TOMORROW', 'ERR_5002'],
      ];
      for (const [failureCode, code, reason] of cases) {
        const task = { id, status: 'FAILED', failure: 'no', failureCode };
        bench.controls.plan({ on: 'status', reply: { status: 200, text: JSON.stringify(task) } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed', failureCode);
        assert.deepEqual([status.code, status.reason, 'costUsd' in status], [code, reason, false], failureCode);
        record(bench, status);
      }
    });

    test('a failure that Runway reports in words beyond its documents ends the job at once, with its reason', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.ended(request);
      const cases: [status: number, body: object, code: string, reason?: string][] = [
        [200, { status: 'ERROR', error: 'An unexpected error occurred.' }, 'ERR_5002'],
        [200, { status: 'failed', failure_code: 'SAFETY.INPUT.TEXT' }, 'ERR_5003', 'moderated'],
        [200, { status: 'FAILED', failure: 'Your prompt was flagged by our moderation.' }, 'ERR_5003', 'moderated'],
        [200, { status: 'FAILED', error: { code: 'CONTENT_POLICY', message: 'no' } }, 'ERR_5003', 'moderated'],
        [200, { status: 'MODERATED' }, 'ERR_5003', 'moderated'],
        [200, { status: 'CANCELED' }, 'ERR_5002'],
        [200, { status: 'ABORTED' }, 'ERR_5002'],
        [200, { status: 'TIMED_OUT' }, 'ERR_5001'],
        [200, { status: 'REJECTED' }, 'ERR_5003'],
        [200, { status: 'HALTED', failure: 'An unexpected error occurred.' }, 'ERR_5002'],
        [200, { task: { status: 'FAILED', failureCode: 'ASSET.INVALID' } }, 'ERR_5003', 'image_unreadable'],
        [200, { status: 'SUCCEEDED', output: [], failure: 'Blocked by the safety filter' }, 'ERR_5003', 'moderated'],
        [422, { error: 'The input cannot be processed.' }, 'ERR_5003'],
        [400, { error: 'The prompt is prohibited.' }, 'ERR_5003', 'moderated'],
      ];
      for (const [httpStatus, body, code, reason] of cases) {
        bench.controls.plan({ on: 'status', reply: { status: httpStatus, text: JSON.stringify(body) } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed', JSON.stringify([body, status]));
        assert.deepEqual([status.code, status.reason], [code, reason], JSON.stringify(body));
        record(bench, status);
      }
      assert.deepEqual(bench.waits, []);
    });

    test('a success is read in every form', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.ended(request);
      const url = 'https://dnznrvs05pmza.cloudfront.net/a.mp4';
      for (const body of [
        { id, status: 'SUCCEEDED', output: url },
        { id, status: 'succeeded', output: [{ url }] },
        { id, status: 'COMPLETED', artifacts: [{ url, fileSize: null, previewUrls: [] }] },
        { id, status: 'MADE', output: [url] },
        { task: { id, status: 'SUCCEEDED', output: [url] } },
        { id, status: 'SUCCEEDED', output: [url], frames: 'A'.repeat(1_400_000) },
      ]) {
        bench.controls.plan({ on: 'status', reply: { status: 200, text: JSON.stringify(body) } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.deepEqual(status, { state: 'completed', video: { from: 'url', url }, thumbnail: null });
      }
    });

    test('a task that waits for other tasks of the account is queued', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest({ prompt: `${PROMPT} [runway:throttled]` });
      const id = await bench.accepted(request);
      assert.deepEqual(await bench.provider.status(request, id, bench.signal), {
        state: 'queued',
        queuePosition: null,
      });
      await bench.controls.finish(id);
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'completed');
    });

    test('progress is an integer from 0 to 100, and null where there is none', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.accepted(request);
      const cases: [unknown, number | null][] = [
        [0, 0],
        [0.29, 29],
        [0.996, 100],
        [1, 100],
        [1.7, 100],
        [-1, 0],
        [null, null],
        [undefined, null],
        ['half', null],
      ];
      for (const [progress, percent] of cases) {
        const text = JSON.stringify({ id, status: 'RUNNING', progress });
        bench.controls.plan({ on: 'status', reply: { status: 200, text } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.deepEqual(status, { state: 'processing', progress: percent }, String(progress));
      }
    });

    test('a failing Runway is retried after 2, 4 and 8 seconds, and then no more', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.ended(request);
      const fetchStatus = () => bench.provider.status(request, id, bench.signal);
      const replies = [408, 429, 500, 502, 503, 504].map((status) => ({ status, text: '<html>' }));
      for (const reply of [...replies, 'cut' as const, { status: 200, text: '{"stat', isCutShort: true }]) {
        bench.controls.plan({ on: 'status', times: 3, reply });
        assert.equal((await fetchStatus()).state, 'completed', JSON.stringify(reply));
        assert.deepEqual(bench.waits.splice(0), [2_000, 4_000, 8_000]);
        bench.controls.plan({ on: 'status', times: 4, reply });
        const unreachable = await fetchStatus();
        assert.equal(unreachable.state, 'unreachable', JSON.stringify(reply));
        assert.deepEqual(bench.waits.splice(0), [2_000, 4_000, 8_000]);
        record(bench, unreachable);
      }
      assert.equal((await fetchStatus()).state, 'completed');
    });

    test('an answer that is not about the task does not fail the task', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.ended(request);
      const strange: FaultInput['reply'][] = [
        { status: 200, text: '<html>a hotel</html>' },
        { status: 200, text: '{"status":"DREAMING"}' },
        { status: 200, text: '{"id":"of-another","status":"SUCCEEDED","output":["https://example.com/a.mp4"]}' },
        { status: 204 },
        { status: 401, text: '{"error":"Invalid key"}' },
        { status: 403 },
        { status: 400 },
        { status: 400, text: '{"error":"X-Runway-Version is missing or unknown."}' },
        { status: 422, text: '<html>' },
        { status: 302, headers: { location: 'https://example.com' } },
      ];
      for (const reply of strange) {
        bench.controls.plan({ on: 'status', ...(reply ? { reply } : {}) });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.equal(status.state, 'unreachable', JSON.stringify(reply));
        const isKeyRejected = /401|403/.test(JSON.stringify(reply));
        assert.equal(
          bench.log.lines.some(({ level }) => level === 'error'),
          isKeyRejected,
        );
        record(bench, status);
      }
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'completed');
    });

    test('a short Retry-After is waited for, and a long one is returned', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.accepted(request);
      const fetchStatus = () => bench.provider.status(request, id, bench.signal);
      bench.controls.plan({ on: 'status', reply: { status: 429, headers: { 'retry-after': '11' } } });
      assert.equal((await fetchStatus()).state, 'queued');
      assert.deepEqual(bench.waits.splice(0), [11_000]);
      bench.controls.plan({ on: 'status', reply: { status: 503, headers: { 'retry-after': '120' } } });
      const later = await fetchStatus();
      assert.ok(later.state === 'unreachable' && later.retryAfterMs === 120_000);
      assert.deepEqual(bench.waits, []);
    });

    test('a success whose file has no http URL has no file', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = runwayRequest();
      const id = await bench.ended(request);
      for (const output of [[], [''], ['file:///etc/passwd'], ['data:video/mp4;base64,AAAA'], [7], null, 'x', {}]) {
        const text = JSON.stringify({ id, status: 'SUCCEEDED', output, cost: { credits: 25 } });
        bench.controls.plan({ on: 'status', reply: { status: 200, text } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed' && status.code === 'ERR_5005', JSON.stringify(output));
        assert.equal(status.costUsd, 0.25, 'its cost is known nevertheless');
      }
    });

    test('user input is removed from Runway’s messages', async (t) => {
      const bench = await runwayBench(t, transport);
      const request = imageRequest({ image: { ...(imageRequest().image ?? assert.fail()), url: IMAGE_URL } });
      const id = await bench.ended(request);
      for (const quote of [PROMPT, JSON.stringify(PROMPT), PROMPT.slice(0, 30), IMAGE_URL, 'heron.png']) {
        const failure = `Cannot make ${quote} today`;
        const text = JSON.stringify({ id, status: 'FAILED', failure, failureCode: 'INTERNAL' });
        bench.controls.plan({ on: 'status', reply: { status: 200, text } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.match('cause' in status ? status.cause : '', /Cannot make "?…+"? today/);
        record(bench, status);
        const issues = [{ code: 'custom', path: ['promptText'], message: failure }];
        bench.controls.plan({ on: 'submit', reply: { status: 400, text: JSON.stringify({ error: failure, issues }) } });
        const answer = await bench.provider.submit(request, bench.signal);
        assert.match('cause' in answer ? answer.cause : '', /Cannot make "?…+"? today; promptText: Cannot make/);
        record(bench, answer);
      }
    });

    test('a task of another key is absent, and so is a malformed id, without a request', async (t) => {
      const bench = await runwayBench(t, transport);
      bench.controls.addApiKey('key_of_another');
      const other = bench.withOptions({ apiKey: 'key_of_another' });
      const request = runwayRequest();
      const id = await bench.accepted(request);
      assert.equal((await other.status(request, id, bench.signal)).state, 'absent');
      assert.equal((await bench.provider.status(request, crypto.randomUUID(), bench.signal)).state, 'absent');
      bench.controls.plan({ on: 'status', reply: { status: 410 } });
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'absent');
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'queued');
      const before = bench.controls.calls().length;
      for (const malformedId of ['', '..', 'a/b', 'x?y=1', '%2e%2e', 'a'.repeat(129)]) {
        assert.equal((await bench.provider.status(request, malformedId, bench.signal)).state, 'absent', malformedId);
      }
      assert.equal(bench.controls.calls().length, before);
    });
  });
}
