/** The simulated Apple's own data: the team whose key it trusts, and the keys that sign its tokens. */
import { createPrivateKey, createPublicKey, randomBytes, randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportPKCS8, exportSPKI, generateKeyPair, importPKCS8, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import { errorCodeOf } from '../../src/kernel/error-code.ts';
import { writeOnce } from '../write-once.ts';

/** `salt`: another simulated Apple knows the same people under other ids. */
const teamShape = z.object({
  teamId: z.string(),
  keyId: z.string(),
  privateKeyPem: z.string(),
  publicKeyPem: z.string(),
  salt: z.string(),
});
export type Team = z.infer<typeof teamShape>;

/** A key that does not sign any more may still be published. */
const signingKeyShape = z.object({ kid: z.string(), privateKeyPem: z.string(), isSigning: z.boolean() });
const signingKeysShape = z.array(signingKeyShape).min(1);
type SigningKey = z.infer<typeof signingKeyShape>;

/** Apple publishes several keys and signs with any of them. */
const FIRST_KEYS = 2;
const KEY_ID_BYTES = 7;

async function newTeam(): Promise<Team> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    teamId: 'SIMULATED0',
    keyId: 'SIMULATED2',
    privateKeyPem: await exportPKCS8(privateKey),
    publicKeyPem: await exportSPKI(publicKey),
    salt: randomUUID(),
  };
}

async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = randomBytes(KEY_ID_BYTES).toString('base64url');
  return { kid, privateKeyPem: await exportPKCS8(privateKey), isSigning: true };
}

function publicHalf({ kid, privateKeyPem }: SigningKey): object {
  const { kty, n, e } = createPublicKey(createPrivateKey(privateKeyPem)).export({ format: 'jwk' });
  return { kty, kid, use: 'sig', alg: 'RS256', n, e };
}

/** One identity for all processes that share the folder: a worker revokes what the server was given. */
export async function openIdentity(folder: string) {
  const team = await writeOnce(join(folder, 'team.json'), teamShape, await newTeam());
  const file = join(folder, 'signing-keys.json');
  let signatures = 0;

  /** Made when they are first needed: RSA keys cost a start more than all else here. */
  async function signingKeys(): Promise<SigningKey[]> {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (errorCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined) return signingKeysShape.parse(JSON.parse(text));
    const made = await Promise.all(Array.from({ length: FIRST_KEYS }, newSigningKey));
    return writeOnce(file, signingKeysShape, made);
  }

  return {
    team,
    async jwks(): Promise<{ keys: object[] }> {
      return { keys: (await signingKeys()).map(publicHalf) };
    },
    /** Each token is signed by another of the keys. */
    async sign(claims: JWTPayload): Promise<string> {
      const keys = (await signingKeys()).filter(({ isSigning }) => isSigning);
      const key = keys[signatures++ % keys.length];
      if (!key) throw new Error('the simulated Apple has no key that signs');
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: key.kid })
        .sign(await importPKCS8(key.privateKeyPem, 'RS256'));
    },
    /** Signs with a new key alone from now on. `keepOld`: the old keys are still published. */
    async rotate({ keepOld }: { keepOld: boolean }): Promise<void> {
      const old = keepOld ? (await signingKeys()).map((key) => ({ ...key, isSigning: false })) : [];
      const draft = `${file}.${randomUUID()}`;
      await writeFile(draft, JSON.stringify([...old, await newSigningKey()]), { mode: 0o600 });
      await rename(draft, file);
    },
  };
}

export type Identity = Awaited<ReturnType<typeof openIdentity>>;
