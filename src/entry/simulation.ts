import { Hono } from 'hono';
import type { AppStoreOptions } from '../../sim/app-store.ts';
import type { AppleIdOptions } from '../../sim/apple-id.ts';
import type { ProviderSimulator } from '../../sim/provider-simulator.ts';
import type { World, WorldOptions } from '../../sim/world.ts';
import type { Config } from '../app/config.ts';
import { type ProviderAccess, realConnections, type VendorConnections } from '../app/vendor-connections.ts';
import type { ProviderManifest } from '../providers/manifest.ts';

export type Simulation = {
  connections: VendorConnections;
  /** The simulated vendors, for people; in alphabetical order. */
  names: string[];
  /** Answers below `/dev/`; null: no simulator has a page. */
  pages: SimulatedPages | null;
  close(): Promise<void>;
};

/**
 * `authorizePath`: where people sign in with the simulated Apple, with the app that they sign in to. `storePath`: the page of the
 * simulated App Store. Null: it is not simulated.
 */
export type SimulatedPages = {
  authorizePath: string | null;
  storePath: string | null;
  answer(request: Request): Response | Promise<Response>;
};

export type SimulationOptions = Omit<WorldOptions, 'deliver' | 'appleId' | 'appStore' | 'apns'> & {
  manifests: readonly ProviderManifest[];
  /** Where this machine's own processes reach the server; null where it has no port, or not yet. */
  localUrl?(): string | null;
  /** False where this process sends no pushes: their simulator then listens on no port. */
  sendsPushes?: boolean;
};

/** Of the app that is signed in to, and bought in, where no other is named. */
const DEFAULT_BUNDLE_ID = 'dev.rendio.app';

/**
 * Replaces the vendors without keys by simulators, in development alone; elsewhere the code of simulators is not even loaded.
 * Only the key decides: a URL alone does not say that the vendor there may be called.
 */
export async function startSimulation(config: Config, options: SimulationOptions): Promise<Simulation> {
  const { manifests, localUrl = () => null, sendsPushes = true, ...worldOptions } = options;
  const real = realConnections(config, manifests);
  const { simulated } = config.settings;
  const { deviceCheck, appleId, appStore, apns } = simulated;
  const isNeeded = deviceCheck || appleId || appStore || apns || manifests.some(({ name }) => simulated[name]);
  if (!isNeeded) return { connections: real, names: [], pages: null, close: async () => {} };
  const { createWorld } = await import('../../sim/world.ts');
  const world = await createWorld({
    ...worldOptions,
    appleId: appleIdOptions(config, localUrl),
    appStore: appStoreOptions(config, localUrl),
    apns: apns ? { bundleId: config.settings.apple.bundleId ?? DEFAULT_BUNDLE_ID, opensPort: sendsPushes } : undefined,
  });
  const providers = manifests.flatMap((manifest): ProviderAccess[] => {
    if (simulated[manifest.name]) return [simulatedAccess(manifest, world)];
    const access = real.providers.get(manifest.name);
    return access ? [access] : [];
  });
  const names = providers.filter(({ isSimulated }) => isSimulated).map(({ manifest }) => manifest.displayName);
  return {
    connections: {
      deviceCheck: deviceCheck ? simulatedDeviceCheck(world) : real.deviceCheck,
      appleId: appleId ? simulatedAppleId(world) : real.appleId,
      appStore: appStore ? await simulatedAppStore(world) : real.appStore,
      apns: apns ? simulatedApns(world) : real.apns,
      stripe: real.stripe,
      providers: new Map(providers.map((access) => [access.manifest.name, access])),
      simulatedFetch: world.fetch,
    },
    names: [...namesOfApple(config), ...names].sort((a, b) => a.localeCompare(b, 'en')),
    pages: appleId || appStore || apns ? await pagesOf(world, config) : null,
    close: () => world.close(),
  };
}

function namesOfApple({ settings: { simulated } }: Config): string[] {
  return [
    ...(simulated.deviceCheck ? ['DeviceCheck'] : []),
    ...(simulated.appleId ? ['Sign in with Apple'] : []),
    ...(simulated.appStore ? ['App Store'] : []),
    ...(simulated.apns ? ['APNs'] : []),
  ];
}

/** Where a vendor on this machine sends what it has to tell; null while there is no server. */
function urlAt(localUrl: () => string | null, path: string): () => string | null {
  return () => {
    const url = localUrl();
    return url === null ? null : `${url}${path}`;
  };
}

function appleIdOptions({ settings: { apple } }: Config, localUrl: () => string | null): AppleIdOptions {
  return {
    clientIds: [apple.bundleId ?? DEFAULT_BUNDLE_ID, ...apple.serviceIds],
    notificationsUrl: urlAt(localUrl, '/functions/v1/apple-account-notifications'),
  };
}

function appStoreOptions({ settings: { apple } }: Config, localUrl: () => string | null): AppStoreOptions {
  return {
    bundleId: apple.bundleId ?? DEFAULT_BUNDLE_ID,
    appId: apple.appId,
    notificationsUrl: urlAt(localUrl, '/functions/v1/apple-server-notifications'),
  };
}

async function pagesOf(
  { appleId, appStore, apns }: World,
  { settings: { simulated } }: Config,
): Promise<SimulatedPages> {
  const pages = new Hono();
  if (simulated.appleId) {
    const { appleIdPages } = await import('../../sim/apple-id/pages.ts');
    pages.route('/', appleIdPages(appleId));
  }
  if (simulated.appStore) {
    const { appStorePages } = await import('../../sim/app-store/pages.ts');
    pages.route('/', appStorePages(appStore));
  }
  if (apns) {
    const { apnsPages } = await import('../../sim/apns/pages.ts');
    pages.route('/', apnsPages(apns));
  }
  const query = new URLSearchParams({ client_id: appleId.clientIds[0] ?? '' });
  return {
    authorizePath: simulated.appleId ? `/dev/apple/authorize?${query}` : null,
    storePath: simulated.appStore ? '/dev/apple/store' : null,
    answer: (request) => pages.fetch(request, {}),
  };
}

async function simulatedAppStore({ appStore, fetch }: World): Promise<VendorConnections['appStore']> {
  const { bundleId, appId, urls } = appStore;
  const { privateKeyPem: privateKey, ...names } = appStore.credentials;
  return { key: { ...names, privateKey }, bundleId, appId, roots: await appStore.roots(), urls, fetch };
}

function simulatedApns({ apns }: World): VendorConnections['apns'] {
  if (!apns) return undefined;
  const { privateKeyPem: privateKey, ...names } = apns.credentials;
  return { key: { ...names, privateKey }, bundleId: apns.bundleId, urls: apns.urls };
}

function simulatedAppleId({ appleId, fetch }: World): VendorConnections['appleId'] {
  const { privateKeyPem: privateKey, ...names } = appleId.credentials;
  return { clientIds: appleId.clientIds, key: { ...names, privateKey }, baseUrl: appleId.baseUrl, fetch };
}

function simulatedAccess(manifest: ProviderManifest, world: World): ProviderAccess {
  const { credentials, urls }: ProviderSimulator = world.providers[manifest.simulator ?? ''] ?? missing(manifest);
  return { manifest, connection: { credentials, urls, fetch: world.fetch }, isSimulated: true };
}

function missing({ name, simulator }: ProviderManifest): never {
  throw new Error(`the manifest of ${name} names a simulator that sim/world.ts does not know: ${simulator}`);
}

function simulatedDeviceCheck({ deviceCheck, fetch }: World): VendorConnections['deviceCheck'] {
  const { privateKeyPem: privateKey, ...names } = deviceCheck.credentials;
  return { key: { ...names, privateKey }, baseUrl: deviceCheck.baseUrl, fetch };
}
