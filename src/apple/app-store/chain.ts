/** The certificates between a signature and a root that is trusted. */
import { fromBase64 } from './base64.ts';
import { type Certificate, hasExtension, isAuthority, isIssuedBy, isValidAt, parseCertificate } from './certificate.ts';
import type { SignedDataFault } from './signed-data.ts';

export type Chain = { leaf: Certificate; intermediate: Certificate };

/** Both markers are Apple's: on the certificate that signs, and on the one that issued it. */
const LEAF_MARKER = '1.2.840.113635.100.6.11.1';
const INTERMEDIATE_MARKER = '1.2.840.113635.100.6.2.1';

/** The chain of a header: three certificates, of which the last is not read. A root is trusted because it is configured. */
export function chainIn(x5c: unknown): Chain | null {
  if (!Array.isArray(x5c) || x5c.length !== 3) return null;
  try {
    const [leaf, intermediate] = x5c.slice(0, 2).map((text) => parseCertificate(fromBase64(text)));
    return leaf && intermediate ? { leaf, intermediate } : null;
  } catch {
    return null;
  }
}

/** The root at which the chain ends, if every link holds at that date and both certificates have Apple's markers. */
export function judgeChain(
  { leaf, intermediate }: Chain,
  roots: readonly Certificate[],
  date: Date,
): { root: Certificate } | { fault: SignedDataFault } {
  const root = roots.find((each) => isIssuedBy(intermediate, each));
  const isMarked = hasExtension(leaf, LEAF_MARKER) && hasExtension(intermediate, INTERMEDIATE_MARKER);
  if (!root || !isMarked || !isAuthority(intermediate) || !isIssuedBy(leaf, intermediate))
    return { fault: 'VERIFICATION_FAILURE' };
  return [leaf, intermediate, root].every((each) => isValidAt(each, date))
    ? { root }
    : { fault: 'INVALID_CERTIFICATE' };
}
