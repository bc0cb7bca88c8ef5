/** Apple's own library. It needs Node: the certificates of Deno 2.1, which edge functions run on, lack what it calls. */
import type { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Library from '@apple/app-store-server-library';
import { parseCertificate } from './certificate.ts';
import { memberOf } from './claims.ts';
import { checkRevocation } from './ocsp.ts';
import type { CreateVerifier, Decoded, SignedDataFault, VerifierOptions } from './signed-data.ts';

/** No literal import, so that edge functions, which never load it, are not deployed with it. */
const LIBRARY = '@apple/app-store-server-library';

/** The library throws while it clears a cache of more than 32. */
const CACHED_CHAINS_MAX = 32;

type OfficialLibrary = typeof Library;

/** Loading it makes Node warn of a module that none of its code that runs here uses. */
function loadLibrary(): OfficialLibrary {
  const { noDeprecation = false } = process;
  process.noDeprecation = true;
  try {
    return createRequire(import.meta.url)(LIBRARY);
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/** Verifies with Apple's library, within the time that is given for the online checks. */
export const createOfficialVerifier: CreateVerifier = async (options) => {
  const library = loadLibrary();
  const Verifier = verifierClass(library, options);
  const { PRODUCTION, SANDBOX } = library.Environment;
  const verifier = new Verifier(
    options.roots.map((root) => Buffer.from(root)),
    options.isOnline,
    options.environment === 'Production' ? PRODUCTION : SANDBOX,
    options.bundleId,
    options.appId,
  );
  return {
    async decode(kind, jws) {
      try {
        const payload =
          kind === 'transaction'
            ? await verifier.verifyAndDecodeTransaction(jws)
            : await verifier.verifyAndDecodeNotification(jws);
        return { outcome: 'valid', payload };
      } catch (error) {
        return failureOf(error, library);
      }
    },
  };
};

/**
 * Its own validators refuse whatever is new or null in a member, also in those that nothing here depends on; ours read what is needed
 * after the signature. Only the date is judged before it.
 */
const hasReadableDate = {
  validate(payload: unknown): payload is never {
    // As the library's own do with a text that has none.
    if (typeof payload !== 'object' || payload === null) throw new TypeError('no payload');
    return isReadableDate(memberOf(payload, 'signedDate'));
  },
};

function isReadableDate(date: unknown): boolean {
  return date === undefined || (typeof date === 'number' && !Number.isNaN(new Date(date).getTime()));
}

/**
 * Apple's verifier with online checks of our own: its own wait 30 s, take a proxy's page for a bad certificate, and read no date of an
 * answer, so that one from before a revocation would do for ever.
 */
function verifierClass(
  { SignedDataVerifier, VerificationException, VerificationStatus }: OfficialLibrary,
  { fetch, clock, ocspTimeoutMs }: VerifierOptions,
) {
  return class extends SignedDataVerifier {
    protected override verifyJWT<T>(jwt: string, _validator: object, dateOf: (payload: T) => Date): Promise<T> {
      return super.verifyJWT(jwt, hasReadableDate, dateOf);
    }

    protected override async verifyCertificateChain(
      ...args: Parameters<Library.SignedDataVerifier['verifyCertificateChain']>
    ) {
      const [roots, leaf, intermediate] = args;
      // Before the library's own parser, which takes ten times as long, reads the certificates of strangers.
      if (!roots.some((root) => isIssuedBy(intermediate, root)) || !isIssuedBy(leaf, intermediate))
        throw new VerificationException(VerificationStatus.VERIFICATION_FAILURE);
      if (Object.keys(this.verifiedPublicKeyCache).length >= CACHED_CHAINS_MAX) this.verifiedPublicKeyCache = {};
      return super.verifyCertificateChain(...args);
    }

    protected override async checkOCSPStatus(
      ...[certificate, issuer]: Parameters<Library.SignedDataVerifier['checkOCSPStatus']>
    ): Promise<void> {
      const tools = { fetch, clock, signal: AbortSignal.timeout(ocspTimeoutMs) };
      const failure = await checkRevocation(parseCertificate(certificate.raw), parseCertificate(issuer.raw), tools);
      if (failure?.outcome === 'invalid') throw new VerificationException(VerificationStatus[failure.cause]);
      if (failure)
        throw new VerificationException(VerificationStatus.RETRYABLE_VERIFICATION_FAILURE, new Error(failure.cause));
    }
  };
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey);
}

const FAULTS: readonly SignedDataFault[] = [
  'VERIFICATION_FAILURE',
  'INVALID_APP_IDENTIFIER',
  'INVALID_ENVIRONMENT',
  'INVALID_CERTIFICATE',
];

function failureOf(error: unknown, { VerificationException, VerificationStatus }: OfficialLibrary): Decoded {
  if (!(error instanceof VerificationException)) return { outcome: 'invalid', cause: 'FAILURE' };
  if (error.status === VerificationStatus.RETRYABLE_VERIFICATION_FAILURE)
    return { outcome: 'unreachable', cause: error.cause?.message ?? 'no usable answer' };
  return { outcome: 'invalid', cause: FAULTS.find((name) => VerificationStatus[name] === error.status) ?? 'FAILURE' };
}
