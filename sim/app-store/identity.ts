/** The simulated App Store's own data: the key with which its API is called, and the chain that signs what it says. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CryptoKey, exportPKCS8, exportSPKI, generateKeyPair, importPKCS8, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import { errorCodeOf } from '../../src/kernel/error-code.ts';
import { writeOnce } from '../write-once.ts';
import { type Chain, chainShape, newChain } from './chain.ts';

/** An in-app purchase key of App Store Connect; `privateKeyPem` is PKCS #8. */
const teamShape = z.object({
  keyId: z.string(),
  issuerId: z.string(),
  privateKeyPem: z.string(),
  publicKeyPem: z.string(),
});
export type Team = z.infer<typeof teamShape>;

async function newTeam(): Promise<Team> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    keyId: 'SIMULATED3',
    issuerId: randomUUID(),
    privateKeyPem: await exportPKCS8(privateKey),
    publicKeyPem: await exportSPKI(publicKey),
  };
}

/** The chain that was made first in the folder. */
async function chainIn(file: string): Promise<Chain> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? writeOnce(file, chainShape, await newChain()) : chainShape.parse(JSON.parse(text));
}

/** One identity for all processes that share the folder, and for the time after a restart. */
export async function openIdentity(folder: string) {
  const team = await writeOnce(join(folder, 'team.json'), teamShape, await newTeam());
  let opened: Promise<{ x5c: string[]; key: CryptoKey; root: Uint8Array }> | undefined;

  /** Made when it is first needed: a chain costs a start more than all else here. */
  function chain() {
    opened ??= chainIn(join(folder, 'chain.json')).then(async ({ x5c, leafKeyPem }) => ({
      x5c: [...x5c],
      key: await importPKCS8(leafKeyPem, 'ES256'),
      root: new Uint8Array(Buffer.from(x5c[2], 'base64')),
    }));
    return opened;
  }

  return {
    team,
    /** The root certificate, in DER. */
    root: async (): Promise<Uint8Array> => (await chain()).root,
    /** A JWS, as Apple's: the chain stands in its header. */
    async sign(payload: JWTPayload): Promise<string> {
      const { x5c, key } = await chain();
      return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', x5c }).sign(key);
    },
  };
}

export type Identity = Awaited<ReturnType<typeof openIdentity>>;
