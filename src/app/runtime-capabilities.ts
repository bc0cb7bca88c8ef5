/** What the runtime of a process offers to the context: not every runtime has child processes and a persistent disk. */
import type pg from 'pg';
import type { CreateVerifier } from '../apple/app-store/signed-data.ts';
import type { Listener } from '../db/listen.ts';
import type { DiskSpace, ExportedMetrics } from '../features/context.ts';
import type { Figures } from '../features/maintenance/figures.ts';
import type { Log } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import type { Overload } from '../kernel/overload.ts';
import type { ImageCheck } from '../media/image-check.ts';
import type { MediaProbe } from '../media/probe.ts';
import type { ProviderAdapter } from '../providers/provider.ts';
import type { ApnsOptions } from '../push/apns/apns.ts';
import type { PushService } from '../push/port.ts';

export type RuntimeOptions = {
  /** Absolute. */
  dataDir: string;
  /** Unpooled, for LISTEN. */
  directUrl: string;
  log: Log;
};

export type ProcessMetricsOptions = {
  readFigures(): Promise<Figures>;
  /** The database's pool of this process. */
  pool: Pick<pg.Pool, 'totalCount' | 'idleCount' | 'waitingCount'>;
  diskSpace: RuntimeCapabilities['diskSpace'];
  log: Log;
  waitMs?: number;
};
export type ProcessMetrics = { metrics: Metrics; exportMetrics(): Promise<ExportedMetrics> };

export type RuntimeCapabilities = {
  /** A private folder for temporary files. */
  workDir: string;
  /** How many tasks a worker runs at a time. */
  concurrency: number;
  probe: MediaProbe;
  imageCheck: ImageCheck;
  /** Whether its HTTP client can be given the IP address to connect to. */
  pinsIps: boolean;
  /** The channel on which the database names the users whose events changed. */
  userEvents: Listener;
  /** Verifies what the App Store has signed. */
  createVerifier: CreateVerifier;
  /** What counts here, for Prometheus; null where no process stays up to be scraped. */
  createMetrics: ((options: ProcessMetricsOptions) => ProcessMetrics) | null;
  /** The space of the disk under the data folder; null where there is no such disk. */
  diskSpace: (() => Promise<DiskSpace>) | null;
  /** Measures what the process itself has too much work for; null where the runtime sees to it. */
  load: { readonly overload: Overload | null; stop(): void } | null;
  /** Sends pushes; null where no HTTP/2 connection can be kept, so that they are left to a worker elsewhere. */
  createPush: ((options: ApnsOptions) => PushService) | null;
  /** The adapter of the built-in provider, created only where that provider may be used. */
  createSandbox(): ProviderAdapter;
};

export type CreateRuntime = (options: RuntimeOptions) => Promise<RuntimeCapabilities>;

export const USER_EVENTS = 'user_events';
