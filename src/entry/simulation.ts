import type { Config } from '../app/config.ts';
import { realConnections, type VendorConnections } from '../app/vendor-connections.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { ProviderName } from '../providers/provider.ts';

export type Simulation = {
  connections: VendorConnections;
  /** What the banner says is played inside this process. */
  names: string[];
  close(): Promise<void>;
};

const NAMES: Partial<Record<ProviderName, string>> = { fal: 'fal', pika: 'Pika', runway: 'Runway' };

/**
 * Stands simulators in for the vendors without keys, in development alone; elsewhere their code is not even loaded. Only
 * the key decides: an address alone does not say that anybody may be called there.
 */
export async function startSimulation(
  config: Config,
  options: { dataDir: string; clock: Clock; log: Log },
): Promise<Simulation> {
  const connections = realConnections(config);
  const { deviceCheck, fal, pika, runway } = config.settings.simulated;
  if (!deviceCheck && !fal && !pika && !runway) return { connections, names: [], close: async () => {} };
  const { createWorld } = await import('../../sim/world.ts');
  const world = await createWorld(options);
  const simulated = new Set<ProviderName>();
  const access = { ...world.fal.credentials, queueUrl: world.fal.queueUrl, restUrl: world.fal.restUrl };
  if (fal) {
    connections.fal = { ...access, fetch: world.fetch };
    simulated.add('fal');
  }
  if (pika) {
    connections.pika = { ...access, fetch: world.fetch };
    simulated.add('pika');
  }
  if (runway) {
    connections.runway = { ...world.runway.credentials, baseUrl: world.runway.baseUrl, fetch: world.fetch };
    simulated.add('runway');
  }
  if (deviceCheck) {
    const { privateKeyPem: privateKey, ...names } = world.deviceCheck.credentials;
    const { baseUrl } = world.deviceCheck;
    connections.deviceCheck = { key: { ...names, privateKey }, baseUrl, fetch: world.fetch };
  }
  return {
    connections: { ...connections, simulated, simulatedFetch: world.fetch },
    names: [...(deviceCheck ? ['DeviceCheck'] : []), ...[...simulated].map((name) => NAMES[name] ?? name)],
    close: () => world.close(),
  };
}
