/** What callers see of a job, and that its URLs lead to where they came from. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createMediaSigner } from '../../../src/http/signed-url.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';

let app: TestApp;
let aheadMs = 0;
const clock = { now: () => new Date(Date.now() + aheadMs) };
before(async () => {
  const mediaSigner = createMediaSigner('the secret of this test', clock);
  app = await createTestApp({ env: { TRUSTED_PROXY_HOPS: '1' }, overrides: { mediaSigner } });
});
after(() => app[Symbol.asyncDispose]());

const PROXY = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example.com' };

async function finishedJob() {
  const userId = await app.user(1);
  const jobId = await app.generate(userId);
  await app.drain();
  assert.equal((await app.job(jobId)).status, 'completed');
  return { jobId, headers: { Authorization: `Bearer ${await app.tokenOf(userId)}` } };
}

/** The data of the stream's first event that is `completed`; the stream begins after `Last-Event-ID`. */
async function readCompleted(headers: Record<string, string>): Promise<Record<string, unknown>> {
  const leaving = new AbortController();
  const { body } = await app.fetch('/functions/v1/job-events', { headers, signal: leaving.signal });
  let text = '';
  for await (const piece of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += piece;
    const [, data] = /event: completed\ndata: (.*)\n\n/.exec(text) ?? [];
    if (data === undefined) continue;
    leaving.abort();
    return JSON.parse(data);
  }
  throw new Error(`the stream ended: ${text}`);
}

/** The signed URL below the origin, without its token. */
const withoutToken = (url: unknown) => String(url).replace(/token=[^&]+/, '');

describe('a finished job', () => {
  test('is reported by the stream with fresh URLs, which play, also to a client that resumes', async () => {
    const { jobId, headers } = await finishedJob();
    const resumed = { ...headers, 'Last-Event-ID': '0' };
    const first = await readCompleted(resumed);
    const status = await (await app.fetch(`/functions/v1/get-video-status?job_id=${jobId}`, { headers })).json();
    assert.equal(first.job_id, jobId);
    for (const name of ['video_url', 'thumbnail_url']) {
      assert.equal(withoutToken(first[name]), withoutToken(status[name]));
      assert.equal((await app.fetch(String(first[name]))).status, 200);
    }
    // Signed when it is sent, not when it happened.
    aheadMs = 25 * 3_600_000;
    assert.equal((await app.fetch(String(first.video_url))).status, 403);
    const again = await readCompleted(resumed);
    assert.equal((await app.fetch(String(again.video_url))).status, 200);
  });

  test('that was deleted since has no URLs in the stream', async () => {
    const { jobId, headers } = await finishedJob();
    const query = `/functions/v1/delete-video-job?job_id=${jobId}`;
    assert.equal((await app.fetch(query, { method: 'DELETE', headers })).status, 200);
    const { video_url, thumbnail_url, job_id } = await readCompleted({ ...headers, 'Last-Event-ID': '0' });
    assert.deepEqual([job_id, video_url, thumbnail_url], [jobId, null, null]);
  });

  test('has URLs of the origin that the trusted proxy was asked for, in every answer', async () => {
    const { jobId, headers } = await finishedJob();
    const through = { ...headers, ...PROXY };
    const read = async (path: string) => (await app.fetch(`/functions/v1/${path}`, { headers: through })).json();
    const [listed] = (await read('get-video-jobs')).jobs;
    const jobs = [
      listed,
      await read(`get-video-status?job_id=${jobId}`),
      await readCompleted({ ...through, 'Last-Event-ID': '0' }),
    ];
    for (const { video_url, thumbnail_url } of jobs) {
      for (const url of [video_url, thumbnail_url]) assert.match(url, /^https:\/\/api\.example\.com\/storage\/v1\//);
    }
    const { servers } = await (await app.fetch('/openapi.json', { headers: PROXY })).json();
    assert.equal(servers[0].url, 'https://api.example.com');
    const direct = await (await app.fetch('/openapi.json')).json();
    assert.equal(direct.servers[0].url, 'http://rendio.test');
  });
});
