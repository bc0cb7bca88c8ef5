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

const KEY_FILE = 'development-jwt-key.pem';

/** Whether an earlier start has made them. */
export async function hasDevelopmentSecrets(dataDir: string): Promise<boolean> {
  return (await readIfThere(join(dataDir, KEY_FILE))) !== undefined;
}

/** Creates both secrets in `dataDir` once, as files of mode 0600; later starts and other processes read them. */
export async function loadDevelopmentSecrets(dataDir: string): Promise<DevelopmentSecrets> {
  const keyFile = join(dataDir, KEY_FILE);
  const secretFile = join(dataDir, 'development-secret-key');
  const pem = await readOrCreate(keyFile, newSigningKey);
  const secret = (await readOrCreate(secretFile, async () => `${randomBytes(32).toString('hex')}\n`)).trim();

  const key = await jwtSigningKey().safeParseAsync(pem.trim());
  if (!key.success) throw corrupt(keyFile, 'a private ES256 key (PKCS #8 PEM)', 'all users are then signed out');
  if (!/^[0-9a-f]{64}$/.test(secret)) {
    throw corrupt(secretFile, '64 hexadecimal digits', 'data that was encrypted with the old one is then lost');
  }
  return { jwtPrivateKey: new Secret(key.data), secretKey: new Secret(secret) };
}
