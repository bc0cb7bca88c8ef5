import type { Hono } from 'hono';
import type { Clock } from '../src/kernel/clock.ts';
import type { Log } from '../src/kernel/log.ts';
import type { SimulatorEnv } from './drop-connection.ts';

/** What the server has to know of a provider's simulator to call it instead of the provider. */
export type ProviderSimulator = {
  /** By the names that the provider's manifest gives to its credentials and URLs. The URLs are the vendor's own. */
  credentials: Record<string, string>;
  urls: Record<string, string>;
  /** The hosts that `app` answers for. */
  hosts: string[];
  app: Hono<SimulatorEnv>;
  close(): Promise<void>;
};

export type SimulatorOptions = {
  /** What the simulator must remember is kept here. */
  dataDir: string;
  clock: Clock;
  log: Log;
  /** Sends the vendor's webhooks. */
  deliver: typeof fetch;
};

export type CreateProviderSimulator = (options: SimulatorOptions) => Promise<ProviderSimulator>;
