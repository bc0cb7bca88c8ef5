/** The list of a user's videos, page by page. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Jobs, jobsShape, STATUSES } from './support/answers.ts';
import { expectStatus } from './support/api.ts';
import { ENDLESS, FAILING, type Guest, newGuest } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { useTarget } from './support/target.ts';

const target = useTarget();

async function page(guest: Guest, query: string): Promise<Jobs> {
  const reply = expectStatus(await guest.get<Jobs>(`get-video-jobs${query}`), 200);
  assertShape(reply.body, jobsShape);
  return reply.body;
}

const idsOf = ({ jobs }: Jobs): string[] => jobs.map(({ job_id }) => job_id);

/** Starts `count` videos that do not finish; returns their ids, newest first. */
async function startMany(guest: Guest, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1)
    ids.unshift((await guest.start({ prompt: `${ENDLESS} ${index}` })).job_id);
  return ids;
}

const finish = (guest: Guest, ids: string[]) => Promise.all(ids.map((id) => guest.cancel(id)));

describe('get-video-jobs', () => {
  test('is an empty page for a new guest', async () => {
    const guest = await newGuest(target.url);
    assert.deepEqual(await page(guest, ''), { jobs: [], total: 0, has_more: false, next_cursor: null });
  });

  test('shows the newest first, with every promised field', async () => {
    const guest = await newGuest(target.url);
    const ids = await startMany(guest, 5);
    const list = await page(guest, '');
    assert.deepEqual(idsOf(list), ids);
    assert.deepEqual([list.total, list.has_more, list.next_cursor], [5, false, null]);
    const [newest] = list.jobs;
    assert.deepEqual(
      { ...newest, model_id: '', status: '', created_at: '' },
      {
        job_id: ids[0],
        prompt: `${ENDLESS} 4`,
        model_id: '',
        model_name: 'Sandbox',
        settings: { duration: 5, resolution: '720p', aspect_ratio: '16:9', fps: 24 },
        image_url: null,
        credits_used: 1,
        status: '',
        error_code: null,
        video_url: null,
        thumbnail_url: null,
        created_at: '',
      },
    );
    const times = list.jobs.map(({ created_at }) => created_at);
    assert.deepEqual(times, times.toSorted().reverse());
    await finish(guest, ids);
  });

  test('by cursor: every job once, even if jobs are added meanwhile', async () => {
    const guest = await newGuest(target.url);
    const ids = await startMany(guest, 7);
    const seen: string[] = [];
    let cursor: string | null = '';
    const added: string[] = [];
    while (cursor !== null) {
      const list: Jobs = await page(
        guest,
        cursor === '' ? '?limit=2' : `?limit=2&cursor=${encodeURIComponent(cursor)}`,
      );
      assert.equal(list.has_more, list.next_cursor !== null);
      assert.ok(list.jobs.length <= 2);
      assert.equal(list.total, 7 + added.length);
      seen.push(...idsOf(list));
      cursor = list.next_cursor;
      if (cursor !== null && added.length < 3) added.push((await guest.start()).job_id);
    }
    assert.deepEqual(seen, ids);
    assert.deepEqual(idsOf(await page(guest, '')), [...added.toReversed(), ...ids]);
    await finish(guest, [...ids, ...added]);
  });

  test('by cursor: continues after a job that was deleted meanwhile', async () => {
    const guest = await newGuest(target.url);
    const ids = await startMany(guest, 5);
    await finish(guest, ids);
    const first = await page(guest, '?limit=2');
    for (const job_id of ids.slice(0, 2)) expectStatus(await guest.post('delete-video-job', { job_id }), 200);
    const next = await page(guest, `?limit=10&cursor=${encodeURIComponent(first.next_cursor ?? '')}`);
    assert.deepEqual(idsOf(next), ids.slice(2));
    assert.equal(next.total, 3);
  });

  test('jobs that were started at the same time keep their order', async () => {
    const guest = await newGuest(target.url);
    const started = await Promise.all(Array.from({ length: 10 }, () => guest.start()));
    const all = idsOf(await page(guest, '?limit=100'));
    assert.deepEqual(all.toSorted(), started.map(({ job_id }) => job_id).toSorted());
    const singly: string[] = [];
    for (let offset = 0; offset < 10; offset += 1)
      singly.push(...idsOf(await page(guest, `?limit=1&offset=${offset}`)));
    assert.deepEqual(singly, all);
    await finish(guest, all);
  });

  test('by offset: a part of the list, with the total and whether more jobs follow', async () => {
    const guest = await newGuest(target.url);
    const ids = await startMany(guest, 5);
    for (const [offset, limit] of [
      [0, 2],
      [2, 2],
      [4, 2],
      [0, 5],
      [0, 100],
      [5, 2],
      [1000, 100],
    ] as const) {
      const list = await page(guest, `?offset=${offset}&limit=${limit}`);
      assert.deepEqual(idsOf(list), ids.slice(offset, offset + limit), `offset ${offset}, limit ${limit}`);
      assert.equal(list.total, 5);
      assert.equal(list.has_more, offset + limit < 5, `offset ${offset}, limit ${limit}`);
    }
    const [byOffset, byCursor] = [await page(guest, '?limit=3'), await page(guest, '?limit=3&offset=0')];
    // The jobs themselves go on between the two requests.
    assert.deepEqual({ ...byOffset, jobs: idsOf(byOffset) }, { ...byCursor, jobs: idsOf(byCursor) });
    await finish(guest, ids);
  });

  test('by status: only the jobs with this status, and their number', async () => {
    const guest = await newGuest(target.url);
    const running = await startMany(guest, 2);
    const failing = await Promise.all(Array.from({ length: 3 }, () => guest.start({ prompt: FAILING })));
    await Promise.all(running.map((id) => guest.waitFor(id, ['processing'])));
    await Promise.all(failing.map(({ job_id }) => guest.waitFor(job_id, ['failed'])));
    const counts: Record<string, number> = { pending: 0, processing: 2, completed: 0, failed: 3 };
    for (const status of STATUSES) {
      const list = await page(guest, `?status=${status}`);
      assert.deepEqual([list.jobs.length, list.total], [counts[status], counts[status]], status);
      assert.ok(list.jobs.every((job) => job.status === status));
    }
    const first = await page(guest, '?status=failed&limit=2');
    assert.equal(first.has_more, true);
    const rest = await page(guest, `?status=failed&limit=2&cursor=${encodeURIComponent(first.next_cursor ?? '')}`);
    assert.deepEqual([rest.jobs.length, rest.has_more], [1, false]);
    await finish(guest, running);
  });

  test('without a limit a page has twenty entries', async () => {
    const guest = await newGuest(target.url);
    const ids: string[] = [];
    for (let count = 0; count < 21; count += 1) {
      const { job_id } = await guest.start();
      await guest.cancel(job_id);
      ids.unshift(job_id);
    }
    const list = await page(guest, '');
    assert.deepEqual(idsOf(list), ids.slice(0, 20));
    assert.deepEqual([list.total, list.has_more], [21, true]);
    assert.equal((await page(guest, '?limit=100')).jobs.length, 21);
    const { body } = expectStatus(await guest.get<{ transactions: unknown[] }>('get-credit-history'), 200);
    assert.equal(body.transactions.length, 20);
  });

  test('an invalid limit, offset, cursor or status is 400, and the answer names the field', async () => {
    const guest = await newGuest(target.url);
    for (const [field, values] of Object.entries({
      limit: ['0', '101', '-1', '1.5', '1e1', 'ten', '+5', '0x10', 'NaN', '9'.repeat(30)],
      offset: ['-1', '1.5', 'x', '1e3', 'Infinity', '9'.repeat(30)],
      cursor: ['x', '-1', '%00', 'LTE', 'bnVsbA', 'OTk5OTk5OTk5OTk5OTk5OQ', 'a'.repeat(3000), "1'%20or%20'1"],
      status: ['done', 'PENDING', 'Completed', 'cancelled', 'pending,failed', '%00'],
    })) {
      for (const value of values) {
        const reply = await guest.get(`get-video-jobs?${field}=${value}`);
        const details = assertRefused(reply, 400, 'ERR_4006', { field });
        if (field === 'status' && value !== '%00') assert.deepEqual(details.allowed, STATUSES);
      }
    }
  });

  test("another user's jobs are never in it, with any cursor", async () => {
    const [mine, theirs] = [await newGuest(target.url), await newGuest(target.url)];
    const [own, foreign] = [await startMany(mine, 2), await startMany(theirs, 3)];
    const { next_cursor } = await page(theirs, '?limit=1');
    const reply = await mine.get<Jobs>(`get-video-jobs?cursor=${encodeURIComponent(next_cursor ?? '')}`);
    if (reply.status === 200) assert.ok(idsOf(reply.body).every((id) => own.includes(id)));
    else assertRefused(reply, 400, 'ERR_4006', { field: 'cursor' });
    assert.deepEqual(idsOf(await page(mine, '')), own);
    await Promise.all([finish(mine, own), finish(theirs, foreign)]);
  });
});
