/** What the verbs of every feature are given. Built once in `app/context.ts`; ports only, no concrete gateway. */

import type { DeviceCheck } from '../apple/device-check.ts';
import type { Database } from '../db/database.ts';
import type { Lease } from '../db/lease.ts';
import type { Listener } from '../db/listen.ts';
import type { Bulkhead } from '../kernel/bulkhead.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { MediaFetcher } from '../media/fetch-media.ts';
import type { MediaProbe } from '../media/probe.ts';
import type { MediaStore } from '../media/store.ts';
import type { ProviderName, VideoProvider, WebhookDelivery } from '../providers/provider.ts';

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

/** How somebody signed in, and when (unix seconds). */
export type AuthMethod = { method: 'anonymous' | 'oauth' | 'device'; timestamp: number };

export type TokenSubject = {
  userId: string;
  sessionId: string;
  isAnonymous: boolean;
  amr: AuthMethod[];
  email?: string | null;
  appMetadata?: Record<string, unknown>;
  userMetadata?: Record<string, unknown>;
};

/** `expiresIn` in seconds, `expiresAt` in unix seconds. */
export type AccessToken = { accessToken: string; expiresIn: number; expiresAt: number };
/** `expiresAt` in unix seconds. */
export type TokenClaims = { userId: string; sessionId: string | null; isAnonymous: boolean; expiresAt: number };

export type Tokens = {
  sign(subject: TokenSubject): Promise<AccessToken>;
  /** Throws ERR_4005 (401) for whatever this server did not sign, or signed too long ago. */
  verify(token: string): Promise<TokenClaims>;
  /** The public keys as `/.well-known/jwks.json` shows them, today's first. */
  jwks(): { keys: object[] };
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
  /** Those that this process plays itself: nobody outside is called, and their films show no prompt. */
  simulated: ReadonlySet<ProviderName>;
  /** The base URL at which a provider can reach this server, without a slash at the end; null where it cannot. */
  callbackUrl(provider: Pick<VideoProvider, 'name'>): string | null;
  /** Whether an event in the generic form was sent by who knows our secret; null where none is set. */
  verifySignedWebhook: ((delivery: WebhookDelivery) => Promise<boolean>) | null;
  /** Limits how many of the worker's slots one vendor can use. */
  bulkhead: Bulkhead;
  media: MediaStore;
  /** Brings the provider's finished files here from its hosts. */
  mediaFetcherFor(provider: Pick<VideoProvider, 'name'>): MediaFetcher;
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
