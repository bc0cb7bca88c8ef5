/** How each vendor is reached: with which key, at which URL, over the network or inside this process. */
import type { AppStoreKey } from '../apple/app-store/api-token.ts';
import type { TeamKey } from '../apple/team-token.ts';
import type { ProviderConnection, ProviderManifest } from '../providers/manifest.ts';
import type { ProviderName } from '../providers/provider.ts';
import type { ApnsAccess } from '../push/apns/apns.ts';
import type { Config } from './config.ts';

/** URLs have no slash at the end. `otherBaseUrl`: is asked about tokens that the first does not know. */
export type DeviceCheckAccess = {
  key: TeamKey;
  baseUrl: string;
  otherBaseUrl?: string | undefined;
  fetch: typeof fetch;
};
/** `clientIds`: the audiences of identity tokens. Without a key, codes are not exchanged and nothing is revoked. */
export type AppleIdAccess = {
  clientIds: readonly string[];
  key: TeamKey | undefined;
  baseUrl: string;
  fetch: typeof fetch;
};
/** `appId`: null where the app has no number. `roots`: in DER; null: Apple's own, with online checks. */
export type AppStoreAccess = {
  key: AppStoreKey;
  bundleId: string;
  appId: number | null;
  roots: readonly Uint8Array[] | null;
  urls: { production: string; sandbox: string };
  fetch: typeof fetch;
};
export type StripeAccess = { secretKey: string; webhookSecret: string; baseUrl: string; fetch: typeof fetch };
/** `isSimulated`: a simulator of this process answers. */
export type ProviderAccess = { manifest: ProviderManifest; connection: ProviderConnection; isSimulated: boolean };

export type VendorConnections = {
  /** Undefined: its feature is switched off. */
  deviceCheck?: DeviceCheckAccess | undefined;
  /** Sign in with Apple. Undefined: no app is named, so that no identity token can be meant for it. */
  appleId?: AppleIdAccess | undefined;
  /** Undefined: purchases in the App Store are switched off. */
  appStore?: AppStoreAccess | undefined;
  /** Undefined: pushes are switched off. */
  apns?: ApnsAccess | undefined;
  /** Undefined: there is no web shop. It is never simulated. */
  stripe?: StripeAccess | undefined;
  /** The providers that are on offer here. */
  providers: ReadonlyMap<ProviderName, ProviderAccess>;
  /** Fetches the finished files of the simulated providers. It never touches the network. */
  simulatedFetch?: typeof fetch | undefined;
};

/** The vendors that have all their credentials, at their real URLs; none is simulated. */
export function realConnections(
  config: Config,
  manifests: readonly ProviderManifest[],
  fetch: typeof globalThis.fetch = globalThis.fetch,
): VendorConnections {
  const { deviceCheck, signIn, stripe } = config.secrets;
  const { apple } = config.settings;
  return {
    deviceCheck: deviceCheck && {
      key: { ...deviceCheck, privateKey: deviceCheck.privateKey.reveal() },
      baseUrl: apple.deviceCheckUrl,
      otherBaseUrl: apple.deviceCheckOtherUrl,
      fetch,
    },
    appleId: apple.bundleId
      ? {
          clientIds: [apple.bundleId, ...apple.serviceIds],
          key: signIn && { ...signIn, privateKey: signIn.privateKey.reveal() },
          baseUrl: apple.idUrl,
          fetch,
        }
      : undefined,
    appStore: appStoreAccess(config, fetch),
    apns: apnsAccess(config),
    stripe: stripe && {
      secretKey: stripe.secretKey.reveal(),
      webhookSecret: stripe.webhookSecret.reveal(),
      baseUrl: config.settings.stripeUrl,
      fetch,
    },
    providers: new Map(
      manifests.flatMap((manifest) => {
        const connection = realConnection(config, manifest, fetch);
        return connection ? [[manifest.name, { manifest, connection, isSimulated: false }]] : [];
      }),
    ),
  };
}

function appStoreAccess(
  { settings: { apple }, secrets, appleRoots }: Config,
  fetch: typeof globalThis.fetch,
): AppStoreAccess | undefined {
  if (!secrets.appStore) return undefined;
  const { keyId, issuerId, privateKey, bundleId, appId } = secrets.appStore;
  return {
    key: { keyId, issuerId, privateKey: privateKey.reveal() },
    ...{ bundleId, appId, roots: appleRoots, fetch },
    urls: { production: apple.appStoreUrl, sandbox: apple.appStoreSandboxUrl },
  };
}

/** Apple knows a token only at the server of its environment. */
function apnsAccess({ settings: { apple }, secrets: { apns } }: Config): ApnsAccess | undefined {
  if (!apns) return undefined;
  const { teamId, keyId, privateKey, bundleId } = apns;
  return {
    key: { teamId, keyId, privateKey: privateKey.reveal() },
    bundleId,
    urls: {
      production: apple.apnsUrl ?? 'https://api.push.apple.com',
      sandbox: apple.apnsUrl ?? 'https://api.sandbox.push.apple.com',
    },
  };
}

function realConnection(
  { settings, secrets }: Config,
  { name, isForProduction }: ProviderManifest,
  fetch: typeof globalThis.fetch,
): ProviderConnection | null {
  const credentials = secrets.providers[name];
  if (!credentials || (settings.environment === 'production' && !isForProduction)) return null;
  const revealed = Object.entries(credentials).map(([role, secret]) => [role, secret.reveal()]);
  return { credentials: Object.fromEntries(revealed), urls: settings.providers[name] ?? {}, fetch };
}
