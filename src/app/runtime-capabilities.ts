/** What the place a process runs in can offer to the context: not every one has child processes and a disk that stays. */
import type { Listener } from '../db/listen.ts';
import type { Log } from '../kernel/log.ts';
import type { MediaProbe } from '../media/probe.ts';
import type { ProviderAdapter } from '../providers/provider.ts';

export type RuntimeOptions = {
  /** Absolute. */
  dataDir: string;
  /** Unpooled, for LISTEN. */
  directUrl: string;
  log: Log;
};

export type RuntimeCapabilities = {
  /** A private folder for files on their way. */
  workDir: string;
  /** Tasks that a worker in it does at a time. */
  concurrency: number;
  probe: MediaProbe;
  /** Whether its HTTP client can be told which address to connect to. */
  pinsAddresses: boolean;
  /** The channel on which the database says whose events changed. */
  userEvents: Listener;
  /** The adapter of the built-in provider, created only where that provider may be used. */
  createSandbox(): ProviderAdapter;
};

export type CreateRuntime = (options: RuntimeOptions) => Promise<RuntimeCapabilities>;

export const USER_EVENTS = 'user_events';
