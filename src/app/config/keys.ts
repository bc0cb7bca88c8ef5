/** Reads ES256 keys in the formats that operators paste into an environment. No error message contains the key. */
import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  compactVerify,
  exportJWK,
  exportPKCS8,
  importJWK,
  importPKCS8,
  importSPKI,
} from 'jose';
import { z } from 'zod';

const point = { kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() };
const publicShape = z.object({ ...point, kid: z.string().min(1).optional() });
const privateShape = publicShape.extend({ d: z.string() });

/** A public ES256 key; `kid` is the key's own or else its RFC 7638 thumbprint. */
export type PublicJwk = { kty: 'EC'; crv: 'P-256'; alg: 'ES256'; x: string; y: string; kid: string };
export type SigningJwk = PublicJwk & { d: string };

class UnusableKey extends Error {}

/** Turns literal `\n` into line breaks, for a PEM in one line. */
function unescaped(text: string): string {
  return text.replaceAll('\\r', '').replaceAll('\\n', '\n');
}

async function importPem(text: string): Promise<CryptoKey> {
  if (/BEGIN EC PRIVATE KEY/.test(text)) {
    throw new UnusableKey('is SEC 1 ("EC PRIVATE KEY"), not PKCS #8: convert it with `openssl pkcs8 -topk8 -nocrypt`');
  }
  if (/BEGIN ENCRYPTED PRIVATE KEY/.test(text)) throw new UnusableKey('is encrypted: remove its password');
  if (!/BEGIN PRIVATE KEY/.test(text)) throw new UnusableKey('is not a PKCS #8 PEM');
  return importPKCS8(text, 'ES256', { extractable: true });
}

async function named(jwk: z.infer<typeof publicShape>): Promise<PublicJwk> {
  const { kty, crv, x, y } = jwk;
  return { kty, crv, alg: 'ES256', x, y, kid: jwk.kid ?? (await calculateJwkThumbprint({ kty, crv, x, y })) };
}

/** A private JWK may contain the public half of another key: its signature must verify. */
async function provePair(jwk: SigningJwk): Promise<void> {
  const { d: _, ...publicHalf } = jwk;
  const signed = await new CompactSign(new Uint8Array(1))
    .setProtectedHeader({ alg: 'ES256' })
    .sign(await importJWK(jwk, 'ES256'));
  await compactVerify(signed, await importJWK(publicHalf, 'ES256'));
}

async function signingKey(text: string): Promise<SigningJwk> {
  const found = text.startsWith('{') ? JSON.parse(text) : await exportJWK(await importPem(unescaped(text)));
  const jwk = privateShape.parse(found);
  const signing = { ...(await named(jwk)), d: jwk.d };
  await provePair(signing);
  return signing;
}

/** PEM blocks one after another, with nothing between them. */
async function pemBlocks(text: string): Promise<unknown[]> {
  const block = /-----BEGIN (PUBLIC|PRIVATE) KEY-----[^-]+-----END \1 KEY-----/g;
  if (text.replaceAll(block, '').trim() !== '') throw new UnusableKey('holds something that is no PEM key');
  return Promise.all(
    Array.from(text.matchAll(block), async ([pem, kind]) =>
      exportJWK(kind === 'PUBLIC' ? await importSPKI(pem, 'ES256', { extractable: true }) : await importPem(pem)),
    ),
  );
}

function jsonKeys(json: unknown): unknown[] {
  if (Array.isArray(json)) return json;
  const set = z.object({ keys: z.array(z.unknown()) }).safeParse(json);
  return set.success ? set.data.keys : [json];
}

async function previousKeys(text: string): Promise<PublicJwk[]> {
  const found = /^[[{]/.test(text) ? jsonKeys(JSON.parse(text)) : await pemBlocks(unescaped(text));
  const keys = await Promise.all(found.map((key) => named(publicShape.parse(key))));
  await Promise.all(keys.map((key) => importJWK(key, 'ES256')));
  return keys;
}

/** Turns a reader of keys into a schema. An unexpected error gives the message `otherwise`, never its own text. */
function keySchema<T>(read: (text: string) => Promise<T>, otherwise: string) {
  return z.string().transform(async (text, ctx) => {
    try {
      return await read(text);
    } catch (error) {
      ctx.addIssue({ code: 'custom', message: error instanceof UnusableKey ? error.message : otherwise });
      return z.NEVER;
    }
  });
}

/** The key that signs our tokens: PKCS #8 PEM or JWK. */
export function jwtSigningKey() {
  return keySchema(signingKey, 'is not a private ES256 (P-256) key: a PKCS #8 PEM or a JWK');
}

/** The public halves of keys that signed our tokens before: PEMs in a row, a JWK, an array of JWKs or a JWK set. */
export function jwtPreviousKeys() {
  return keySchema(previousKeys, 'must be ES256 (P-256) keys: PEMs in a row, a JWK, or a JWK set');
}

/** A key that Apple issued (`.p8`), as a well-formed PKCS #8 PEM, whatever its line breaks are. */
export function appleKey() {
  return keySchema(
    async (text) => exportPKCS8(await importPem(unescaped(text))),
    'is not a private ES256 (P-256) key in a PKCS #8 PEM',
  );
}
