import type { Clock } from '../src/kernel/clock.ts';
import type { Log } from '../src/kernel/log.ts';
import { createDeviceCheckSimulator, type DeviceCheckSimulator } from './device-check.ts';
import { inProcessFetch } from './in-process-fetch.ts';

/** The vendors as this machine plays them. */
export type World = {
  /** Reaches the simulated hosts inside this process; any other host is an error. */
  fetch: typeof fetch;
  deviceCheck: DeviceCheckSimulator;
  /** Lets go of whoever a simulator keeps waiting. */
  close(): Promise<void>;
};

/** Builds the world of simulators; what it must remember is kept in `dataDir`. */
export async function createWorld(options: { dataDir: string; clock: Clock; log: Log }): Promise<World> {
  const deviceCheck = await createDeviceCheckSimulator(options);
  const simulators = [deviceCheck];
  const hosts = simulators.flatMap(({ hosts, app }) => hosts.map((host) => [host, app] as const));
  return {
    fetch: inProcessFetch(new Map(hosts)),
    deviceCheck,
    async close() {
      await Promise.all(simulators.map((simulator) => simulator.close()));
    },
  };
}
