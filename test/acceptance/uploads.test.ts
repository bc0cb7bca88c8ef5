/** Images to animate, uploaded as storage clients upload them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { StorageClient } from '@supabase/storage-js';
import { makeImage, pngOfBytes } from '../support/upload-images.ts';
import { call } from './support/api.ts';
import { type Guest, newGuest } from './support/guest.ts';
import { oneConnection, rawCall } from './support/raw.ts';
import { assertRefused } from './support/refusal.ts';
import { useTarget } from './support/target.ts';

const target = useTarget();
const BYTES_MAX = 10_485_760;

describe('the storage of images', () => {
  let guest: Guest;
  let storage: StorageClient;
  before(async () => {
    guest = await newGuest(target.url);
    storage = new StorageClient(`${target.url}/storage/v1`, { Authorization: `Bearer ${guest.token}` });
  });
  const pathOf = (path: string) => `/storage/v1/object/user_uploads/${path}`;
  const ownPath = (name: string = `${randomUUID()}.png`) => `${guest.userId}/${name}`;
  const headers = () => ({ Authorization: `Bearer ${guest.token}`, 'Content-Type': 'image/png' });
  const assertMissing = async (path: string) =>
    assertRefused(await call(target.url, 'GET', pathOf(path), { token: guest.token }), 404, 'ERR_4007');

  test('Supabase’s client uploads as bytes and as a form, lists, signs, downloads and removes', async () => {
    const bucket = storage.from('user_uploads');
    const [one, two, bytes] = [ownPath('a/one.png'), ownPath('a/two.png'), makeImage('png')];
    assert.equal((await bucket.upload(one, bytes)).error, null);
    assert.equal((await bucket.upload(two, new Blob([new Uint8Array(bytes)], { type: 'image/png' }))).error, null);
    assert.equal((await bucket.upload(one, bytes)).error?.message, 'A file with this name already exists.');
    const { data: listed } = await bucket.list(ownPath('a'));
    assert.deepEqual(
      listed?.map(({ name }) => name),
      ['one.png', 'two.png'],
    );
    const { data: signed } = await bucket.createSignedUrl(one, 60);
    const opened = await fetch(signed?.signedUrl ?? '', { headers: { Range: 'bytes=1-3' } });
    assert.deepEqual([opened.status, await opened.text()], [206, 'PNG']);
    const { data: blob } = await bucket.download(two);
    assert.ok(blob && Buffer.from(await blob.arrayBuffer()).equals(bytes));
    const upload = await bucket.createSignedUploadUrl(ownPath('a/three.webp'));
    const anonymous = new StorageClient(`${target.url}/storage/v1`, {});
    const put = anonymous.from('user_uploads').uploadToSignedUrl;
    const signedUpload = await put.call(
      anonymous.from('user_uploads'),
      ownPath('a/three.webp'),
      upload.data?.token ?? '',
      makeImage('webp'),
    );
    assert.equal(signedUpload.error, null);
    const { data: removed } = await bucket.remove([one, two, ownPath('a/three.webp'), ownPath('none.png')]);
    assert.equal(removed?.length, 3);
    assert.deepEqual((await bucket.list(ownPath('a'))).data, []);
  });

  test('one byte too many is 413, also without Content-Length; the connection stays open, nothing is stored', async () => {
    const over = pngOfBytes(BYTES_MAX + 1);
    const agent = oneConnection();
    const path = ownPath();
    try {
      for (const sized of [{ 'Content-Length': over.length }, { 'Transfer-Encoding': 'chunked' }]) {
        const chunks = Array.from({ length: 12 }, (_, index) => over.subarray(index * 900_000, (index + 1) * 900_000));
        const reply = await rawCall(`${target.url}${pathOf(path)}`, 'POST', {
          headers: { ...headers(), ...sized },
          chunks,
          agent,
        });
        assert.equal(reply.status, 413, reply.text);
        assert.deepEqual(JSON.parse(reply.text).error.details, { field: 'file', bytes_max: BYTES_MAX });
      }
    } finally {
      agent.destroy();
    }
    await assertMissing(path);
  });

  test('a large body that is refused unread gets an answer: no token, a foreign folder, another bucket', async () => {
    const large = pngOfBytes(BYTES_MAX);
    for (const [path, token, status] of [
      [pathOf(ownPath()), undefined, 401],
      [pathOf(`${randomUUID()}/x.png`), guest.token, 403],
      [`/storage/v1/object/videos/${ownPath()}`, guest.token, 403],
      [`/storage/v1/object/upload/sign/user_uploads/${ownPath()}?token=x`, undefined, 403],
    ] as const) {
      const method = path.includes('upload/sign') ? 'PUT' : 'POST';
      const reply = await call(target.url, method, path, {
        token,
        body: large,
        headers: { 'Content-Type': 'image/png' },
      });
      assertRefused(reply, status, 'ERR_4005');
    }
  });

  test('an image is judged by its pixels: what opens everywhere is stored, and what lacks pixels is 415 and stored nowhere', async () => {
    const [png, jpeg, webp] = [makeImage('png'), makeImage('jpeg'), makeImage('webp')];
    const trailer = Buffer.alloc(512, 'SEFT');
    const put = (path: string, body: Uint8Array) =>
      call(target.url, 'POST', pathOf(path), { token: guest.token, body, headers: { 'Content-Type': 'image/png' } });
    for (const bytes of [
      ...[
        Buffer.concat([png, trailer]),
        Buffer.concat([webp, trailer]),
        Buffer.concat([jpeg.subarray(0, -2), trailer]),
      ],
      Buffer.concat([jpeg.subarray(0, 2), Buffer.from('\xff\xe4\0\x04ab0\x01\x02\x03', 'latin1'), jpeg.subarray(2)]),
    ]) {
      assert.equal((await put(ownPath('odd names (1) & more+.png').replaceAll(' ', '%20'), bytes)).status, 200);
      assert.equal((await storage.from('user_uploads').remove([ownPath('odd names (1) & more+.png')])).data?.length, 1);
    }
    const noPixels = Buffer.from(png);
    noPixels.fill(0xee, 41 + 20, png.length - 16);
    for (const bytes of [noPixels, jpeg.subarray(0, jpeg.length / 2), webp.subarray(0, webp.length / 2)]) {
      const path = ownPath();
      const reply = await put(path, bytes);
      assertRefused(reply, 415, 'ERR_4015', { reason: 'damaged' });
      await assertMissing(path);
    }
  });

  test('a file that is no image is 415 under any name, and no path leads out of the user’s folder', async () => {
    for (const content of ['<html><script>alert(1)</script>', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'GIF89a']) {
      const path = ownPath();
      const reply = await call(target.url, 'POST', pathOf(path), {
        token: guest.token,
        body: content,
        headers: { 'Content-Type': 'image/png' },
      });
      assertRefused(reply, 415, 'ERR_4015', { allowed: ['image/jpeg', 'image/png', 'image/webp'] });
      await assertMissing(path);
    }
    const other = await newGuest(target.url);
    for (const path of [
      `${guest.userId}/../${other.userId}/x.png`,
      `${guest.userId}/..%2f${other.userId}%2fx.png`,
      `${guest.userId}\\..\\${other.userId}\\x.png`,
      `/${other.userId}/x.png`,
    ]) {
      const length = { 'Content-Length': makeImage('png').length };
      const raw = { headers: { ...headers(), ...length }, chunks: [makeImage('png')], path: pathOf(path) };
      const reply = await rawCall(target.url, 'POST', raw);
      assert.ok([400, 403, 404].includes(reply.status), `${path}: ${reply.status}`);
    }
    const theirs = new StorageClient(`${target.url}/storage/v1`, { Authorization: `Bearer ${other.token}` });
    assert.deepEqual((await theirs.from('user_uploads').list(other.userId)).data, []);
  });
});
