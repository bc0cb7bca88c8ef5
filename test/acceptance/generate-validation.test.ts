/** What generate-video refuses, which field the answer names, and that no refusal costs anything. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { type Started, startedShape } from './support/answers.ts';
import { expectStatus, type Reply } from './support/api.ts';
import { ENDLESS, type Guest, newGuest, sandboxModel } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { useTarget } from './support/target.ts';

const target = useTarget();

let guest: Guest;
/** Asserts that a request was accepted, and cancels the job so that the next one can be paid. */
async function accepted(reply: Reply<Started>): Promise<Started> {
  expectStatus(reply, 200);
  assertShape(reply.body, startedShape);
  await guest.cancel(reply.body.job_id);
  return reply.body;
}

describe('refusals', () => {
  before(async () => {
    guest = await newGuest(target.url);
  });
  after(async () => {
    assert.equal(await guest.balance(), 10, 'no refusal costs anything');
  });

  test('a valid request is answered with the job, its status and its price, and nothing else', async () => {
    const { job_id, ...rest } = await accepted(await guest.generate());
    assert.deepEqual(rest, { status: 'pending', credits_used: 1 });
    assert.ok(job_id);
  });

  test('a prompt is 3 to 2000 characters after trimming', async () => {
    const allowed = { minLength: 3, maxLength: 2000 };
    const bad = [
      '',
      '  ',
      'ab',
      '  ab \n\t',
      '\u00a0\u3000ab\u2003',
      '\n\n\n\n',
      'é'.repeat(2),
      'x'.repeat(2001),
      `${'x'.repeat(1999)} xx`,
    ];
    for (const prompt of bad) {
      const details = assertRefused(await guest.generate({ prompt }), 400, 'ERR_4003', { field: 'prompt' });
      assert.deepEqual(details.allowed, allowed);
    }
    for (const prompt of ['abc', '  abc  ', `\n${'[sandbox:timeout]'.padEnd(2000, 'x')}\n`]) {
      await accepted(await guest.generate({ prompt }));
    }
  });

  test('prompts are counted in Unicode characters, not in UTF-16 code units', async () => {
    for (const prompt of ['🎬🎬', '🎬'.repeat(2001), '𝒳'.repeat(2)]) {
      assertRefused(await guest.generate({ prompt }), 400, 'ERR_4003', { field: 'prompt' });
    }
    for (const prompt of ['🎬🎬🎬', '[sandbox:timeout]'.concat('🎬'.repeat(1983)), 'kız', '猫弹琴']) {
      await accepted(await guest.generate({ prompt }));
    }
  });

  test('a prompt is trimmed, and not changed otherwise', async () => {
    const expected = '[sandbox:timeout] Ağır ağır çıkacaksın\n“bu merdivenlerden” 🎹 <b>&amp;</b> \\ $1 %s';
    const { job_id } = await accepted(await guest.generate({ prompt: `\n  ${expected}\t ` }));
    assert.equal((await guest.job(job_id)).prompt, expected);
  });

  test('a prompt that is missing, no string, or not storable is 400, and the answer names the field', async () => {
    for (const prompt of [undefined, null, 1, true, ['a cat'], { text: 'a cat' }]) {
      assertRefused(await guest.generate({ prompt: prompt }), 400, 'ERR_4003', { field: 'prompt' });
    }
    for (const prompt of ['a cat\u0000playing', '\u0000\u0000\u0000', 'a cat \ud83c']) {
      const reply = await guest.generate({ prompt });
      assert.equal(reply.status, 400);
      assert.match(reply.text, /"ERR_400[36]"/);
      assert.match(reply.text, /"field":"prompt"/);
    }
  });

  test('a model that is missing, no id, or unknown is ERR_4002', async () => {
    for (const model_id of [
      undefined,
      null,
      '',
      'sandbox',
      1,
      {},
      ['x'],
      randomUUID(),
      '00000000-0000-0000-0000-000000000000',
    ]) {
      const reply = await guest.generate({ model_id: model_id });
      assertRefused(reply, 400, 'ERR_4002', { field: 'model_id' });
    }
  });

  test('a model is found by its id in any case', async () => {
    const { id } = await sandboxModel(target.url);
    await accepted(await guest.generate({ model_id: id.toUpperCase() }));
  });

  const seconds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  for (const [name, values, allowed] of [
    ['duration', [0, 11, -1, 1.5, '5', '', true, [5], {}, 1e300], seconds],
    ['resolution', ['4k', '720P', '', 720, true, ['720p'], {}], ['360p', '720p', '1080p']],
    ['aspect_ratio', ['4:3', '16/9', '', 1.78, ['16:9']], ['16:9', '9:16', '1:1']],
    ['fps', [25, 60, '24', 23.976, true], [24, 30]],
  ] as const) {
    test(`an invalid settings.${name} is answered with the field and its allowed values`, async () => {
      for (const value of values) {
        const reply = await guest.generate({ settings: { [name]: value } });
        assertRefused(reply, 400, 'ERR_4006', { field: `settings.${name}`, allowed });
      }
    });
  }

  test('settings that the model does not have are ignored, whatever their values', async () => {
    const odd = { camera: 'pan', seed: -1, audio: true, quality: { a: [1, 2] }, toString: 1, Ж: null, duration: null };
    await accepted(await guest.generate({ settings: odd }));
    const raw = `{"model_id":"${(await sandboxModel(target.url)).id}","prompt":"${ENDLESS}","settings":{"__proto__":{"duration":99},"constructor":{"x":1}}}`;
    const reply = await guest.post<Started>('generate-video', raw, { headers: { 'Idempotency-Key': randomUUID() } });
    await accepted(reply);
  });

  test('a setting that JSON cannot carry is refused by name, never charged at its default', async () => {
    const { id } = await sandboxModel(target.url);
    const send = (settings: string) =>
      guest.post('generate-video', `{"model_id":"${id}","prompt":"${ENDLESS}","settings":${settings}}`, {
        headers: { 'Idempotency-Key': randomUUID() },
      });
    for (const number of ['1e400', '-1e400', '1e-400', '5e400', '9007199254740993', '9'.repeat(500)]) {
      for (const name of ['duration', 'resolution', 'aspect_ratio', 'fps', 'seed']) {
        assertRefused(await send(`{"${name}":${number}}`), 400, 'ERR_4006', { field: `settings.${name}` });
      }
    }
    assertRefused(await send('{"duration":10,"duration":1}'), 400, 'ERR_4006', { field: 'settings.duration' });
    for (const value of ['-0', '1e300', '5.5', '"5"', '9007199254740992']) {
      assertRefused(await send(`{"duration":${value}}`), 400, 'ERR_4006', { field: 'settings.duration' });
    }
  });

  test('settings that are no object are refused, empty ones are accepted', async () => {
    for (const settings of ['720p', 5, true, [], [{ duration: 5 }]]) {
      assertRefused(await guest.generate({ settings: settings }), 400, 'ERR_4006', { field: 'settings' });
    }
    await accepted(await guest.generate({ settings: {} }));
    await accepted(await guest.generate({ settings: null }));
  });

  test('an image is refused unless it is an upload of the caller; no URL is fetched', async () => {
    const other = await newGuest(target.url);
    for (const image_url of [
      'http://169.254.169.254/latest/meta-data/',
      'https://example.com/cat.jpg',
      'file:///etc/passwd',
      `user_uploads/${other.userId}/cat.jpg`,
      `${other.userId}/cat.jpg`,
      `${guest.userId}/../${other.userId}/cat.jpg`,
      `${guest.userId}/not-uploaded.jpg`,
      `${target.url}/storage/v1/object/user_uploads/${other.userId}/cat.jpg`,
      'data:image/png;base64,AAAA',
      '',
      'x'.repeat(10_000),
      1,
      {},
    ]) {
      assertRefused(await guest.generate({ image_url }), 400, 'ERR_4006', { field: 'image_url' });
    }
    await accepted(await guest.generate({ image_url: null }));
  });

  test('a missing or malformed Idempotency-Key is 400, and the answer names it', async () => {
    const body = { model_id: (await sandboxModel(target.url)).id, prompt: ENDLESS };
    assertRefused(await guest.post('generate-video', body), 400, 'ERR_4006', { field: 'Idempotency-Key' });
    for (const key of [
      'x',
      '',
      '123',
      randomUUID().slice(1),
      `${randomUUID()}0`,
      `{${randomUUID()}}`,
      randomUUID().replaceAll('-', ''),
    ]) {
      const reply = await guest.post('generate-video', body, { headers: { 'Idempotency-Key': key } });
      assertRefused(reply, 400, 'ERR_4006', { field: 'Idempotency-Key' });
    }
  });

  test('too few credits are answered with the message of the contract, and nothing is charged', async () => {
    const ungranted = await newGuest(target.url, { deviceToken: null });
    const reply = await ungranted.generate({}, randomUUID(), { headers: { 'Accept-Language': 'en' } });
    const details = assertRefused(reply, 402, 'ERR_4001');
    assert.deepEqual(details, { required: 1, available: 0, credits_remaining: 0 });
    assert.match(reply.text, /You need 1 credit, but only have 0\. Please purchase more credits\./);
    assert.deepEqual(await ungranted.ledger(), []);
  });
});
