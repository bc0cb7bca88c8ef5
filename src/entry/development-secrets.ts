import { randomBytes, randomUUID } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exportPKCS8, generateKeyPair } from 'jose';
import { jwtSigningKey, type SigningJwk } from '../app/config/keys.ts';
import { Secret } from '../app/config/secret.ts';
import { errorCodeOf } from '../kernel/error-code.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { makeFolder } from '../platform/make-folder.ts';

/** The keys for signing and encryption in development, if the environment sets none. */
export type DevelopmentSecrets = { jwtPrivateKey: Secret<SigningJwk>; secretKey: Secret };

/** Reads `file`; undefined if it does not exist. */
async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Making a link is atomic and never replaces a file: two processes at the same time both end up with the first one's file. */
async function writeOnce(file: string, text: string): Promise<void> {
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

async function readOrCreate(file: string, create: () => Promise<string>): Promise<string> {
  try {
    const found = await readIfThere(file);
    if (found !== undefined) return found;
    await makeFolder(dirname(file));
    await writeOnce(file, await create());
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCodeOf(error);
    const reason = code ? ` (${code})` : '';
    throw new StartupError(
      `${file} can be neither read nor created${reason}. Make its folder, DATA_DIR, writable for this user.`,
      {
        cause: error,
      },
    );
  }
}

function corrupt(file: string, expected: string, loss: string): StartupError {
  return new StartupError(`${file} does not hold ${expected}. Delete it to have a new one created; ${loss}.`);
}

async function newSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return `${(await exportPKCS8(privateKey)).trim()}\n`;
}

/** Whether an earlier start has made them. */
export async function hasDevelopmentSecrets(dataDir: string): Promise<boolean> {
  return (await readIfThere(filesIn(dataDir).keyFile)) !== undefined;
}

function filesIn(dataDir: string): { keyFile: string; secretFile: string } {
  return { keyFile: join(dataDir, 'development-jwt-key.pem'), secretFile: join(dataDir, 'development-secret-key') };
}

/** Creates both secrets in `dataDir` once, as files of mode 0600; later starts and other processes read them. */
export async function loadDevelopmentSecrets(dataDir: string): Promise<DevelopmentSecrets> {
  const { keyFile, secretFile } = filesIn(dataDir);
  const pem = await readOrCreate(keyFile, newSigningKey);
  const secret = await readOrCreate(secretFile, async () => `${randomBytes(32).toString('hex')}\n`);
  return { jwtPrivateKey: await signingKeyIn(keyFile, pem), secretKey: secretIn(secretFile, secret) };
}

/** Those of the secrets that have been created. Throws, as a start does, where one cannot be used. */
export async function findDevelopmentSecrets(dataDir: string): Promise<Partial<DevelopmentSecrets>> {
  const { keyFile, secretFile } = filesIn(dataDir);
  const [pem, secret] = [await readIfThere(keyFile), await readIfThere(secretFile)];
  return {
    ...(pem === undefined ? {} : { jwtPrivateKey: await signingKeyIn(keyFile, pem) }),
    ...(secret === undefined ? {} : { secretKey: secretIn(secretFile, secret) }),
  };
}

async function signingKeyIn(file: string, pem: string): Promise<DevelopmentSecrets['jwtPrivateKey']> {
  const key = await jwtSigningKey().safeParseAsync(pem.trim());
  if (!key.success) throw corrupt(file, 'a private ES256 key (PKCS #8 PEM)', 'all users are then signed out');
  return new Secret(key.data);
}

function secretIn(file: string, text: string): Secret {
  const secret = text.trim();
  if (/^[0-9a-f]{64}$/.test(secret)) return new Secret(secret);
  throw corrupt(file, '64 hexadecimal digits', 'data that was encrypted with the old one is then lost');
}
