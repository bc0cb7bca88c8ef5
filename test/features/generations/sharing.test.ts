/** Shared videos, reports about videos, and prompts that the operator does not allow. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readShare } from '../../../src/features/generations/share.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createBlockList } from '../../../src/moderation/block-list.ts';
import type { PromptPolicy } from '../../../src/moderation/port.ts';
import { type AdminAnswer, newAdministrator } from '../../support/administrators.ts';
import { createPeople, newSub, type Person } from '../../support/people.ts';

const logged: { fields: Record<string, unknown>; message: string }[] = [];
const note = (fields: object, message: string) => void logged.push({ fields: { ...fields }, message });
const blockList = createBlockList(['exploding kitten']);
let judge: PromptPolicy['judge'] = blockList.judge;
const people = await createPeople({
  log: { ...silentLog, warn: note, error: note, info: note },
  env: { RATE_LIMIT_REPORTS_PER_HOUR: '4' },
  overrides: { promptPolicy: { judge: (prompt, signal) => judge(prompt, signal) } },
});
const { app } = people;
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

/** A completed video of the person. */
async function newVideo(person: Person): Promise<string> {
  const jobId = await app.generate(person.id);
  await people.rows(
    `with sent as (
       update video_jobs set status = 'processing', provider_job_id = $1::text where job_id = $1::uuid returning job_id
     ) select from sent`,
    [jobId],
  );
  await app.ctx.db.call('finish_generation', {
    job_id: jobId,
    video_path: `${person.id}/2026-11/${jobId}.mp4`,
    thumbnail_path: `${person.id}/2026-11/${jobId}.jpg`,
    video_bytes: 9,
    video_sha256: 'a'.repeat(64),
    video_seconds: 5,
  });
  return jobId;
}

async function share(person: Person, jobId: string, more: object = {}): Promise<string> {
  const { status, body } = await people.call(person.token, 'share-video', { job_id: jobId, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  const [, token] = /^http:\/\/rendio\.test\/v\/([A-Za-z0-9_-]{22})$/.exec(body.url) ?? [];
  assert.ok(token, body.url);
  return token;
}

const isShown = async (token: string) => (await readShare(app.ctx, token)) !== null;
const outcome = ({ status, body }: { status: number; body: { error?: { code: string } } }) => [
  status,
  body.error?.code,
];

describe('a shared video', () => {
  it('has one link, which a repeat gives again and which shows the prompt only where its owner says so', async () => {
    const [owner, other] = [await people.guest(), await people.guest()];
    const jobId = await newVideo(owner);
    const token = await share(owner, jobId);
    const shown = await readShare(app.ctx, token);
    assert.deepEqual(shown && { ...shown, completedAt: null }, {
      jobId,
      modelName: 'Sandbox',
      prompt: null,
      videoPath: `${owner.id}/2026-11/${jobId}.mp4`,
      thumbnailPath: `${owner.id}/2026-11/${jobId}.jpg`,
      completedAt: null,
    });
    assert.equal(await share(owner, jobId, { with_prompt: true }), token);
    assert.equal((await readShare(app.ctx, token))?.prompt, 'a cat playing piano');
    assert.equal(await share(owner, jobId), token);
    assert.equal((await readShare(app.ctx, token))?.prompt, null);
    assert.notEqual(await share(other, await newVideo(other)), token);
    for (const wrong of ['', token.slice(1), token.toLowerCase(), `${token}\u0000`])
      assert.equal(await isShown(wrong), false);
  });

  it('is a completed one of the caller: an unknown one and another’s are the same 404, an unfinished one 409', async () => {
    const [owner, other] = [await people.guest(), await people.guest()];
    const [theirs, running, failed] = [
      await newVideo(other),
      await app.generate(owner.id),
      await app.generate(owner.id),
    ];
    await app.ctx.db.call('fail_generation', { job_id: failed, error_code: 'ERR_5003', cause: 'test' });
    const ask = (jobId: string, path = 'share-video') => people.call(owner.token, path, { job_id: jobId });
    for (const path of ['share-video', 'unshare-video']) {
      const [foreign, unknown] = [await ask(theirs, path), await ask(randomUUID(), path)];
      assert.equal(foreign.status, 404);
      assert.deepEqual(foreign.body, unknown.body);
    }
    assert.deepEqual((await ask(running)).body.error.details, { reason: 'running' });
    assert.deepEqual(outcome(await ask(running)), [409, 'ERR_4008']);
    assert.deepEqual(outcome(await ask(failed)), [409, 'ERR_4008']);
    assert.equal((await people.call(owner.token, 'share-video', {})).status, 400);
  });

  it('is gone with the link, the video, a ban and the account, and its old link never comes back', async () => {
    const [owner, banned, leaving] = [await people.guest(), await people.guest(), await people.guest()];
    const jobId = await newVideo(owner);
    const first = await share(owner, jobId);
    for (let n = 1; n <= 2; n += 1)
      assert.equal((await people.call(owner.token, 'unshare-video', { job_id: jobId })).status, 200);
    const second = await share(owner, jobId);
    assert.deepEqual([first === second, await isShown(first), await isShown(second)], [false, false, true]);
    await people.call(owner.token, 'delete-video-job', { job_id: jobId });
    assert.equal(await isShown(second), false);
    assert.equal((await people.call(owner.token, 'share-video', { job_id: jobId })).status, 404);

    const [ofBanned, ofLeaving] = [
      await share(banned, await newVideo(banned)),
      await share(leaving, await newVideo(leaving)),
    ];
    await people.rows(`insert into user_bans (user_id, reason) values ($1, 'spam')`, [banned.id]);
    assert.equal(await isShown(ofBanned), false);
    // The deletion itself, before its task has erased anything.
    await app.ctx.db.call('delete_account', { user_id: leaving.id });
    assert.equal(await isShown(ofLeaving), false, 'at once');
    await app.drain();
    const left = await people.rows('select from shares s join video_jobs j using (job_id) where j.user_id = any ($1)', [
      [owner.id, leaving.id],
    ]);
    assert.equal(left.length, 0, 'nothing is kept about it');
  });

  it('keeps its link when its guest is merged', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest()];
    const jobId = await newVideo(guest);
    const token = await share(guest, jobId);
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.equal((await readShare(app.ctx, token))?.jobId, jobId);
    assert.equal(await share(survivor, jobId), token);
  });
});

describe('a report', () => {
  const reason = 'It shows my neighbour.';
  const report = (person: Person, body: object) => people.call(person.token, 'report-video', { reason, ...body });
  const reportsAbout = (jobId: string) => people.rows('select * from reports where job_id = $1 order by seq', [jobId]);

  it('is stored once for each account and video, by the owner’s job id or by anyone with the link', async () => {
    const [owner, viewer, stranger] = [await people.guest(), await people.guest(), await people.guest()];
    const jobId = await newVideo(owner);
    const token = await share(owner, jobId);
    assert.deepEqual((await report(owner, { job_id: jobId.toUpperCase() })).body, { success: true });
    assert.equal((await report(viewer, { share_token: token })).status, 200);
    assert.equal((await report(viewer, { share_token: token, reason: 'Something else.' })).status, 200);
    assert.equal((await report(owner, { share_token: token })).status, 200);
    const stored = (await reportsAbout(jobId)).map((row) => [
      row.reporter_user_id,
      row.source,
      row.reason,
      row.user_id,
    ]);
    assert.deepEqual(stored, [
      [owner.id, 'owner', reason, owner.id],
      [viewer.id, 'share', reason, owner.id],
    ]);
    const [foreign, unknown] = [
      await report(stranger, { job_id: jobId }),
      await report(stranger, { job_id: randomUUID() }),
    ];
    assert.equal(foreign.status, 404);
    assert.deepEqual(foreign.body, unknown.body);
    await people.call(owner.token, 'unshare-video', { job_id: jobId });
    assert.deepEqual((await report(stranger, { share_token: token })).body, unknown.body);
  });

  it('names one video and has 3 to 500 characters', async () => {
    const person = await people.guest();
    const jobId = await newVideo(person);
    const token = await share(person, jobId);
    const bad: object[] = [
      {},
      { job_id: jobId, share_token: token },
      { job_id: 'x' },
      { job_id: jobId, reason: ' ab ' },
      { job_id: jobId, reason: '👍👍' },
      { job_id: jobId, reason: 'a'.repeat(501) },
      { job_id: jobId, reason: 7 },
    ];
    for (const body of bad)
      assert.deepEqual(outcome(await report(person, body)), [400, 'ERR_4006'], JSON.stringify(body));
    assert.deepEqual(await reportsAbout(jobId), []);
    assert.equal((await report(person, { job_id: jobId, reason: '👍'.repeat(500) })).status, 200);
  });

  it('is taken so many times an hour from an account; repeats and refusals do not count', async () => {
    const person = await people.guest(20);
    const videos: string[] = [];
    for (let n = 1; n <= 5; n += 1) videos.push(await newVideo(person));
    const statuses: number[] = [];
    for (const jobId of [...videos.slice(0, 4), videos[0] ?? '', randomUUID()])
      statuses.push((await report(person, { job_id: jobId })).status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 404]);
    const refused = await report(person, { job_id: videos[4] });
    assert.deepEqual(outcome(refused), [429, 'ERR_4004']);
    assert.match(refused.headers.get('RateLimit-Policy') ?? '', /^"reports";q=4;w=3600/);
    assert.equal((await report(person, { job_id: videos[0] })).status, 200, 'a repeat is answered at the limit too');
  });

  it('moves in a merge, and loses its text with the reporter’s account', async () => {
    const sub = newSub();
    const [survivor, guest, owner] = [await people.appleUser(sub), await people.guest(), await people.guest(20)];
    const [both, alone] = [await newVideo(owner), await newVideo(owner)];
    const [tokenOfBoth, tokenOfAlone] = [await share(owner, both), await share(owner, alone)];
    const ofGuest = await newVideo(guest);
    await report(survivor, { share_token: tokenOfBoth, reason: 'Of the survivor.' });
    await report(guest, { share_token: tokenOfBoth, reason: 'Of the guest.' });
    await report(guest, { share_token: tokenOfAlone, reason: 'Of the guest.' });
    await report(owner, { share_token: await share(guest, ofGuest), reason: 'Of the owner.' });
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    const texts = async () =>
      (
        await people.rows(
          'select reporter_user_id, user_id, reason from reports where job_id = any ($1) order by reason',
          [[both, alone, ofGuest]],
        )
      ).map((row) => [row.reporter_user_id, row.user_id, row.reason]);
    assert.deepEqual(await texts(), [
      [survivor.id, owner.id, 'Of the guest.'],
      [owner.id, survivor.id, 'Of the owner.'],
      [survivor.id, owner.id, 'Of the survivor.'],
    ]);
    assert.equal((await people.call(survivor.token, 'delete-account', {})).status, 200);
    await app.drain();
    assert.deepEqual((await texts()).map(([, , text]) => text).sort(), ['Of the owner.', '[deleted]', '[deleted]']);
  });

  it('is listed for administrators, newest first, in pages, by what it is about; handling one is audited', async () => {
    const administrator = await newAdministrator(app);
    const [owner, viewer] = [await people.guest(20), await people.guest()];
    const videos = [await newVideo(owner), await newVideo(owner), await newVideo(owner)];
    for (const jobId of videos) await report(viewer, { share_token: await share(owner, jobId) });
    const list = async (query: string): Promise<AdminAnswer> => administrator.call(`admin-reports?${query}`);
    const jobs = ({ body }: AdminAnswer) => body.reports.map((each: { job_id: string }) => each.job_id);
    const newest = videos.toReversed();
    assert.deepEqual(jobs(await list(`reporter_user_id=${viewer.id}`)), newest);
    assert.deepEqual(jobs(await list(`job_id=${videos[1]}`)), [videos[1]]);
    const first = await list(`user_id=${owner.id}&limit=2`);
    assert.deepEqual(jobs(first), newest.slice(0, 2));
    const second = await list(`user_id=${owner.id}&limit=2&cursor=${first.body.next_cursor}`);
    assert.deepEqual([jobs(second), second.body.next_cursor], [newest.slice(2), null]);

    const [{ id }] = first.body.reports;
    const key = { 'Idempotency-Key': randomUUID() };
    const handled = { report_id: id, reason: 'The account is banned.' };
    for (let n = 1; n <= 2; n += 1)
      assert.deepEqual((await administrator.call('admin-handle-report', handled, key)).body, { success: true });
    const open = await list(`user_id=${owner.id}&is_handled=false`);
    assert.deepEqual(jobs(open), newest.slice(1));
    assert.deepEqual(jobs(await list(`user_id=${owner.id}&is_handled=true`)), newest.slice(0, 1));
    const actions = await people.rows(`select target, reason from admin_actions where action_type = 'report_handle'`);
    assert.deepEqual(actions, [{ target: id, reason: 'The account is banned.' }]);
    const unknown = { ...handled, report_id: randomUUID() };
    assert.equal((await administrator.call('admin-handle-report', unknown)).status, 404);
    for (const query of ['limit=0', 'limit=101', 'cursor=nonsense', 'job_id=x', 'is_handled=maybe'])
      assert.equal((await list(query)).status, 400, query);
    assert.equal((await people.call(viewer.token, 'admin-reports')).status, 403);
  });
});

describe('a prompt that the operator’s policy blocks', () => {
  it('is 400 in the caller’s language, charges nothing, uses up no key and is logged without its text', async () => {
    const person = await people.guest(3);
    const key = randomUUID();
    const prompt = 'An EXPLODING k-i-t-t-e-n in space';
    const limited = await people.rows('select count(*) from rate_limit_log');
    logged.length = 0;
    const refused = await people.generate(person.token, { prompt }, key);
    assert.deepEqual(
      [...outcome(refused), refused.body.error.details],
      [400, 'ERR_4003', { field: 'prompt', reason: 'policy' }],
    );
    assert.match(refused.body.error.message, /^This prompt is not allowed here\./);
    assert.deepEqual(await people.rows('select count(*) from rate_limit_log'), limited);
    assert.equal(await app.balance(person.id), 3);
    const events = logged.filter(({ fields }) => fields.event === 'prompt_blocked');
    assert.deepEqual(
      events.map(({ fields }) => fields.user_id),
      [person.id],
    );
    assert.doesNotMatch(JSON.stringify(logged), /kitten|k-i-t|EXPLODING/i);
    assert.equal((await people.generate(person.token, {}, key)).status, 200);
    assert.equal(await app.balance(person.id), 2);
  });

  it('is not judged again in a repeat: an answer that was paid for is given again', async () => {
    const person = await people.guest(3);
    const key = randomUUID();
    const paid = await people.generate(person.token, {}, key);
    judge = async () => 'blocked';
    const repeat = await people.generate(person.token, {}, key);
    judge = blockList.judge;
    assert.deepEqual([repeat.status, repeat.body], [200, paid.body]);
  });

  it('is 503 and charges nothing where the policy throws, gives no verdict or does not answer', async (t) => {
    const person = await people.guest(3);
    const signals: AbortSignal[] = [];
    const failures: PromptPolicy['judge'][] = [
      () => Promise.reject(new Error('a cat playing piano')),
      () => {
        throw new TypeError('a cat playing piano');
      },
      async () => undefined as never,
      (_, signal) => {
        signals.push(signal);
        t.mock.timers.tick(3_000);
        return new Promise(() => {});
      },
    ];
    logged.length = 0;
    for (const failing of failures) {
      judge = failing;
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const asked = people.generate(person.token);
      const refused = await asked;
      t.mock.timers.reset();
      assert.deepEqual([...outcome(refused), refused.headers.get('Retry-After')], [503, 'ERR_5006', '30']);
    }
    judge = blockList.judge;
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    );
    assert.equal(await app.balance(person.id), 3);
    assert.doesNotMatch(JSON.stringify(logged), /piano/);
  });
});
