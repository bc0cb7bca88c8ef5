/** What the verbs of every feature are given. Built once in `app/context.ts`; ports only, no concrete gateway. */

import type { DeviceCheck } from '../apple/device-check.ts';
import type { Database } from '../db/database.ts';
import type { Lease } from '../db/lease.ts';
import type { Listener } from '../db/listen.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Tokens } from '../kernel/tokens.ts';
import type { MediaFetcher } from '../media/fetch-media.ts';
import type { MediaProbe } from '../media/probe.ts';
import type { MediaStore } from '../media/store.ts';
import type { ProviderName, VideoProvider } from '../providers/provider.ts';

/** Numbers an operator may set; see the contract's environment table. */
export type Policy = {
  initialGrantCredits: number;
  deviceCheckFallback: 'no_grant' | 'deny';
  generationDeadlineSeconds: number;
  limits: {
    generationsPerHour: number;
    generationsPerHourPerAddress: number;
    generationsInFlight: number;
    onboardingPerHour: number;
    authPer5Minutes: number;
    callsPerMinute: number;
  };
};

/** Makes and checks the tokens of self-authorising media URLs. */
export type MediaSigner = {
  sign(path: string, expiresInSeconds?: number): Promise<string>;
  verify(path: string, token: string): Promise<'ok' | 'expired' | 'bad'>;
};

export type Context = {
  db: Database;
  clock: Clock;
  log: Log;
  policy: Policy;
  tokens: Tokens;
  /** Turns a session's nonce into its refresh token, with the server's secret. */
  refreshTokenFor(nonce: Uint8Array): Promise<string>;
  randomBytes(bytes: number): Uint8Array;
  /** Null where no key for it is configured. */
  deviceCheck: DeviceCheck | null;
  /** One onboarding at a time may read and write a device's bits at Apple, which knows no compare-and-set. */
  deviceGrantLease: Lease;
  providers: ReadonlyMap<ProviderName, VideoProvider>;
  media: MediaStore;
  /** Brings finished files here from the hosts of their providers. */
  mediaFetcher: MediaFetcher;
  probe: MediaProbe;
  mediaSigner: MediaSigner;
  /** The newest migration that this code was written for. */
  latestMigration: string;
  /** A private folder for files on their way; emptied at start. */
  workDir: string;
  userEvents: Listener;
  /** Aborts when the process begins to shut down: what would go on for ever ends then. */
  stopping: AbortSignal;
};
