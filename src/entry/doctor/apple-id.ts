import { z } from 'zod';
import type { AppleIdAccess } from '../../app/vendor-connections.ts';
import { createAppleSignIn } from '../../apple/sign-in.ts';
import { refusedAppleKey } from './apple-key.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';

const NAMES = {
  keyId: 'APPLE_SIGNIN_KEY_ID',
  key: 'APPLE_SIGNIN_PRIVATE_KEY',
  owners: ['APPLE_TEAM_ID', 'APPLE_BUNDLE_ID'],
};
/** Nonsense: an accepted key is answered that the code is invalid. */
const NO_CODE = 'npm-run-doctor';
const Keys = z.object({ keys: z.array(z.object({ kty: z.string() })).min(1) });

/** Apple's public keys, and the key with which codes are exchanged, for each app and website. */
export const appleId: Check = {
  title: 'Sign in with Apple',
  variable: 'APPLE_ID_URL',
  async run(tools) {
    const access = tools.connections.appleId;
    if (!access || tools.config.settings.simulated.appleId) return [];
    const keys = await publicKeys(access);
    if (keys.some(({ level }) => level === 'wrong') || !access.key) return keys;
    return [...keys, ...(await signInKey(access, tools))];
  },
};

async function publicKeys({ baseUrl, fetch }: AppleIdAccess): Promise<Finding[]> {
  const name = 'APPLE_ID_URL';
  try {
    const response = await fetch(`${baseUrl}/auth/keys`, { redirect: 'manual' });
    const body: unknown = await response.json().catch(() => null);
    if (response.status === 200 && Keys.safeParse(body).success) return [fine(name, 'gives Apple’s public keys')];
    return [unreachable(name, baseUrl, `it answers ${response.status} without Apple’s public keys`)];
  } catch (error) {
    return [unreachable(name, baseUrl, describeFailure(error))];
  }
}

async function signInKey({ key, clientIds, ...access }: AppleIdAccess, { clock }: DoctorTools): Promise<Finding[]> {
  if (!key) return [];
  const signIn = createAppleSignIn({ ...key, ...access, clock });
  const [bundleId = '', ...serviceIds] = clientIds;
  const ofApp = await signIn.exchangeCode(bundleId, NO_CODE);
  if (ofApp.state === 'unavailable') return ofApp.isOurFault ? refused(ofApp.cause) : busy(access.baseUrl, ofApp.cause);
  const ofServices = serviceIds.map(async (id) => ({ id, answer: await signIn.exchangeCode(id, NO_CODE) }));
  const unknown = (await Promise.all(ofServices)).filter(
    ({ answer }) => answer.state === 'unavailable' && answer.isOurFault,
  );
  return [
    fine(NAMES.key, 'is accepted by Apple'),
    ...unknown.map(({ id }) =>
      wrong(
        'APPLE_SERVICE_IDS',
        `names ${id}, for which Apple refuses the team’s key`,
        'Correct it, or remove it: it has to be a Services ID of the team, with Sign in with Apple.',
      ),
    ),
  ];
}

function refused(cause: string): Finding[] {
  if (!cause.includes('unauthorized_client'))
    return refusedAppleKey({ ...NAMES, service: 'Sign in with Apple', cause });
  return [
    wrong(
      'APPLE_BUNDLE_ID',
      `is no app with Sign in with Apple (${cause})`,
      'Switch it on for this App ID, or correct the bundle id.',
    ),
  ];
}

function busy(url: string, cause: string): Finding[] {
  return [unreachable('APPLE_ID_URL', url, `${cause} to the exchange of a code`)];
}
