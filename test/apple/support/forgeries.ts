/** Chains and signatures with one thing wrong each, under a root of the tests' own; and what must come of them. */
import { createHmac } from 'node:crypto';
import { CompactSign } from 'jose';
import {
  assembled,
  type ChainOptions,
  INTERMEDIATE_MARKER,
  LEAF_MARKER,
  makeCertificate,
  makeChain,
  makeKeys,
  signWith,
  type TestChain,
  x5cOf,
} from '../../support/apple-chain.ts';
import type { Case } from './case.ts';

const NOW_MS = Date.parse('2026-11-29T12:00:00Z');
const BUNDLE_ID = 'com.example.rendio';
const APP_ID = 1_234_567_890;
const OTHER_MARKER = '1.2.840.113635.100.6.11.2';

const TRANSACTION = {
  ...{ transactionId: '2000000000000001', originalTransactionId: '2000000000000001', bundleId: BUNDLE_ID },
  ...{ productId: 'com.rendio.credits.10', type: 'Consumable', quantity: 1, inAppOwnershipType: 'PURCHASED' },
  ...{ purchaseDate: NOW_MS, signedDate: NOW_MS, environment: 'Production' },
};
const NOTIFICATION = {
  ...{ notificationType: 'TEST', notificationUUID: '002e14d5-51f5-4503-b5a8-c3a1af68eb20', version: '2.0' },
  ...{ signedDate: NOW_MS, data: { bundleId: BUNDLE_ID, appAppleId: APP_ID, environment: 'Production' } },
};

type Made = [name: string, expected: string, jws: string | Promise<string>, more?: Partial<Case>];

/** All of them. Each chain is made anew: no two runs have the same keys. */
export async function forgeryCases(): Promise<Case[]> {
  const chain = await makeChain();
  const made = [...(await ofChains(chain)), ...(await ofHeaders(chain)), ...ofPayloads(chain)];
  return Promise.all(
    made.map(async ([name, expected, jws, more = {}]) => ({
      ...{ name, expected, jws: await jws, kind: 'transaction' as const, environment: 'Production' as const },
      ...{ bundleId: BUNDLE_ID, appId: APP_ID, nowMs: NOW_MS, isOnline: false, ocspTimeoutMs: 5_000 },
      roots: x5cOf(chain.root),
      ...more,
    })),
  );
}

async function ofChains(chain: TestChain): Promise<Made[]> {
  const { root } = chain;
  const changed = async (options: ChainOptions) => signWith(await makeChain({ root, ...options }), TRANSACTION);
  const expired = { from: new Date('2020-01-01'), until: new Date('2026-11-28') };
  const early = { from: new Date('2026-11-30'), until: new Date('2030-01-01') };
  const other = await makeChain();
  const p384 = await makeChain({ root: { curve: 'P-384' }, intermediate: { curve: 'P-384', hash: 'SHA-384' } });
  const cross = await makeChain({
    root: { curve: 'P-384' },
    intermediate: { curve: 'P-384' },
    leaf: { hash: 'SHA-384' },
  });
  return [
    ['a whole chain', 'valid', signWith(chain, TRANSACTION)],
    ['a chain of P-384 keys, as Apple’s', 'valid', signWith(p384, TRANSACTION), { roots: x5cOf(p384.root) }],
    ['curves and hashes of different lengths', 'valid', signWith(cross, TRANSACTION), { roots: x5cOf(cross.root) }],
    ['one of two roots', 'valid', signWith(chain, TRANSACTION), { roots: x5cOf(other.root, root) }],
    ['a foreign root', 'VERIFICATION_FAILURE', signWith(other, TRANSACTION)],
    [
      'a foreign root under the name of ours',
      'VERIFICATION_FAILURE',
      signWith(await makeChain({ root: {} }), TRANSACTION),
    ],
    ['no root at all', 'VERIFICATION_FAILURE', signWith(chain, TRANSACTION), { roots: [] }],
    ['an expired leaf', 'INVALID_CERTIFICATE', changed({ leaf: expired })],
    ['an expired intermediate', 'INVALID_CERTIFICATE', changed({ intermediate: expired })],
    ['a leaf that is not valid yet', 'INVALID_CERTIFICATE', changed({ leaf: early })],
    ['a leaf without the marker', 'VERIFICATION_FAILURE', changed({ leaf: { marker: null } })],
    ['a leaf with another marker', 'VERIFICATION_FAILURE', changed({ leaf: { marker: OTHER_MARKER } })],
    [
      'a leaf with the marker of the intermediate',
      'VERIFICATION_FAILURE',
      changed({ leaf: { marker: INTERMEDIATE_MARKER } }),
    ],
    ['an intermediate without the marker', 'VERIFICATION_FAILURE', changed({ intermediate: { marker: null } })],
    [
      'an intermediate with the marker of the leaf',
      'VERIFICATION_FAILURE',
      changed({ intermediate: { marker: LEAF_MARKER } }),
    ],
    ['an intermediate that is no authority', 'VERIFICATION_FAILURE', changed({ intermediate: { isCa: false } })],
    ['an intermediate that does not say so', 'VERIFICATION_FAILURE', changed({ intermediate: { isCa: null } })],
    ['an intermediate of itself', 'VERIFICATION_FAILURE', changed({ intermediate: { issuer: null } })],
    [
      'an intermediate that names another issuer',
      'VERIFICATION_FAILURE',
      changed({ intermediate: { issuerName: 'CN=X' } }),
    ],
    ['a leaf that names another issuer', 'VERIFICATION_FAILURE', changed({ leaf: { issuerName: 'CN=X' } })],
    ['a leaf of the root itself', 'VERIFICATION_FAILURE', changed({ leaf: { issuer: root } })],
    ['a leaf of another intermediate', 'VERIFICATION_FAILURE', changed({ leaf: { issuer: other.intermediate } })],
    ['a leaf of itself', 'VERIFICATION_FAILURE', changed({ leaf: { issuer: null } })],
  ];
}

async function ofHeaders(chain: TestChain): Promise<Made[]> {
  const { root, intermediate, leaf } = chain;
  const keys = await makeKeys();
  const twin = await makeCertificate({ subject: 'CN=Test Leaf', issuer: intermediate, marker: LEAF_MARKER });
  const x5c = x5cOf(leaf, intermediate, root);
  const [leafText = '', intermediateText = ''] = x5c;
  const headed = (header: Record<string, unknown>) => signWith(chain, TRANSACTION, header);
  const good = await signWith(chain, TRANSACTION);
  const [header = '', payload = '', signature = ''] = good.split('.');
  const hmac = createHmac('sha256', Buffer.from(await crypto.subtle.exportKey('spki', leaf.keys.publicKey)));
  const hs256 = assembled({ alg: 'HS256', x5c }, TRANSACTION);
  return [
    [
      'a leaf in the place of the one that signed',
      'VERIFICATION_FAILURE',
      headed({ x5c: x5cOf(twin, intermediate, root) }),
    ],
    ['a signature with a key of nobody', 'VERIFICATION_FAILURE', signedBy(keys, { alg: 'ES256', x5c })],
    [
      'a key beside the chain',
      'VERIFICATION_FAILURE',
      signedBy(keys, { alg: 'ES256', x5c, jwk: await exported(keys) }),
    ],
    ['any third certificate', 'valid', headed({ x5c: [leafText, intermediateText, leafText] })],
    ['a third that is no certificate', 'valid', headed({ x5c: [leafText, intermediateText, 'AAAA'] })],
    ['no chain', 'INVALID_CERTIFICATE', headed({ x5c: undefined })],
    ['an empty chain', 'INVALID_CERTIFICATE', headed({ x5c: [] })],
    ['two certificates', 'INVALID_CERTIFICATE', headed({ x5c: x5cOf(leaf, intermediate) })],
    ['four certificates', 'INVALID_CERTIFICATE', headed({ x5c: [...x5c, leafText] })],
    ['a chain in the other order', 'VERIFICATION_FAILURE', headed({ x5c: x5cOf(root, intermediate, leaf) })],
    ['a chain that is no list', 'INVALID_CERTIFICATE', headed({ x5c: leafText })],
    ['certificates that are none', 'INVALID_CERTIFICATE', headed({ x5c: ['AAAA', 'AAAA', 'AAAA'] })],
    ['numbers in the chain', 'INVALID_CERTIFICATE', headed({ x5c: [1, 2, 3] })],
    ['no algorithm', 'VERIFICATION_FAILURE', assembled({ alg: 'none', x5c }, TRANSACTION)],
    [
      'the public key as an HMAC secret',
      'VERIFICATION_FAILURE',
      `${hs256}${hmac.update(hs256.slice(0, -1)).digest('base64url')}`,
    ],
    ['a signature left out', 'VERIFICATION_FAILURE', `${header}.${payload}.`],
    ['a signature of zeros', 'VERIFICATION_FAILURE', `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`],
    ['a signature cut short', 'VERIFICATION_FAILURE', `${header}.${payload}.${signature.slice(0, -4)}`],
  ];
}

function ofPayloads(chain: TestChain): Made[] {
  const transaction = (fields: object) => signWith(chain, { ...TRANSACTION, ...fields });
  const notification = (data: object) => signWith(chain, { ...NOTIFICATION, data: { ...NOTIFICATION.data, ...data } });
  const tampered = transaction({}).then((jws) => {
    const [header, , signature] = jws.split('.');
    const payload = Buffer.from(JSON.stringify({ ...TRANSACTION, quantity: 100 })).toString('base64url');
    return `${header}.${payload}.${signature}`;
  });
  const asNotification = { kind: 'notification' as const };
  const inSandbox = { environment: 'Sandbox' as const };
  return [
    ['a payload that was changed', 'VERIFICATION_FAILURE', tampered],
    ['a payload that has ended', 'VERIFICATION_FAILURE', transaction({ exp: NOW_MS / 1000 - 1 }), { nowMs: NOW_MS }],
    ['another bundle', 'INVALID_APP_IDENTIFIER', transaction({ bundleId: 'com.example.other' })],
    ['a bundle in another case', 'INVALID_APP_IDENTIFIER', transaction({ bundleId: 'com.example.Rendio' })],
    ['no bundle', 'INVALID_APP_IDENTIFIER', transaction({ bundleId: undefined })],
    ['the sandbox in production', 'INVALID_ENVIRONMENT', transaction({ environment: 'Sandbox' })],
    ['production in the sandbox', 'INVALID_ENVIRONMENT', transaction({}), inSandbox],
    ['Xcode', 'INVALID_ENVIRONMENT', transaction({ environment: 'Xcode' })],
    ['local tests', 'INVALID_ENVIRONMENT', transaction({ environment: 'LocalTesting' }), inSandbox],
    ['no environment', 'INVALID_ENVIRONMENT', transaction({ environment: undefined })],
    ['a signed date that is a text', 'FAILURE', transaction({ signedDate: String(NOW_MS) })],
    ['a signed date before the certificates', 'INVALID_CERTIFICATE', transaction({ signedDate: 0 })],
    ['a notification', 'valid', notification({}), asNotification],
    ['a notification of another app', 'INVALID_APP_IDENTIFIER', notification({ appAppleId: 1 }), asNotification],
    [
      'a notification without an app',
      'INVALID_APP_IDENTIFIER',
      notification({ appAppleId: undefined }),
      asNotification,
    ],
    ['a notification of another bundle', 'INVALID_APP_IDENTIFIER', notification({ bundleId: 'x' }), asNotification],
    [
      'a notification without a container',
      'INVALID_APP_IDENTIFIER',
      signWith(chain, { ...NOTIFICATION, data: undefined }),
      asNotification,
    ],
    [
      'a sandbox notification without an app',
      'valid',
      notification({ appAppleId: undefined, environment: 'Sandbox' }),
      { ...asNotification, ...inSandbox },
    ],
    ['a transaction for a notification', 'INVALID_APP_IDENTIFIER', transaction({}), asNotification],
    ['a notification for a transaction', 'INVALID_APP_IDENTIFIER', notification({})],
  ];
}

function signedBy(keys: CryptoKeyPair, header: { alg: string } & Record<string, unknown>): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(TRANSACTION));
  return new CompactSign(bytes).setProtectedHeader(header).sign(keys.privateKey);
}

function exported({ publicKey }: CryptoKeyPair): Promise<JsonWebKey> {
  return crypto.subtle.exportKey('jwk', publicKey);
}
