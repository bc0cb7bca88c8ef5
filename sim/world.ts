import { type ApnsOptions, type ApnsSimulator, createApnsSimulator } from './apns.ts';
import { type AppStoreOptions, type AppStoreSimulator, createAppStoreSimulator } from './app-store.ts';
import { type AppleIdOptions, type AppleIdSimulator, createAppleIdSimulator } from './apple-id.ts';
import { createDeviceCheckSimulator, type DeviceCheckSimulator } from './device-check.ts';
import { createFalSimulator, type FalSimulator } from './fal.ts';
import { inProcessFetch } from './in-process-fetch.ts';
import type { CreateProviderSimulator, ProviderSimulator, SimulatorOptions } from './provider-simulator.ts';
import { createRunwaySimulator, type RunwaySimulator } from './runway.ts';

/** The simulated vendors of this machine. */
export type World = {
  /** Reaches the simulated hosts inside this process; any other host is an error. */
  fetch: typeof fetch;
  deviceCheck: DeviceCheckSimulator;
  appleId: AppleIdSimulator;
  appStore: AppStoreSimulator;
  /** Null unless it was asked for: it listens on a port, because HTTP/2 has no requests within a process. */
  apns: ApnsSimulator | null;
  fal: FalSimulator;
  runway: RunwaySimulator;
  /** All providers' simulators, by the names that the manifests use. */
  providers: Readonly<Record<string, ProviderSimulator>>;
  /** Closes the connections that a fault keeps waiting, and ends the simulators. */
  close(): Promise<void>;
};

export type WorldOptions = Omit<SimulatorOptions, 'deliver'> & {
  /** Sends the vendors' webhooks; over the network unless given. */
  deliver?: typeof fetch;
  appleId?: AppleIdOptions;
  appStore?: AppStoreOptions;
  /** Absent: there is no push service. */
  apns?: Pick<ApnsOptions, 'bundleId' | 'opensPort'> | undefined;
  /** More simulators, by the names that the manifests use. */
  simulators?: Readonly<Record<string, CreateProviderSimulator>>;
};

/** Creates all simulators. */
export async function createWorld(worldOptions: WorldOptions): Promise<World> {
  const {
    deliver = fetch,
    simulators = {},
    appleId: appleIdOptions,
    appStore: appStoreOptions,
    apns: apnsOptions,
    ...rest
  } = worldOptions;
  const options = { ...rest, deliver };
  const deviceCheck = await createDeviceCheckSimulator(options);
  const appleId = await createAppleIdSimulator({ ...options, ...appleIdOptions });
  const appStore = await createAppStoreSimulator({ ...options, ...appStoreOptions });
  const apns = apnsOptions ? await createApnsSimulator({ ...options, ...apnsOptions }) : null;
  const fal = await createFalSimulator(options);
  const runway = await createRunwaySimulator(options);
  const providers: Record<string, ProviderSimulator> = { fal, runway };
  for (const [name, create] of Object.entries(simulators)) providers[name] = await create(options);
  const oneApp = [deviceCheck, appleId, ...Object.values(providers)];
  const hosts = oneApp.flatMap(({ hosts, app }) => hosts.map((host) => [host, app] as const));
  return {
    fetch: inProcessFetch(new Map([...hosts, ...appStore.apps])),
    ...{ deviceCheck, appleId, appStore, apns, fal, runway, providers },
    async close() {
      await Promise.all([...oneApp, appStore, apns].map((simulator) => simulator?.close()));
    },
  };
}
