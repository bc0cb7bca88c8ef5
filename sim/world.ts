import type { Clock } from '../src/kernel/clock.ts';
import type { Log } from '../src/kernel/log.ts';
import { createDeviceCheckSimulator, type DeviceCheckSimulator } from './device-check.ts';
import { createFalSimulator, type FalSimulator } from './fal.ts';
import { inProcessFetch } from './in-process-fetch.ts';
import { createRunwaySimulator, type RunwaySimulator } from './runway.ts';

/** The vendors as this machine plays them. */
export type World = {
  /** Reaches the simulated hosts inside this process; any other host is an error. */
  fetch: typeof fetch;
  deviceCheck: DeviceCheckSimulator;
  fal: FalSimulator;
  runway: RunwaySimulator;
  /** Lets go of whoever a simulator keeps waiting. */
  close(): Promise<void>;
};

export type WorldOptions = {
  /** What the simulators must remember is kept here. */
  dataDir: string;
  clock: Clock;
  log: Log;
  /** How a vendor's webhooks leave the world; the network unless said. */
  deliver?: typeof fetch;
};

/** Builds the world of simulators. */
export async function createWorld({ deliver = fetch, ...options }: WorldOptions): Promise<World> {
  const deviceCheck = await createDeviceCheckSimulator(options);
  const fal = await createFalSimulator({ ...options, deliver });
  const runway = await createRunwaySimulator(options);
  const simulators = [deviceCheck, fal, runway];
  const hosts = simulators.flatMap(({ hosts, app }) => hosts.map((host) => [host, app] as const));
  return {
    fetch: inProcessFetch(new Map(hosts)),
    deviceCheck,
    fal,
    runway,
    async close() {
      await Promise.all(simulators.map((simulator) => simulator.close()));
    },
  };
}
