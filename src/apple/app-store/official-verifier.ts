/** Apple's own library. It needs Node: Deno's certificates lack methods that it calls. */
import type * as Library from '@apple/app-store-server-library';
import { untilAborted } from '../until-aborted.ts';
import type { CreateVerifier, Decoded, SignedDataFault } from './signed-data.ts';

/** No literal import, so that edge functions, which never load it, are not deployed with it. */
const LIBRARY = '@apple/app-store-server-library';

/** The library throws while it clears a cache of more than 32. */
const CACHED_CHAINS_MAX = 32;

type OfficialLibrary = typeof Library;

/** Verifies with Apple's library, within the time that is given for the online checks. */
export const createOfficialVerifier: CreateVerifier = async (options) => {
  const library: OfficialLibrary = await import(LIBRARY);
  const Verifier = boundedVerifier(library, options.ocspTimeoutMs);
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
 * The library waits 30 s for each online check, and takes an answer of a responder that is none, such as a proxy's page, for a bad
 * certificate. Both mean: try again.
 */
function boundedVerifier(
  { SignedDataVerifier, VerificationException, VerificationStatus }: OfficialLibrary,
  ocspTimeoutMs: number,
) {
  return class extends SignedDataVerifier {
    protected override async verifyCertificateChain(
      ...args: Parameters<Library.SignedDataVerifier['verifyCertificateChain']>
    ) {
      if (Object.keys(this.verifiedPublicKeyCache).length >= CACHED_CHAINS_MAX) this.verifiedPublicKeyCache = {};
      return super.verifyCertificateChain(...args);
    }

    protected override async checkOCSPStatus(
      ...args: Parameters<Library.SignedDataVerifier['checkOCSPStatus']>
    ): Promise<void> {
      try {
        await untilAborted(super.checkOCSPStatus(...args), AbortSignal.timeout(ocspTimeoutMs));
      } catch (error) {
        if (error instanceof VerificationException) throw error;
        const cause = error instanceof Error ? error : new Error(String(error));
        throw new VerificationException(VerificationStatus.RETRYABLE_VERIFICATION_FAILURE, cause);
      }
    }
  };
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
    return { outcome: 'unreachable', cause: `OCSP: ${error.cause?.message ?? 'no usable answer'}` };
  return { outcome: 'invalid', cause: FAULTS.find((name) => VerificationStatus[name] === error.status) ?? 'FAILURE' };
}
