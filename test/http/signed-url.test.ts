import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createMediaSigner, signedMediaPath, tokenExpiry } from '../../src/http/signed-url.ts';

const SECRET = 'a secret of more than thirty-two bytes';
const PATH = 'videos/0190f3a2-7b1c-7def-8abc-0123456789ab/2026-11/job.mp4';
const START = Date.parse('2026-11-23T10:00:00.250Z');

function make(secret: string | Uint8Array<ArrayBuffer> = SECRET) {
  let now = START;
  const signer = createMediaSigner(secret, { now: () => new Date(now) });
  const turn = (seconds: number) => {
    now += seconds * 1000;
  };
  return { signer, turn };
}

describe('a signed media URL', () => {
  test('is valid for its object for 24 hours, and expired after that', async () => {
    const { signer, turn } = make();
    const token = await signer.sign(PATH);
    assert.equal(tokenExpiry(token).toISOString(), '2026-11-24T10:00:00.000Z');
    turn(24 * 3600 - 1);
    assert.equal(await signer.verify(PATH, token), 'ok');
    turn(1);
    assert.equal(await signer.verify(PATH, token), 'expired');
  });

  test('is valid for the requested time', async () => {
    const { signer, turn } = make();
    const token = await signer.sign(PATH, 60);
    turn(59);
    assert.equal(await signer.verify(PATH, token), 'ok');
    turn(1);
    assert.equal(await signer.verify(PATH, token), 'expired');
  });

  test('is not valid for any other object', async () => {
    const { signer } = make();
    const token = await signer.sign(PATH);
    for (const other of [`${PATH}x`, PATH.replace('videos', 'thumbnails'), PATH.toUpperCase(), '', `/${PATH}`]) {
      assert.equal(await signer.verify(other, token), 'bad');
    }
  });

  test('is invalid when any one character of it differs, including the unused bits of the last', async () => {
    const { signer } = make();
    const token = await signer.sign(PATH);
    for (let position = 0; position < token.length; position++) {
      for (const char of 'AZaz09-_.B') {
        if (char === token[position]) continue;
        const tampered = token.slice(0, position) + char + token.slice(position + 1);
        assert.equal(await signer.verify(PATH, tampered), 'bad', tampered);
      }
    }
    const last = token.at(-1) ?? '';
    for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.replace(last, '')) {
      assert.equal(await signer.verify(PATH, token.slice(0, -1) + char), 'bad');
    }
  });

  test('with a changed expiry is invalid, both with a later and with an earlier one', async () => {
    const { signer, turn } = make();
    const token = await signer.sign(PATH, 60);
    const [expiresAt, signature] = token.split('.');
    turn(61);
    assert.equal(await signer.verify(PATH, `${Number(expiresAt) + 3600}.${signature}`), 'bad');
    assert.equal(await signer.verify(PATH, `1.${signature}`), 'bad');
  });

  test('signed with another secret is invalid; a secret may be a string or its bytes', async () => {
    const token = await make().signer.sign(PATH);
    assert.equal(await make('another secret of more than 32 bytes!').signer.verify(PATH, token), 'bad');
    assert.equal(await make(new TextEncoder().encode(SECRET)).signer.verify(PATH, token), 'ok');
  });

  test('with any other text as its token is invalid, never an error', async () => {
    const { signer } = make();
    const token = await signer.sign(PATH);
    const otherText = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.base64String()).map(([expiresAt, text]) => `${expiresAt}.${text}`),
      fc.constantFrom('', '.', '1.', `${token}.`, `0${token}`, ` ${token}`, `${token}\n`, `${token}=`),
    );
    await fc.assert(fc.asyncProperty(otherText, async (text) => assert.equal(await signer.verify(PATH, text), 'bad')));
  });

  test('has the form that the Supabase clients expect, so that parameters can be appended', () => {
    assert.equal(
      signedMediaPath('user_uploads/u/my cat?.png', '1.x'),
      '/storage/v1/object/sign/user_uploads/u/my%20cat%3F.png?token=1.x',
    );
  });
});
