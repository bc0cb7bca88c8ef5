import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it, type TestContext } from 'node:test';
import { until } from '../../media/until.ts';
import { createPeople, newSub } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';
import { rowsWith } from '../../support/tables.ts';

const people = await createPeople();
const { app, apple } = people;
after(() => app[Symbol.asyncDispose]());

const remove = (token: string) => people.call(token, 'delete-account', {});

async function deviceOf(id: string): Promise<string> {
  return String((await people.rows('select device_id from users where id = $1', [id]))[0]?.device_id);
}

/** A stream of events, read until it ends. */
async function openStream(t: TestContext, token: string, lastId?: number) {
  const response = await app.fetch('/functions/v1/job-events', {
    headers: { Authorization: `Bearer ${token}`, ...(lastId === undefined ? {} : { 'Last-Event-ID': String(lastId) }) },
  });
  assert.equal(response.status, 200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.ok(reader);
  t.after(() => reader.cancel());
  const stream = { text: '', isEnded: false };
  (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) stream.text += read.value;
    stream.isEnded = true;
  })();
  return stream;
}

/** An account with everything that tells of a person, and the texts that do. */
async function personWithEverything() {
  const secret = randomUUID().slice(0, 8);
  const sub = newSub();
  const email = `ada.${secret}@example.com`;
  const person = await people.appleUser(sub, 20, { email, email_verified: true });
  const guest = await people.guest(20);
  const devices = [await deviceOf(person.id), await deviceOf(guest.id)];
  const note = { reason: `wrote from ${email.toUpperCase()}`, details: { from: { address: email, devices } } };
  const say = `insert into admin_actions (target_user_id, action_type, reason, details) values ($1, 'user_unban', $2, $3)`;
  for (const { id } of [person, guest]) await people.rows(say, [id, `${note.reason} ${devices}`, note.details]);
  const prompt = (what: string) => `a ${what} for ${secret}`;

  app.vendor.script({ submit: ['accept'], status: ['complete'] });
  for (const { token } of [person, guest]) {
    assert.equal((await people.generate(token, { prompt: prompt('film') })).status, 200);
    assert.equal(
      (await people.upload(token, `${token === person.token ? person.id : guest.id}/${secret}.png`, { who: secret }))
        .status,
      200,
    );
  }
  await app.drain();
  const quote = { state: 'failed', code: 'ERR_5002', cause: `cannot draw "${prompt('failure')}"` } as const;
  app.vendor.script({ status: [quote] });
  assert.equal((await people.generate(person.token, { prompt: prompt('failure') })).status, 200);
  await app.drain();
  assert.equal((await people.merge(guest.token, { sub, email }, { authorization_code: 'a-code' })).status, 200);
  const { body } = await people.call(person.token, 'get-video-jobs?limit=10&status=completed');
  const running = (await people.generate(guest.token, { prompt: prompt('never') })).body.job_id;
  await callAsOwner(app.owner, 'update_user_metadata', { user_id: person.id, data: { nickname: secret } });
  return { person, guest, running, videos: body.jobs, texts: [secret, email, sub, ...devices] };
}

describe('a deleted account', () => {
  it('leaves no e-mail, device id, Apple sub, prompt or name of an upload in any table, and no file', async () => {
    const { person, guest, running, videos, texts } = await personWithEverything();
    const found = await rowsWith(app.owner, texts);
    const tables = new Set(found.map((row) => row.slice(0, row.indexOf(':'))));
    for (const name of [
      'users',
      'video_jobs',
      'uploads',
      'user_metadata',
      'admin_actions',
      'provider_attempts',
      'error_log',
    ])
      assert.ok(tables.has(`public.${name}`), `the scan finds what is in ${name}`);
    assert.equal((await app.stored()).filter((path) => path.includes('user_uploads')).length, 2);
    const revocations = apple.calls.filter(({ path }) => path === '/auth/revoke').length;

    assert.equal((await remove(guest.token)).status, 200);
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(await rowsWith(app.owner, texts), []);
    assert.deepEqual(await app.stored(), []);
    const revoked = apple.calls.filter(({ path }) => path === '/auth/revoke').slice(revocations);
    assert.equal(revoked.length, 1);
    assert.match(revoked[0]?.form.get('token') ?? '', /^r-/);
    assert.deepEqual(await people.rows('select from apple_revocations'), []);

    assert.equal((await app.job(running)).error_code, 'ERR_5004');
    assert.equal((await people.ledger(person.id)).at(-1)?.reason, 'generation_failed_refund');
    assert.equal(videos.length, 2);
    for (const { video_url, thumbnail_url } of videos) {
      for (const url of [video_url, thumbnail_url])
        assert.equal((await app.fetch(new URL(url).pathname + new URL(url).search)).status, 404);
    }
    await people.assertUnbroken();
  });

  it('is dead at once: its tokens, those of its merged guests, its links and its event streams', async (t) => {
    const sub = newSub();
    const [person, guest] = [await people.appleUser(sub, 5), await people.guest()];
    const path = `${person.id}/cat.png`;
    await people.upload(person.token, path);
    const link = (await people.call(person.token, `/storage/v1/object/sign/user_uploads/${path}`, { expiresIn: 60 }))
      .body.signedURL;
    const put = (
      await people.call(person.token, `/storage/v1/object/upload/sign/user_uploads/${person.id}/new.png`, {})
    ).body.url;
    await people.merge(guest.token, { sub });
    const streams = [await openStream(t, person.token), await openStream(t, guest.token)];
    assert.equal((await app.fetch(`/storage/v1${link}`)).status, 200);
    assert.equal((await remove(person.token)).status, 200);
    assert.equal((await app.fetch(`/storage/v1${link}`)).status, 404);
    const upload = { method: 'PUT', headers: { 'Content-Type': 'image/png' }, body: 'x' };
    assert.equal((await app.fetch(`/storage/v1${put}`, upload)).status, 401);
    for (const { token, refreshToken } of [person, guest]) {
      for (const read of ['get-user-credits', 'get-video-jobs', 'export-account', 'get-sessions'])
        assert.equal((await people.call(token, read)).status, 401, read);
      assert.equal((await remove(token)).status, 401);
      assert.equal((await people.refresh(refreshToken)).status, 400);
      assert.equal((await people.merge(token, { sub })).status, 401);
    }
    await until(() => streams.every(({ isEnded }) => isEnded));
  });

  it('has its token revoked once Apple can be reached again', async () => {
    const sub = newSub();
    const person = await people.appleUser(sub);
    assert.equal((await people.merge(person.token, { sub }, { authorization_code: 'a-code' })).status, 200);
    apple.setFault(() => new Response('<html>', { status: 502 }));
    const before = apple.calls.length;
    assert.equal((await remove(person.token)).status, 200);
    assert.equal((await app.drain()).length, 1);
    assert.equal((await people.rows('select from apple_revocations')).length, 1);
    apple.setFault(null);
    await app.makeAllDue();
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(
      apple.calls.slice(before).map(({ path }) => path),
      ['/auth/revoke', '/auth/revoke'],
    );
    assert.deepEqual(await people.rows('select from apple_revocations'), []);
  });

  it('keeps its end when a vendor’s answer arrives later', async () => {
    const person = await people.guest(5);
    app.vendor.script({ submit: ['accept'], status: [{ state: 'processing', progress: 10 }] });
    const jobId = await app.generate(person.id);
    await app.ctx.db.call('begin_attempt', { job_id: jobId });
    assert.equal((await remove(person.token)).status, 200);
    const { db } = app.ctx;
    const [attempt] = await people.rows('select id from provider_attempts where job_id = $1', [jobId]);
    const ids = { job_id: jobId, provider_job_id: `vendor-${jobId}` };
    assert.equal((await db.call('mark_submitted', { ...ids, attempt_id: String(attempt?.id) })).outcome, 'final');
    await db.call('record_provider_event', {
      ...ids,
      sender: 'generic',
      event_key: randomUUID(),
      providers: ['sandbox'],
    });
    await app.makeAllDue();
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(
      app.vendor.cancels.filter((id) => id === jobId),
      [jobId],
    );
    assert.equal((await app.job(jobId)).error_code, 'ERR_5004');
    assert.deepEqual(
      await rowsWith(app.owner, ['a cat playing piano']).then((rows) => rows.filter((row) => row.includes(jobId))),
      [],
    );
    await people.assertUnbroken();
  });

  it('is followed by a fresh guest without grant at the device’s next check', async () => {
    const person = await people.guest(0);
    const deviceId = await deviceOf(person.id);
    await app.ctx.db.call('claim_initial_grant', { user_id: person.id });
    await app.ctx.db.call('complete_initial_grant', { user_id: person.id });
    assert.equal((await remove(person.token)).status, 200);
    const again = await app.ctx.db.call('onboard_device', { device_id: deviceId });
    assert.notEqual(again.user_id, person.id);
    assert.deepEqual([again.is_new, again.credits_remaining, again.has_open_claim], [true, 0, false]);
  });

  it('of thousands of rows is erased in batches, by the call and by the queue', async () => {
    const person = await people.guest(0);
    const [model] = await people.rows(`select id from models where name = 'Sandbox'`);
    await people.rows(
      `with jobs as (
         insert into video_jobs (user_id, model_id, model_name, provider, provider_model_id, prompt, credits_used, status,
           error_code, deadline_at, completed_at, media_path)
         select $1::uuid, $2::uuid, 'Sandbox', 'sandbox', 'sandbox/clip', 'a private cat ' || n, 1, 'failed', 'ERR_5002', now(), now(), $1::uuid || '/2026-01/' || gen_random_uuid()
         from generate_series(1, 2500) n
         returning job_id
       )
       insert into user_events (user_id, type, job_id) select $1::uuid, 'failed', job_id from jobs`,
      [person.id, model?.id],
    );
    // What a call does that is cut off after its first transaction.
    await app.ctx.db.call('delete_account', { user_id: person.id });
    assert.equal(await app.ctx.db.call('erase_account', { user_id: person.id, limit: 500 }), 1000);
    await people.rows(`delete from graphile_worker._private_jobs where key like 'clean_up:%'`);
    await app.drain();
    assert.deepEqual(await rowsWith(app.owner, ['a private cat']), []);
    assert.deepEqual(await people.rows('select from user_events where user_id = $1', [person.id]), []);
  });

  it('that an administrator wrote about keeps the notes, whatever its device called itself', async () => {
    const deviceId = '12345678';
    const made = await app.ctx.db.call('onboard_device', { device_id: deviceId });
    const details = { amount: 12345678, list: [12345678, `device ${deviceId}`], '12345678': { deep: deviceId } };
    await people.rows(
      `insert into admin_actions (target_user_id, action_type, reason, details) values ($1, 'credit_refund', $2, $3)`,
      [made.user_id, `${deviceId} `.repeat(220), details],
    );
    await app.ctx.db.call('delete_account', { user_id: made.user_id });
    const [note] = await people.rows('select reason, details from admin_actions where target_user_id = $1', [
      made.user_id,
    ]);
    assert.ok(!String(note?.reason).includes(deviceId));
    assert.deepEqual(note?.details, {
      amount: 12345678,
      list: [12345678, 'device [deleted]'],
      '12345678': { deep: '[deleted]' },
    });
  });

  it('lets go of an image whose upload ends after it', async () => {
    const person = await people.guest();
    const { db, media } = app.ctx;
    const begun = await db.call('begin_upload', {
      ...{
        user_id: person.id,
        path: `${person.id}/late.png`,
        content_type: 'image/png',
        bytes: 9,
        width: 320,
        height: 320,
      },
      ...{ sha256: 'a'.repeat(64), upsert: false, pictures_max: 200, bytes_max: 1_000_000, metadata: { who: 'ada' } },
    });
    assert.ok(begun.outcome === 'begun');
    assert.equal((await remove(person.token)).status, 200);
    await app.drain();
    // Its row stays until whoever stores the file, or the sweep, has deleted it.
    assert.equal((await people.rows('select from uploads where id = $1 and metadata is null', [begun.id])).length, 1);
    const finished = await db.call('finish_upload', { id: begun.id, path: `${person.id}/late.png`, upsert: false });
    assert.equal(finished.outcome, 'gone');
    assert.equal(await media.info(begun.file), null);
  });
});
