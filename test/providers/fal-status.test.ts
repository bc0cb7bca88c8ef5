/** The fal adapter against the simulator, inside the process and over a port: the status for each answer. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FaultInput } from '../../sim/faults.ts';
import { createLeakCheck, falBench, PROMPT, requestFor, TRANSPORTS } from './fal-bench.ts';

const record = createLeakCheck();

for (const transport of TRANSPORTS) {
  suite(`fal's status of a job, ${transport}`, { concurrency: 4 }, () => {
    const ends: [string, string, (string | RegExp)?, string?][] = [
      ['moderated', 'ERR_5003', /^moderated: answered 422 \(content_policy_violation/, 'moderated'],
      ['invalid', 'ERR_5003', /literal_error/],
      ['no_media', 'ERR_5003', /no_media_generated/],
      ['timeout', 'ERR_5001', /request_timeout: Request timed out/],
      ['generation_timeout', 'ERR_5001', /answered 504 \(generation_timeout/],
      ['unavailable', 'ERR_5002', /downstream_service_unavailable/],
      ['downstream', 'ERR_5002', /downstream_service_error/],
      ['crash', 'ERR_5002', /runner_disconnected/],
      ['unexplained', 'ERR_5002', /Internal Server Error/],
      ['no_file', 'ERR_5005', 'completed without a video'],
      ['no_files', 'ERR_5005', 'completed without a video'],
    ];
    for (const [outcome, code, cause, reason] of ends) {
      test(`a job that ends as «${outcome}» has failed with ${code}`, async (t) => {
        const bench = await falBench(t, transport);
        const request = requestFor({ prompt: `${PROMPT} [fal:${outcome}]` });
        const id = await bench.ended(request);
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed', JSON.stringify(status));
        assert.equal(status.code, code);
        assert.match(status.cause, cause instanceof RegExp ? cause : new RegExp(cause ?? ''));
        assert.equal(status.reason, reason);
        assert.equal(bench.waits.length > 0, outcome === 'unexplained', 'a final answer is not requested again');
        record(bench, status);
      });
    }

    test('a failing queue is retried after 2, 4 and 8 seconds, and then no more', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      const fetchStatus = () => bench.provider.status(request, id, bench.signal);
      const replies = [408, 429, 500, 502, 503, 504].map((status) => ({ status, text: '<html>' }));
      for (const reply of [...replies, 'cut' as const, { status: 200, text: '{"stat', isCutShort: true }]) {
        bench.controls.plan({ on: 'status', times: 3, reply });
        assert.equal((await fetchStatus()).state, 'completed', JSON.stringify(reply));
        assert.deepEqual(bench.waits.splice(0), [2_000, 4_000, 8_000]);
        bench.controls.plan({ on: 'result', times: 4, reply });
        const unreachable = await fetchStatus();
        assert.equal(unreachable.state, 'unreachable', JSON.stringify(reply));
        assert.deepEqual(bench.waits.splice(0), [2_000, 4_000, 8_000]);
        record(bench, unreachable);
      }
      assert.equal((await fetchStatus()).state, 'completed');
    });

    test('an answer that is not about the job does not fail the job', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      const strange: FaultInput[] = [
        { on: 'status', reply: { status: 200, text: '<html>a hotel</html>' } },
        { on: 'status', reply: { status: 200, text: '{"status":"COMPLETED","request_id":"of-another"}' } },
        { on: 'status', reply: { status: 401, text: '{"detail":"Invalid key"}' } },
        { on: 'status', reply: { status: 403 } },
        { on: 'status', reply: { status: 402, text: '{"detail":"Exhausted balance"}' } },
        { on: 'status', reply: { status: 400 } },
        { on: 'status', reply: { status: 400, text: '<html>Bad Request' } },
        { on: 'result', reply: { status: 400, text: '<html>Bad Request' } },
        { on: 'status', reply: { status: 302, headers: { location: 'https://example.com' } } },
        { on: 'result', reply: { status: 401 } },
        { on: 'result', reply: { status: 302, headers: { location: 'https://example.com' } } },
      ];
      for (const fault of strange) {
        bench.controls.plan(fault);
        const status = await bench.provider.status(request, id, bench.signal);
        assert.equal(status.state, 'unreachable', JSON.stringify(fault));
        const isKeyRefused = /40[123]/.test(JSON.stringify(fault));
        assert.equal(
          bench.log.lines.some(({ level }) => level === 'error'),
          isKeyRefused,
        );
        record(bench, status);
      }
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'completed');
    });

    test('a short Retry-After is waited for, and a long one is returned', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
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

    test('a status that says the job failed counts, whatever its result is', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      const planStatus = (fields: object) =>
        bench.controls.plan({
          on: 'status',
          reply: { status: 200, text: JSON.stringify({ status: 'COMPLETED', request_id: id, ...fields }) },
        });
      const cases: [object, string][] = [
        [{ error: 'Request timed out', error_type: 'request_timeout' }, 'ERR_5001'],
        [{ error: 'Request timed out' }, 'ERR_5001'],
        [{ error: 'Invalid status code: 422' }, 'ERR_5003'],
        [{ error: 'Invalid status code: 500' }, 'ERR_5002'],
        [{ error: { message: 'something' } }, 'ERR_5002'],
        [{ error_type: 'startup_timeout' }, 'ERR_5001'],
        [{ error: 'broken', error_type: 'a_type_of_tomorrow' }, 'ERR_5002'],
      ];
      for (const [fields, code] of cases) {
        planStatus(fields);
        const status = await bench.provider.status(request, id, bench.signal);
        assert.equal(status.state === 'failed' && status.code, code, JSON.stringify(fields));
        record(bench, status);
      }
      planStatus({ error: null, error_type: '' });
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'completed');
    });

    test('the key is sent to the configured queue alone, whatever URL an answer contains', async (t) => {
      const bench = await falBench(t, transport);
      const urls: string[] = [];
      const recordingFetch: typeof fetch = (input, init) => {
        urls.push(String(input));
        return bench.fetch(input, init);
      };
      const provider = bench.withOptions({ fetch: recordingFetch });
      const request = requestFor();
      const id = await bench.ended(request);
      const base = new URL(bench.served?.url ?? bench.world.fal.urls.queueUrl);
      const elsewhere = [
        `https://queue.fal.run.example.com/fal-ai/veo3.1/requests/${id}`,
        `http://127.0.0.1:1/fal-ai/veo3.1/requests/${id}`,
        `${base.protocol}//someone@${base.host}/fal-ai/veo3.1/requests/${id}`,
        `${base.origin}/fal-ai/veo3.1/requests/another`,
        'no url at all',
      ];
      for (const response_url of elsewhere) {
        const text = JSON.stringify({ status: 'COMPLETED', response_url });
        bench.controls.plan({ on: 'status', reply: { status: 200, text } });
        assert.equal((await provider.status(request, id, bench.signal)).state, 'completed', response_url);
      }
      assert.equal(urls.length, 2 * elsewhere.length);
      assert.ok(urls.every((url) => url.startsWith(`${base.origin}/fal-ai/veo3.1/requests/${id}`)));
    });

    test('a failure that fal reports in words beyond its documents ends the job at once, with its reason', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      const blocked = 'Request blocked due to safety violations (harmful content). Please modify your input and retry.';
      const detail = [{ loc: ['body', 'prompt'], msg: blocked, type: 'value_error' }];
      const cases: [status: number, body: object, code: string, reason?: string][] = [
        [200, { status: 'FAILED', error: 'Model raised an exception' }, 'ERR_5002'],
        [200, { status: 'ERROR', error: { message: 'Model raised an exception' } }, 'ERR_5002'],
        [200, { status: 'CANCELLED' }, 'ERR_5002'],
        [200, { status: 'canceled' }, 'ERR_5002'],
        [200, { status: 'TIMEOUT' }, 'ERR_5001'],
        [200, { status: 'FAILED', error: 'Request timed out' }, 'ERR_5001'],
        [200, { status: 'REJECTED' }, 'ERR_5003'],
        [200, { status: 'FAILED', error: 'Rejected by content moderation' }, 'ERR_5003', 'moderated'],
        [200, { status: 'FAILED', detail }, 'ERR_5003', 'moderated'],
        [200, { status: 'FAILED', detail: [{ loc: ['body'], msg: 'too long', type: 'value_error' }] }, 'ERR_5003'],
        [200, { status: 'NSFW' }, 'ERR_5003', 'moderated'],
        [200, { status: 'COMPLETED', error: 'The prompt was flagged' }, 'ERR_5003', 'moderated'],
        [422, { detail: [{ loc: ['body', 'duration'], msg: 'too long', type: 'value_error' }] }, 'ERR_5003'],
        [422, { detail }, 'ERR_5003', 'moderated'],
        [422, { detail: blocked }, 'ERR_5003', 'moderated'],
        [400, { detail: { message: blocked } }, 'ERR_5003', 'moderated'],
        [403, { error: { message: blocked } }, 'ERR_5003', 'moderated'],
        [422, {}, 'ERR_5003'],
        [400, { detail: 'no', error_type: 'bad_request' }, 'ERR_5003'],
        [499, { detail: 'no', error_type: 'client_cancelled' }, 'ERR_5002'],
      ];
      for (const [httpStatus, body, code, reason] of cases) {
        bench.controls.plan({ on: 'status', reply: { status: httpStatus, text: JSON.stringify(body) } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed', JSON.stringify([body, status]));
        assert.deepEqual([status.code, status.reason], [code, reason], JSON.stringify(body));
        record(bench, status);
      }
      assert.deepEqual(bench.waits, [], 'none of them is asked again');
    });

    test('in a state that is not known, the result decides', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      const plan = (on: string, status: number, body: unknown) =>
        bench.controls.plan({ on, reply: { status, text: JSON.stringify(body) } });
      for (const body of [{ status: 'DREAMING' }, {}, { data: { status: 'COMPLETED' } }]) {
        plan('status', 200, body);
        assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'completed', JSON.stringify(body));
      }
      for (const [status, body, state] of [
        [400, { detail: 'Request is still in progress' }, 'processing'],
        [200, { status: 'IN_PROGRESS' }, 'processing'],
        [422, { detail: 'no' }, 'failed'],
        [200, { video: null }, 'unreachable'],
        [200, 'wait', 'unreachable'],
      ] as const) {
        plan('status', 200, { status: 'DREAMING' });
        plan('result', status, body);
        assert.equal((await bench.provider.status(request, id, bench.signal)).state, state, JSON.stringify(body));
      }
      bench.controls.plan({ on: 'result', times: 2, reply: { status: 404 } });
      plan('status', 200, { status: 'DREAMING' });
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'unreachable');
    });

    test('a result is read in every form: in an envelope, with bare NaN, with more than a megabyte in fields that are not read', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      const url = 'https://v3.fal.media/files/a.mp4';
      const video = { url, file_size: 63_313 };
      for (const text of [
        JSON.stringify({ video }),
        JSON.stringify({ status: 'COMPLETED', response: { video } }),
        JSON.stringify({ videos: [video] }),
        JSON.stringify({ video, debug: `data:image/png;base64,${'A'.repeat(1_400_000)}` }),
        `{"seed":NaN,"timings":{"inference":Infinity},"video":${JSON.stringify(video)}}`,
      ]) {
        bench.controls.plan({ on: 'result', reply: { status: 200, text } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'completed', JSON.stringify([text.slice(0, 100), status]));
        assert.deepEqual(status.video, { from: 'url', url, bytes: 63_313 });
      }
      for (const [body, code, reason] of [
        [{ status: 'FAILED', error: 'no' }, 'ERR_5002'],
        [{ video: null, has_nsfw_concepts: [true] }, 'ERR_5003', 'moderated'],
        [{ raiMediaFilteredCount: 1, videos: [] }, 'ERR_5003', 'moderated'],
        [{ video: null, detail: 'The output was blocked by the safety filter' }, 'ERR_5003', 'moderated'],
        [{ video: null, has_nsfw_concepts: [false], message: 'done' }, 'ERR_5005'],
      ] as const) {
        bench.controls.plan({ on: 'result', reply: { status: 200, text: JSON.stringify(body) } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed', JSON.stringify(body));
        assert.deepEqual([status.code, status.reason], [code, reason], JSON.stringify(body));
        record(bench, status);
      }
      assert.deepEqual(bench.waits, []);
    });

    test('a model’s refusal gets the sentence about content rules, whatever the words and the shape', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor({ prompt: 'a violent storm, prohibited by nobody' });
      const id = await bench.ended(request);
      const msg = 'Request blocked due to safety violations (harmful content). Please modify your input and retry.';
      const loc = ['body', 'prompt'];
      for (const [body, isModerated] of [
        [{ detail: [{ loc, msg, type: 'value_error' }] }, true],
        [{ detail: msg }, true],
        [{ detail: { msg, type: 'value_error' } }, true],
        [{ error: { message: 'NSFW content' } }, true],
        [{ message: 'Prohibited content' }, true],
        [{ detail: [{ loc, msg: 'no', type: 'moderation_blocked' }] }, true],
        [{ detail: [{ loc, msg: 'Cannot use “a violent storm, prohibited by nobody”', type: 'value_error' }] }, false],
        [
          { detail: [{ loc: ['body', 'safety_tolerance'], msg: 'Input should be 1 to 6', type: 'literal_error' }] },
          false,
        ],
      ] as const) {
        bench.controls.plan({ on: 'result', reply: { status: 422, text: JSON.stringify(body) } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.ok(status.state === 'failed' && status.code === 'ERR_5003', JSON.stringify(body));
        assert.equal(status.reason, isModerated ? 'moderated' : undefined, JSON.stringify(body));
      }
    });

    test('a result that is not there yet, or no JSON, is not ready', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      for (const status of [404, 410]) {
        bench.controls.plan({ on: 'result', times: 2, reply: { status, text: '{"detail":"Not found"}' } });
        assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'not_ready', String(status));
      }
      for (const text of ['', '<!doctype html><title>Just a moment</title>']) {
        bench.controls.plan({ on: 'result', reply: { status: 200, text } });
        assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'not_ready', text);
      }
      bench.controls.plan({ on: 'result', reply: { status: 405 } });
      assert.equal(
        (await bench.provider.status(request, id, bench.signal)).state,
        'completed',
        'through the other URL',
      );
    });

    test('a result that is not ready although the status says so leaves the job processing', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      bench.controls.plan({ on: 'result', reply: { status: 400, text: '{"detail":"Request is still in progress"}' } });
      assert.deepEqual(await bench.provider.status(request, id, bench.signal), { state: 'processing', progress: null });
    });

    test('a result whose file has no http URL has no file', async (t) => {
      const bench = await falBench(t, transport);
      const request = requestFor();
      const id = await bench.ended(request);
      for (const url of ['', 'file:///etc/passwd', 'data:video/mp4;base64,AAAA', '/files/x.mp4', 7, null]) {
        bench.controls.plan({ on: 'result', reply: { status: 200, text: JSON.stringify({ video: { url } }) } });
        const status = await bench.provider.status(request, id, bench.signal);
        assert.equal(status.state === 'failed' && status.code, 'ERR_5005', String(url));
      }
    });

    test('a job of another key is absent, so a signed event about it has no effect', async (t) => {
      const bench = await falBench(t, transport);
      bench.controls.addApiKey('another:account');
      const other = bench.withOptions({ apiKey: 'another:account' });
      const request = requestFor();
      const id = await bench.accepted(request);
      assert.equal((await other.status(request, id, bench.signal)).state, 'absent');
      assert.equal((await bench.provider.status(request, crypto.randomUUID(), bench.signal)).state, 'absent');
      assert.equal((await bench.provider.status(request, id, bench.signal)).state, 'queued');
      const before = bench.controls.calls().length;
      for (const malformedId of ['', '..', 'a/b', 'x?y=1', '%2e%2e', 'a'.repeat(129)]) {
        assert.equal((await bench.provider.status(request, malformedId, bench.signal)).state, 'absent', malformedId);
      }
      assert.equal(bench.controls.calls().length, before, 'no request is made for a malformed id');
    });
  });
}
