import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exportPKCS8, generateKeyPair } from 'jose';
import { jwtSigningKey, type SigningJwk } from '../app/config/keys.ts';
import { Secret } from '../app/config/secret.ts';
import { errorCodeOf } from '../kernel/error-code.ts';
import { StartupError } from '../kernel/startup-error.ts';

/** What development signs and encrypts with when the environment names nothing. */
export type DevelopmentSecrets = { jwtPrivateKey: Secret<SigningJwk>; secretKey: Secret };

/** Reads `file`; undefined when it is not there. */
async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A link appears whole or not at all, and never over another: of two processes at once, both end with the first's. */
async function placeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    await handle.writeFile(text).finally(() => handle.close());
    await link(draft, file);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function readOrMake(file: string, make: () => Promise<string>): Promise<string> {
  try {
    const found = await readIfThere(file);
    if (found !== undefined) return found;
    await mkdir(dirname(file), { recursive: true });
    await placeOnce(file, await make());
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCodeOf(error);
    const reason = code ? ` (${code})` : '';
    throw new StartupError(`${file} can be neither read nor made${reason}. Give this user its folder.`, {
      cause: error,
    });
  }
}

function corrupt(file: string, expected: string, loss: string): StartupError {
  return new StartupError(`${file} does not hold ${expected}. Delete it to have a new one made; ${loss}.`);
}

async function newSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return `${(await exportPKCS8(privateKey)).trim()}\n`;
}

/** Makes both secrets in `dataDir` as files of mode 0600, once; every later start, and every other process, reads them. */
export async function loadDevelopmentSecrets(dataDir: string): Promise<DevelopmentSecrets> {
  const keyFile = join(dataDir, 'development-jwt-key.pem');
  const secretFile = join(dataDir, 'development-secret-key');
  const pem = await readOrMake(keyFile, newSigningKey);
  const secret = (await readOrMake(secretFile, async () => `${randomBytes(32).toString('hex')}\n`)).trim();

  const key = await jwtSigningKey().safeParseAsync(pem.trim());
  if (!key.success) throw corrupt(keyFile, 'a private ES256 key (PKCS #8 PEM)', 'everybody is then signed out');
  if (!/^[0-9a-f]{64}$/.test(secret)) {
    throw corrupt(secretFile, '64 hexadecimal digits', 'what was encrypted with the old one is then lost');
  }
  return { jwtPrivateKey: new Secret(key.data), secretKey: new Secret(secret) };
}
