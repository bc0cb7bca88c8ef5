/** The checks of Apple's library, for runtimes on which it does not run: Deno, on a server or in an edge function. */
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { type Certificate, parseCertificate } from './certificate.ts';
import { type Chain, chainIn, judgeChain } from './chain.ts';
import { claimsOf } from './claims.ts';
import { checkRevocation } from './ocsp.ts';
import type { CreateVerifier, Decoded, SignedDataFault, SignedDataKind, VerifierOptions } from './signed-data.ts';

type Failure = Exclude<Decoded, { outcome: 'valid' }>;
/** Makes sure, once for a while, that a chain's certificates have not been revoked. */
type CheckOnline = (chain: Chain, root: Certificate) => Promise<Failure | null>;

/** Apple's library keeps the same chains for as long. */
const CHECKED_MS = 15 * 60_000;
const CHECKED_CHAINS_MAX = 32;

/** Verifies with the code of this folder, in the order and with the outcomes of Apple's library. */
export const createPortableVerifier: CreateVerifier = async (options) => {
  const roots = options.roots.map((root) => parseCertificate(root));
  const checkOnline = createOnlineChecks(options);

  async function decode(kind: SignedDataKind, jws: string): Promise<Decoded> {
    const payload = decodeJwt(jws);
    const { signedDate } = payload;
    if (signedDate !== undefined && typeof signedDate !== 'number') return invalid('FAILURE');
    const chain = chainIn(decodeProtectedHeader(jws).x5c);
    if (!chain) return invalid('INVALID_CERTIFICATE');
    const isOffline = !options.isOnline && signedDate !== undefined;
    const judged = judgeChain(chain, roots, isOffline ? new Date(signedDate) : options.clock.now());
    if ('fault' in judged) return invalid(judged.fault);
    const failure = options.isOnline ? await checkOnline(chain, judged.root) : null;
    if (failure) return failure;
    await verifySignature(jws, chain.leaf, options.clock.now());
    const fault = faultIn(kind, payload, options);
    return fault ? invalid(fault) : { outcome: 'valid', payload };
  }

  return { decode: (kind, jws) => decode(kind, jws).catch(() => invalid('VERIFICATION_FAILURE')) };
};

function invalid(cause: SignedDataFault): Failure {
  return { outcome: 'invalid', cause };
}

/** Throws if the leaf's key has not signed the text. */
async function verifySignature(jws: string, { publicKey }: Certificate, now: Date): Promise<void> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle.importKey('spki', publicKey, algorithm, false, ['verify']);
  await jwtVerify(jws, key, { algorithms: ['ES256'], currentDate: now });
}

type App = Pick<VerifierOptions, 'environment' | 'bundleId' | 'appId'>;

function faultIn(kind: SignedDataKind, payload: object, app: App): SignedDataFault | null {
  const { bundleId, appId, environment } = claimsOf(kind, payload);
  const isForeign = kind === 'notification' && app.environment === 'Production' && appId !== app.appId;
  if (bundleId !== app.bundleId || isForeign) return 'INVALID_APP_IDENTIFIER';
  return environment === app.environment ? null : 'INVALID_ENVIRONMENT';
}

function createOnlineChecks({ fetch, clock, ocspTimeoutMs }: VerifierOptions): CheckOnline {
  /** Until when each chain needs no further check, in milliseconds. */
  const checkedUntil = new Map<string, number>();

  return async ({ leaf, intermediate }, root) => {
    const key = leaf.sha256 + intermediate.sha256;
    const nowMs = clock.now().getTime();
    if ((checkedUntil.get(key) ?? 0) > nowMs) return null;
    const tools = { fetch, clock, signal: AbortSignal.timeout(ocspTimeoutMs) };
    const found = await Promise.all([
      checkRevocation(leaf, intermediate, tools),
      checkRevocation(intermediate, root, tools),
    ]);
    const failure = found.find((each) => each?.outcome === 'invalid') ?? found.find((each) => each !== null) ?? null;
    if (failure) return failure;
    if (checkedUntil.size >= CHECKED_CHAINS_MAX) checkedUntil.clear();
    checkedUntil.set(key, nowMs + CHECKED_MS);
    return null;
  };
}
