/** One key is charged once, whatever the network repeats, reorders or sends at the same time. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Cancelled, cancelledShape, type Started } from './support/answers.ts';
import { expectStatus, type Reply } from './support/api.ts';
import { ENDLESS, type Guest, newGuest, SHORT, sandboxModel } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { useTarget } from './support/target.ts';

const target = useTarget();

const isReplay = ({ headers }: Reply<unknown>): boolean => headers.get('x-idempotent-replay') === 'true';

function assertReplays(again: Reply<unknown>, first: Reply<unknown>): void {
  assert.equal(again.status, first.status, again.text);
  assert.equal(again.text, first.text);
  assert.equal(again.headers.get('x-idempotent-replay'), 'true');
}

const chargesOf = async (guest: Guest) =>
  (await guest.ledger()).filter(({ reason }) => reason === 'video_generation').map(({ job_id }) => job_id);

async function rawGenerate(guest: Guest, body: string, key: string): Promise<Reply<Started>> {
  return guest.post<Started>('generate-video', body, { headers: { 'Idempotency-Key': key } });
}

describe('generate-video', () => {
  test('a repeat gets the first answer again, marked as a replay, and is not charged', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const first = expectStatus(await guest.generate({}, key), 200);
    assert.equal(first.headers.get('x-idempotent-replay'), null);
    for (let count = 0; count < 3; count += 1) assertReplays(await guest.generate({}, key), first);
    assertReplays(await guest.generate({}, key.toUpperCase()), first);
    assert.equal(await guest.balance(), 9);
    assert.equal((await guest.jobs()).total, 1);
    await guest.cancel(first.body.job_id);
  });

  test('a key in upper case is the same as in lower case, also the first time', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const first = expectStatus(await guest.generate({}, key.toUpperCase()), 200);
    assertReplays(await guest.generate({}, key), first);
    await guest.cancel(first.body.job_id);
  });

  test('a key in quotes, as structured fields have it, is the same as without', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const first = expectStatus(await guest.generate({}, `"${key}"`), 200);
    assertReplays(await guest.generate({}, key), first);
    assertReplays(await guest.generate({}, ` "${key.toUpperCase()}" `), first);
    for (const bad of [`"${key}`, `${key}"`, `""${key}""`, `'${key}'`, '""', `"${key}", "${key}"`, `"${key}";a=1`]) {
      assertRefused(await guest.generate({}, bad), 400, 'ERR_4006', { field: 'Idempotency-Key' });
    }
    assert.equal(await guest.balance(), 9);
    await guest.cancel(first.body.job_id);
  });

  test('the order of keys, white space, unknown keys and unknown settings do not make another request', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const { id } = await sandboxModel(target.url);
    const plain = `{"model_id":"${id}","prompt":"${ENDLESS}","settings":{"duration":3,"resolution":"360p"}}`;
    const first = expectStatus(await rawGenerate(guest, plain, key), 200);
    for (const body of [
      `{ "settings" : { "resolution":"360p",\n"duration" : 3 },\t"prompt":"${ENDLESS}", "model_id":"${id}" }`,
      `{"model_id":"${id.toUpperCase()}","prompt":"${ENDLESS}","settings":{"duration":3,"resolution":"360p"}}`,
      `{"model_id":"${id}","prompt":"  ${ENDLESS}\\n","settings":{"duration":3,"resolution":"360p"}}`,
      `{"model_id":"${id}","prompt":"${ENDLESS.replace('t', '\\u0074')}","settings":{"duration":3,"resolution":"360p"}}`,
      `{"model_id":"${id}","prompt":"${ENDLESS}","settings":{"duration":3.0,"resolution":"360p"}}`,
      `{"model_id":"${id}","prompt":"${ENDLESS}","settings":{"duration":3e0,"resolution":"360p","camera":"pan"}}`,
      `{"model_id":"${id}","prompt":"${ENDLESS}","settings":{"duration":3,"resolution":"360p"},"client":"ios","image_url":null}`,
      `{"model_id":"${id}","prompt":"${ENDLESS}","settings":{"duration":3,"resolution":"360p"},"user_id":"${guest.userId}"}`,
    ]) {
      assertReplays(await rawGenerate(guest, body, key), first);
    }
    assert.equal(await guest.balance(), 9);
    await guest.cancel(first.body.job_id);
  });

  test('the same key for another request is 422 and charges nothing', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const first = expectStatus(await guest.generate({ settings: { duration: 3 } }, key), 200);
    for (const fields of [
      { settings: { duration: 3 }, prompt: `${ENDLESS}!` },
      { settings: { duration: 3 }, prompt: ENDLESS.toUpperCase() },
      { settings: { duration: 4 } },
      { settings: { duration: 3, fps: 30 } },
      {},
    ]) {
      assertRefused(await guest.generate(fields, key), 422, 'ERR_4009');
    }
    assertReplays(await guest.generate({ settings: { duration: 3 } }, key), first);
    assert.equal(await guest.balance(), 9);
    await guest.cancel(first.body.job_id);
  });

  test('keys belong to a user: the same key of two users is two videos', async () => {
    const [one, two, key] = [await newGuest(target.url), await newGuest(target.url), randomUUID()];
    const first = expectStatus(await one.generate({}, key), 200);
    const second = expectStatus(await two.generate({}, key), 200);
    assert.notEqual(first.body.job_id, second.body.job_id);
    assert.equal(isReplay(second), false);
    assert.deepEqual([await one.balance(), await two.balance()], [9, 9]);
    await Promise.all([one.cancel(first.body.job_id), two.cancel(second.body.job_id)]);
  });

  test('only a charge uses up a key: after a refusal it can be used again', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    assertRefused(await guest.generate({ prompt: 'a' }, key), 400, 'ERR_4003');
    assertRefused(await guest.generate({ model_id: randomUUID() }, key), 400, 'ERR_4002');
    assertRefused(await guest.generate({ settings: { duration: 99 } }, key), 400, 'ERR_4006');
    const first = expectStatus(await guest.generate({}, key), 200);
    assert.equal(isReplay(first), false);
    await guest.cancel(first.body.job_id);
  });

  test('a refusal for lack of credits does not use up the key', async () => {
    const guest = await newGuest(target.url);
    const jobs = await Promise.all(Array.from({ length: 10 }, () => guest.start()));
    const key = randomUUID();
    assertRefused(await guest.generate({}, key), 402, 'ERR_4001');
    assertRefused(await guest.generate({ prompt: `${ENDLESS} of another kind` }, key), 402, 'ERR_4001');
    await guest.cancel(jobs[0]?.job_id ?? '');
    const paid = expectStatus(await guest.generate({}, key), 200);
    assert.equal(isReplay(paid), false);
    assertReplays(await guest.generate({}, key), paid);
    assert.equal(await guest.balance(), 0);
    for (const { job_id } of [...jobs.slice(1), paid.body]) await guest.cancel(job_id);
    assertReplays(await guest.generate({}, key), paid);
    assert.equal(await guest.balance(), 10);
  });

  test('a repeat gets its answer in every state of the job: running, completed, deleted', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const fields = { prompt: 'a short one', settings: SHORT };
    const first = expectStatus(await guest.generate(fields, key), 200);
    await guest.waitFor(first.body.job_id, ['processing', 'completed']);
    assertReplays(await guest.generate(fields, key), first);
    await guest.waitFor(first.body.job_id, ['completed']);
    assertReplays(await guest.generate(fields, key), first);
    expectStatus(await guest.post('delete-video-job', { job_id: first.body.job_id }), 200);
    assertReplays(await guest.generate(fields, key), first);
    assert.equal(await guest.balance(), 9);
    assert.equal((await guest.jobs()).total, 0);
  });

  test('twenty concurrent calls with one key are one job and one charge', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => guest.generate({}, index % 2 ? key : key.toUpperCase())),
    );
    const answered = replies.filter(({ status }) => status === 200);
    for (const reply of replies.filter(({ status }) => status !== 200)) {
      assertRefused(reply, 409, 'ERR_4008');
      assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/);
    }
    assert.equal(answered.filter((reply) => !isReplay(reply)).length, 1);
    assert.equal(new Set(answered.map(({ text }) => text)).size, 1);
    assert.equal(await guest.balance(), 9);
    assert.equal((await chargesOf(guest)).length, 1);
    await guest.cancel(answered[0]?.body.job_id ?? '');
  });

  test('fifty parallel calls, each key twice, spend ten credits on ten jobs and stop at zero', async () => {
    const guest = await newGuest(target.url);
    const keys = Array.from({ length: 25 }, () => randomUUID());
    const replies = await Promise.all(
      [...keys, ...keys].map(async (key) => ({
        key,
        reply: await guest.generate({ prompt: `${ENDLESS} ${key}` }, key),
      })),
    );
    const jobsByKey = new Map<string, Set<string>>();
    for (const { key, reply } of replies) {
      if (reply.status === 200) jobsByKey.set(key, (jobsByKey.get(key) ?? new Set()).add(reply.body.job_id));
      else if (reply.status !== 409) assertRefused(reply, 402, 'ERR_4001', { required: 1, available: 0 });
    }
    assert.equal(jobsByKey.size, 10);
    const jobs = [...jobsByKey.values()].flatMap((ids) => [...ids]);
    assert.equal(jobs.length, 10, 'one job for each key');
    assert.equal(new Set(jobs).size, 10);
    assert.equal(await guest.balance(), 0);
    assert.deepEqual((await chargesOf(guest)).toSorted(), jobs.toSorted());
    assert.equal((await guest.jobs()).total, 10);
    const balances = (await guest.ledger()).map(({ balance_after }) => balance_after);
    assert.deepEqual(balances, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await Promise.all(jobs.map((jobId) => guest.cancel(jobId)));
    assert.equal(await guest.balance(), 10);
  });
});

describe('cancel-video-job', () => {
  const cancel = (guest: Guest, jobId: string, key?: string) =>
    guest.post<Cancelled>('cancel-video-job', { job_id: jobId }, key ? { headers: { 'Idempotency-Key': key } } : {});

  test('with a key, a repeat gets the first answer again after the job has ended', async () => {
    const [guest, key] = [await newGuest(target.url), randomUUID()];
    const { job_id } = await guest.start();
    const first = expectStatus(await cancel(guest, job_id, key), 200);
    assertShape(first.body, cancelledShape);
    assert.deepEqual(first.body, { success: true, refunded: 1, credits_remaining: 10 });
    assert.equal(isReplay(first), false);
    const later = await guest.start();
    assertReplays(await cancel(guest, job_id, key), first);
    assertReplays(await cancel(guest, job_id.toUpperCase(), key.toUpperCase()), first);
    assertRefused(await cancel(guest, job_id), 409, 'ERR_4008');
    assertRefused(await cancel(guest, job_id, randomUUID()), 409, 'ERR_4008');
    assertRefused(await cancel(guest, later.job_id, key), 422, 'ERR_4009');
    assert.equal(await guest.balance(), 9);
    await guest.cancel(later.job_id);
  });

  test('a key of a generation cannot be used for its cancellation, nor the other way round', async () => {
    const [guest, paid, cancelled] = [await newGuest(target.url), randomUUID(), randomUUID()];
    const { job_id } = expectStatus(await guest.generate({}, paid), 200).body;
    assertRefused(await cancel(guest, job_id, paid), 422, 'ERR_4009');
    expectStatus(await cancel(guest, job_id, cancelled), 200);
    assertRefused(await guest.generate({}, cancelled), 422, 'ERR_4009');
    assert.equal(await guest.balance(), 10);
  });

  test('a malformed key is 400 and cancels nothing', async () => {
    const guest = await newGuest(target.url);
    const { job_id } = await guest.start();
    assertRefused(await cancel(guest, job_id, 'not-a-uuid'), 400, 'ERR_4006', { field: 'Idempotency-Key' });
    assert.equal(await guest.balance(), 9);
    await guest.cancel(job_id);
  });

  test('twenty concurrent cancellations refund the credit once, without a key or with one', async () => {
    for (const key of [undefined, randomUUID()]) {
      const guest = await newGuest(target.url);
      const { job_id } = await guest.start();
      const replies = await Promise.all(Array.from({ length: 20 }, () => cancel(guest, job_id, key)));
      const fresh = replies.filter((reply) => reply.status === 200 && !isReplay(reply));
      assert.equal(fresh.length, 1);
      for (const reply of replies.filter(({ status }) => status !== 200)) assertRefused(reply, 409, 'ERR_4008');
      assert.equal(await guest.balance(), 10);
      assert.equal((await guest.ledger()).length, 3);
    }
  });
});
