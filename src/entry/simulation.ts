import type { Config } from '../app/config.ts';
import type { TeamKey } from '../apple/team-token.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';

export type Simulation = {
  /** What the banner says is played inside this process. */
  names: string[];
  deviceCheckKey: TeamKey | undefined;
  appleFetch: typeof fetch;
  close(): Promise<void>;
};

/** Stands simulators in for the vendors without keys, in development alone; elsewhere their code is not even loaded. */
export async function startSimulation(
  { settings, secrets }: Config,
  options: { dataDir: string; clock: Clock; log: Log },
): Promise<Simulation> {
  if (!settings.simulated.deviceCheck) {
    const key = secrets.deviceCheck;
    return {
      names: [],
      deviceCheckKey: key && { teamId: key.teamId, keyId: key.keyId, privateKey: key.privateKey.reveal() },
      appleFetch: fetch,
      close: async () => {},
    };
  }
  const { createWorld } = await import('../../sim/world.ts');
  const world = await createWorld(options);
  const { teamId, keyId, privateKeyPem } = world.deviceCheck.credentials;
  return {
    names: ['DeviceCheck'],
    deviceCheckKey: { teamId, keyId, privateKey: privateKeyPem },
    appleFetch: world.fetch,
    close: () => world.close(),
  };
}
