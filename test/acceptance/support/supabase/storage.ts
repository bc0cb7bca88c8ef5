/** The storage of Supabase's client: images of the user's own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeImage } from '../../../support/upload-images.ts';
import { call, expectStatus } from '../api.ts';
import { type Device, type Door, dataOf, newAppleDevice, newDevice, newGuestDevice, newSub } from './clients.ts';

const png = new Uint8Array(makeImage('png'));
const other = new Uint8Array(makeImage('png', 320, 320, 90));

const uploadsOf = ({ supabase }: Device) => supabase.storage.from('user_uploads');
const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

/** What an app sees of a call that is refused. */
function assertRefused({ error }: { error: unknown }, status: number): void {
  assert.ok(error instanceof Error, 'the call succeeded');
  assert.deepEqual(
    { ...error, name: null },
    { ...error, name: null, status, statusCode: String(status) },
    error.message,
  );
}

export function testStorage(door: Door): void {
  describe('the storage of Supabase’s client', () => {
    testForms(door);
    testReplacing(door);
    testSignedUrls(door);
    testFolders(door);
    testOtherAccounts(door);
    testMergedFolders(door);
  });
}

function testForms(door: Door): void {
  test('stores an image in each form in which the client sends one, and returns the same bytes', async () => {
    const device = await newGuestDevice(door);
    const bucket = uploadsOf(device);
    const forms = {
      'blob.png': new Blob([png], { type: 'image/png' }),
      'file.png': new File([png], 'photo.png', { type: 'image/png' }),
      'buffer.png': png.buffer,
      'bytes.png': png,
      'node.png': Buffer.from(png),
      'stream.png': new Blob([png]).stream(),
    };
    for (const [name, body] of Object.entries(forms)) {
      const path = `${device.id}/forms/${name}`;
      const options = { contentType: 'image/png', duplex: 'half', metadata: { made: 'here' } };
      const stored = dataOf(await bucket.upload(path, body, options));
      assert.deepEqual([stored.path, stored.fullPath], [path, `user_uploads/${path}`]);
      assert.match(stored.id, /^[0-9a-f-]{36}$/);
      assert.deepEqual(await bytesOf(dataOf(await bucket.download(path))), png, name);
      const info = dataOf(await bucket.info(path));
      assert.deepEqual([info.size, info.contentType, info.metadata], [png.length, 'image/png', { made: 'here' }]);
      assert.equal((await bucket.exists(path)).data, true);
    }
    const listed = dataOf(await bucket.list(`${device.id}/forms`, { sortBy: { column: 'name', order: 'asc' } }));
    assert.deepEqual(
      listed.map(({ name }) => name),
      Object.keys(forms).sort(),
    );
    assert.deepEqual(listed[0]?.metadata?.size, png.length);
  });
}

function testReplacing(door: Door): void {
  test('replaces an image only with upsert or update, and removes images', async () => {
    const device = await newGuestDevice(door);
    const bucket = uploadsOf(device);
    const path = `${device.id}/one.png`;
    dataOf(await bucket.upload(path, png, { contentType: 'image/png' }));
    assertRefused(await bucket.upload(path, other, { contentType: 'image/png' }), 409);
    assert.deepEqual(await bytesOf(dataOf(await bucket.download(path))), png);
    dataOf(await bucket.upload(path, other, { contentType: 'image/png', upsert: true }));
    assert.deepEqual(await bytesOf(dataOf(await bucket.download(path))), other);
    dataOf(await bucket.update(path, png, { contentType: 'image/png' }));
    assert.deepEqual(await bytesOf(dataOf(await bucket.download(path))), png);
    const removed = dataOf(await bucket.remove([path, `${device.id}/none.png`]));
    assert.deepEqual(
      removed.map(({ name }) => name),
      [path],
    );
    assert.equal((await bucket.exists(path)).data, false);
    assertRefused(await bucket.download(path), 404);
  });
}

function testSignedUrls(door: Door): void {
  test('signs URLs to read one image and many, and to upload one without a session', async () => {
    const device = await newGuestDevice(door);
    const bucket = uploadsOf(device);
    const path = `${device.id}/signed.png`;
    const { token } = dataOf(await bucket.createSignedUploadUrl(path));
    const stranger = newDevice(door).supabase.storage.from('user_uploads');
    const image = new Blob([png], { type: 'image/png' });
    assert.equal(dataOf(await stranger.uploadToSignedUrl(path, token, image)).fullPath, `user_uploads/${path}`);
    assertRefused(await stranger.uploadToSignedUrl(`${device.id}/x.png`, token, image), 403);
    const { signedUrl } = dataOf(await bucket.createSignedUrl(path, 60, { download: 'mine.png' }));
    const opened = await fetch(signedUrl);
    assert.match(opened.headers.get('content-disposition') ?? '', /attachment.*mine\.png/);
    assert.deepEqual(await bytesOf(await opened.blob()), png);
    const [found, missing] = dataOf(await bucket.createSignedUrls([path, `${device.id}/none.png`], 60));
    assert.equal((await fetch(found?.signedUrl ?? '')).status, 200);
    assert.equal(found?.error, null);
    assert.match(missing?.error ?? '', /does not exist/);
    assert.equal((await fetch(`${signedUrl.replace('token=', 'token=x')}`)).status, 403);
  });
}

function testFolders(door: Door): void {
  test('finds folders in any case, and calls them by the account’s id', async () => {
    const device = await newGuestDevice(door);
    const bucket = uploadsOf(device);
    const [own, upper] = [`${device.id}/a.png`, `${device.id.toUpperCase()}/a.png`];
    dataOf(await bucket.upload(upper, png, { contentType: 'image/png' }));
    assertRefused(await bucket.upload(own, png, { contentType: 'image/png' }), 409);
    for (const path of [own, upper]) {
      assert.deepEqual(await bytesOf(dataOf(await bucket.download(path))), png);
      assert.equal((await bucket.exists(path)).data, true);
      assert.equal((await fetch(dataOf(await bucket.createSignedUrl(path, 60)).signedUrl)).status, 200);
      const [many] = dataOf(await bucket.createSignedUrls([path], 60));
      assert.equal((await fetch(many?.signedUrl ?? '')).status, 200);
      assert.deepEqual(
        dataOf(await bucket.list(path.slice(0, 36))).map(({ name }) => name),
        ['a.png'],
      );
    }
    const { token } = dataOf(await bucket.createSignedUploadUrl(upper, { upsert: true }));
    dataOf(await bucket.uploadToSignedUrl(upper, token, other, { contentType: 'image/png' }));
    assert.deepEqual(await bytesOf(dataOf(await bucket.download(own))), other);
    assert.equal(dataOf(await bucket.remove([upper])).length, 1);
  });
}

function testOtherAccounts(door: Door): void {
  test('opens nothing of another account, in no bucket and by no call, as if it did not exist', async () => {
    const owner = await newGuestDevice(door);
    const thief = await newGuestDevice(door);
    const path = `${owner.id}/private.png`;
    dataOf(await uploadsOf(owner).upload(path, png, { contentType: 'image/png' }));
    const bucket = uploadsOf(thief);
    assertRefused(await bucket.download(path), 404);
    assertRefused(await bucket.createSignedUrl(path, 60), 404);
    assert.equal(dataOf(await bucket.createSignedUrls([path], 60))[0]?.signedUrl || null, null);
    assert.equal((await bucket.exists(path)).data, false);
    assertRefused(await bucket.upload(path, png, { contentType: 'image/png', upsert: true }), 403);
    assertRefused(await bucket.createSignedUploadUrl(path), 403);
    assert.deepEqual(dataOf(await bucket.list(owner.id)), []);
    assert.deepEqual(dataOf(await bucket.remove([path])), []);
    for (const name of ['videos', 'thumbnails']) {
      const closed = thief.supabase.storage.from(name);
      assert.deepEqual(dataOf(await closed.list(thief.id)), []);
      const own = `${thief.id}/2026-11/x.mp4`;
      assertRefused(await closed.upload(own, png, { contentType: 'video/mp4' }), 403);
      assertRefused(await closed.remove([own]), 403);
    }
    assertRefused(await thief.supabase.storage.from('none').list(thief.id), 404);
    assert.deepEqual(await bytesOf(dataOf(await uploadsOf(owner).download(path))), png);
  });
}

function testMergedFolders(door: Door): void {
  test('after a merge the guest’s folder is the survivor’s, for every call and in any case', async () => {
    const sub = newSub();
    const survivor = await newAppleDevice(door, sub);
    const guest = await newGuestDevice(door);
    const path = `${guest.id}/mine.png`;
    dataOf(await uploadsOf(guest).upload(path, png, { contentType: 'image/png' }));
    const { token: uploadToken } = dataOf(await uploadsOf(guest).createSignedUploadUrl(`${guest.id}/late.png`));
    const identity_token = await door.apple.identityToken({ sub });
    const merged = await call(door.url, 'POST', 'merge-guest-user', {
      token: guest.session.access_token,
      body: { identity_token },
    });
    expectStatus(merged, 200);
    const late = await uploadsOf(newDevice(door)).uploadToSignedUrl(`${guest.id}/late.png`, uploadToken, png, {
      contentType: 'image/png',
    });
    dataOf(late);
    for (const device of [survivor, guest]) {
      const bucket = uploadsOf(device);
      for (const folder of [guest.id, guest.id.toUpperCase()]) {
        assert.deepEqual(await bytesOf(dataOf(await bucket.download(`${folder}/mine.png`))), png);
        assert.equal(
          (await fetch(dataOf(await bucket.createSignedUrl(`${folder}/late.png`, 60)).signedUrl)).status,
          200,
        );
        assert.deepEqual(
          dataOf(await bucket.list(folder)).map(({ name }) => name),
          ['late.png', 'mine.png'],
        );
      }
      dataOf(await bucket.upload(path, other, { contentType: 'image/png', upsert: true }));
      dataOf(await bucket.upload(path, png, { contentType: 'image/png', upsert: true }));
    }
    assert.equal(dataOf(await uploadsOf(survivor).remove([path])).length, 1);
  });
}
