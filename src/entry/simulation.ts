import type { ProviderSimulator } from '../../sim/provider-simulator.ts';
import type { World, WorldOptions } from '../../sim/world.ts';
import type { Config } from '../app/config.ts';
import { type ProviderAccess, realConnections, type VendorConnections } from '../app/vendor-connections.ts';
import type { ProviderManifest } from '../providers/manifest.ts';

export type Simulation = {
  connections: VendorConnections;
  /** The simulated vendors, for people; in alphabetical order. */
  names: string[];
  close(): Promise<void>;
};

export type SimulationOptions = Omit<WorldOptions, 'deliver'> & { manifests: readonly ProviderManifest[] };

/**
 * Replaces the vendors without keys by simulators, in development alone; elsewhere the code of simulators is not even loaded.
 * Only the key decides: a URL alone does not say that the vendor there may be called.
 */
export async function startSimulation(config: Config, options: SimulationOptions): Promise<Simulation> {
  const { manifests, ...worldOptions } = options;
  const real = realConnections(config, manifests);
  const { simulated } = config.settings;
  const isNeeded = simulated.deviceCheck || manifests.some(({ name }) => simulated[name]);
  if (!isNeeded) return { connections: real, names: [], close: async () => {} };
  const { createWorld } = await import('../../sim/world.ts');
  const world = await createWorld(worldOptions);
  const providers = manifests.flatMap((manifest): ProviderAccess[] => {
    if (simulated[manifest.name]) return [simulatedAccess(manifest, world)];
    const access = real.providers.get(manifest.name);
    return access ? [access] : [];
  });
  const names = providers.filter(({ isSimulated }) => isSimulated).map(({ manifest }) => manifest.displayName);
  return {
    connections: {
      deviceCheck: simulated.deviceCheck ? simulatedDeviceCheck(world) : real.deviceCheck,
      appleId: real.appleId,
      providers: new Map(providers.map((access) => [access.manifest.name, access])),
      simulatedFetch: world.fetch,
    },
    names: [...(simulated.deviceCheck ? ['DeviceCheck'] : []), ...names].sort((a, b) => a.localeCompare(b, 'en')),
    close: () => world.close(),
  };
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
