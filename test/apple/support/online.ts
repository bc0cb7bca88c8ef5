/** Chains whose certificates are checked online, and what must come of each answer of the responder. */

import { APP_ID } from '../../support/app-store.ts';
import { makeChain, signWith, x5cOf } from '../../support/apple-chain.ts';
import { BUNDLE_ID } from '../../support/apple-id.ts';
import type { Case } from './case.ts';
import type { Behaviour, Responder } from './ocsp-responder.ts';

/** Long enough for every answer that comes. */
const WAIT_MS = 20_000;

/** `intermediate`: how the responder of the root behaves; null: the certificate names none. */
export type OnlineOptions = { leaf?: Behaviour | null; intermediate?: Behaviour | null; signedDate?: number };

export async function onlineCase(
  responder: Responder,
  name: string,
  expected: string,
  { leaf = 'good', intermediate = 'good', signedDate = Date.now() }: OnlineOptions = {},
): Promise<Case> {
  const urlOf = (behaviour: Behaviour | null) => (behaviour === null ? null : responder.url(behaviour));
  const chain = await makeChain({
    leaf: { ocspUrl: urlOf(leaf) },
    intermediate: { ocspUrl: urlOf(intermediate) },
  });
  await Promise.all([responder.serve(chain.root), responder.serve(chain.intermediate)]);
  const payload = { bundleId: BUNDLE_ID, environment: 'Production', signedDate };
  return {
    ...{ name, expected, kind: 'transaction', jws: await signWith(chain, payload), roots: x5cOf(chain.root) },
    ...{ environment: 'Production', bundleId: BUNDLE_ID, appId: APP_ID, nowMs: Date.now(), isOnline: true },
    ocspTimeoutMs: leaf === 'hang' || intermediate === 'hang' ? 200 : WAIT_MS,
  };
}

const OUTCOMES: [Behaviour, string][] = [
  ['good', 'valid'],
  ['by-name', 'valid'],
  ['revoked', 'FAILURE'],
  ['unknown', 'FAILURE'],
  ['stale', 'FAILURE'],
  ['early', 'FAILURE'],
  ['about-another', 'FAILURE'],
  ['forged', 'FAILURE'],
  ['by-nobody', 'FAILURE'],
  ['by-an-expired', 'INVALID_CERTIFICATE'],
  ['by-a-stranger', 'INVALID_CERTIFICATE'],
  ['busy', 'unreachable'],
  ['page', 'unreachable'],
  ['empty', 'unreachable'],
  ['failing', 'unreachable'],
  ['cut', 'unreachable'],
  ['hang', 'unreachable'],
];

/** Both certificates are checked in the same way: these show that both are. */
const OF_BOTH: Behaviour[] = ['revoked', 'stale', 'failing'];

/** The same for both verifiers. */
export async function onlineCases(responder: Responder): Promise<Case[]> {
  const aboutLeaf = OUTCOMES.map(([leaf, expected]) => onlineCase(responder, `the leaf: ${leaf}`, expected, { leaf }));
  const aboutIntermediate = OUTCOMES.filter(([behaviour]) => OF_BOTH.includes(behaviour)).map(
    ([intermediate, expected]) =>
      onlineCase(responder, `the intermediate: ${intermediate}`, expected, { intermediate }),
  );
  return Promise.all([
    ...aboutLeaf,
    ...aboutIntermediate,
    onlineCase(responder, 'a leaf without a responder', 'INVALID_CERTIFICATE', { leaf: null }),
    onlineCase(responder, 'an intermediate without a responder', 'INVALID_CERTIFICATE', { intermediate: null }),
    onlineCase(responder, 'certificates that are valid now, a date at which they were not', 'valid', { signedDate: 0 }),
  ]);
}
