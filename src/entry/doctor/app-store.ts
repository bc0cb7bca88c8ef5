import type { AppStoreAccess } from '../../app/vendor-connections.ts';
import { signApiToken } from '../../apple/app-store/api-token.ts';
import { type ApiReply, callApi } from '../../apple/app-store/call.ts';
import type { AppStoreEnvironment } from '../../apple/app-store/port.ts';
import { systemRetryTools } from '../../kernel/retry.ts';
import { refusedAppleKey } from './apple-key.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import { describeCause, unreachable } from './network.ts';

const KEY = 'APPLE_PRIVATE_KEY';
const NAMES = { keyId: 'APPLE_KEY_ID', key: KEY, owners: ['APPLE_ISSUER_ID', 'APPLE_BUNDLE_ID'] };
const TRIAL_MS = 9_000;
/** It does not exist: an accepted key is answered that it is unknown. */
const NO_TRANSACTION = '1000000000000000';

export const appStore: Check = {
  title: 'the App Store',
  variable: KEY,
  async run(tools) {
    const access = tools.connections.appStore;
    if (!access) return [];
    const [production, sandbox] = await Promise.all([ask('Production', access, tools), ask('Sandbox', access, tools)]);
    return [
      ...keyFindings(production, sandbox, tools),
      ...unreachableAt('APPLE_APPSTORE_URL', access.urls.production, production),
      ...unreachableAt('APPLE_APPSTORE_SANDBOX_URL', access.urls.sandbox, sandbox),
    ];
  },
};

async function ask(
  environment: AppStoreEnvironment,
  { key, bundleId, urls, fetch }: AppStoreAccess,
  { clock }: DoctorTools,
): Promise<ApiReply> {
  const options = {
    urls: { Production: urls.production, Sandbox: urls.sandbox },
    signToken: () => signApiToken(key, bundleId, clock),
    retryTools: systemRetryTools,
    ...{ fetch, clock },
  };
  const path = `/inApps/v1/transactions/${NO_TRANSACTION}`;
  return callApi({ environment, method: 'GET', path, isRead: true }, options, AbortSignal.timeout(TRIAL_MS));
}

function isAccepted({ outcome }: ApiReply): boolean {
  return outcome === 'error' || outcome === 'answer';
}

function keyFindings(production: ApiReply, sandbox: ApiReply, { config }: DoctorTools): Finding[] {
  if (production.outcome !== 'refused') {
    return isAccepted(production) ? [fine(KEY, 'is accepted by the App Store')] : refusedBy(sandbox);
  }
  if (!isAccepted(sandbox)) return refusedBy(production);
  if (config.settings.environment !== 'production') return [fine(KEY, 'is accepted by the App Store’s sandbox')];
  return [
    warning(
      KEY,
      'is accepted by the App Store’s sandbox alone, as before the first release of an app',
      'Nothing is to be done before that release. After it, run this again.',
    ),
  ];
}

function refusedBy(reply: ApiReply): Finding[] {
  if (reply.outcome !== 'refused') return [];
  const { cause } = reply;
  // The app that the token names is unknown, so the key is not.
  if (cause.includes('4040003'))
    return [
      wrong('APPLE_BUNDLE_ID', `is no app of this team (${cause})`, 'Set the bundle id that App Store Connect shows.'),
    ];
  return refusedAppleKey({ ...NAMES, service: 'the App Store Server API', cause });
}

function unreachableAt(name: string, url: string, reply: ApiReply): Finding[] {
  return reply.outcome === 'unreachable' ? [unreachable(name, url, describeCause(reply.cause))] : [];
}
