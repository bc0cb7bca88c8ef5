/** The dependencies of all features. Built once in `app/context.ts`; ports only, no concrete gateway. */

import type { AlertReceiver } from '../alerts/port.ts';
import type { RaiseAlert } from '../alerts/raise-alert.ts';
import type { AppStore } from '../apple/app-store/port.ts';
import type { DeviceCheck } from '../apple/device-check.ts';
import type { AppleIdentity } from '../apple/identity-token.ts';
import type { AppleSignIn } from '../apple/sign-in.ts';
import type { Database } from '../db/database.ts';
import type { Lease } from '../db/lease.ts';
import type { Listener } from '../db/listen.ts';
import type { Bulkhead } from '../kernel/bulkhead.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ErrorLog } from '../kernel/error-log.ts';
import type { Log } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import type { ReadOverload } from '../kernel/overload.ts';
import type { Sealer } from '../kernel/sealer.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { MediaFetcher } from '../media/fetch-media.ts';
import type { ImageCheck } from '../media/image-check.ts';
import type { MediaProbe } from '../media/probe.ts';
import type { MediaStore } from '../media/store.ts';
import type { PromptPolicy } from '../moderation/port.ts';
import type { Payments } from '../payments/port.ts';
import type { ProviderName, VideoProvider, WebhookDelivery } from '../providers/provider.ts';
import type { PushService } from '../push/port.ts';
import type { WebhookReceiver } from '../webhooks/port.ts';

/** Settings of the operator; see `.env.example`. */
export type Policy = {
  initialGrantCredits: number;
  deviceCheckFallback: 'no_grant' | 'deny';
  generationDeadlineSeconds: number;
  /** Whether a purchase that cost nothing, in the App Store's sandbox, gives credits. */
  sandboxPurchases: 'grant' | 'refuse';
  /** Whether Apple may be told how much of a purchase was used. */
  consumptionConsent: boolean;
  /** What Apple is told to prefer when a refund is asked for; null: nothing. */
  refundPreference: 'DECLINE' | 'GRANT_FULL' | 'GRANT_PRORATED' | null;
  /** How long rows of error_log are kept. */
  errorLogDays: number;
  /** In days; null: for ever. */
  retention: { videoDays: number | null; jobArchiveDays: number | null };
  limits: {
    generationsPerHour: number;
    generationsPerHourPerIp: number;
    generationsInFlight: number;
    refundedCancelsPerHour: number;
    codeGuessesPerHour: number;
    codeGuessesPerHourPerIp: number;
    /** What an account may spend in 24 hours; null: any amount. */
    dailySpendCapCredits: number | null;
    onboardingPerHour: number;
    authPer5Minutes: number;
    purchasesPerHour: number;
    reportsPerHour: number;
    callsPerMinute: number;
  };
};

/** Signs and verifies the tokens of signed media URLs. */
export type MediaSigner = {
  sign(path: string, expiresInSeconds?: number): Promise<string>;
  verify(path: string, token: string): Promise<'ok' | 'expired' | 'bad'>;
};

/** How and when (unix seconds) the user signed in. */
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
  /** Throws ERR_4005 (401) for a token that this server did not sign, or that has expired. */
  verify(token: string): Promise<TokenClaims>;
  /** The public keys in the format of `/.well-known/jwks.json`, the current key first. */
  jwks(): { keys: object[] };
};

/** `adminUserId`: the row of `administrators`. */
export type AdminClaims = { adminUserId: string; sessionId: string };

/** The access tokens of administrators, of an audience of their own. */
export type AdminTokens = {
  sign(claims: AdminClaims, expiresAt: Date): Promise<string>;
  /** The claims of a token that this server signed for an administrator; otherwise why there are none. */
  verify(token: string): Promise<AdminClaims | 'expired' | 'invalid'>;
};

export type DiskSpace = { freeBytes: number; totalBytes: number };

/** In Prometheus' text format. */
export type ExportedMetrics = { contentType: string; text: string };

export type Context = {
  db: Database;
  clock: Clock;
  log: Log;
  /** Remembers failed requests, in the background. */
  errorLog: ErrorLog;
  /** What this process has too much work for. */
  readOverload: ReadOverload;
  metrics: Metrics;
  tracer: Tracer;
  /** What this process shows to Prometheus, in bounded time; null where the runtime cannot. Never throws. */
  exportMetrics: (() => Promise<ExportedMetrics>) | null;
  /** Who is told of alerts; by the worker alone. */
  alertReceivers: readonly AlertReceiver[];
  /** Tells operators of a cause, once an hour. Nobody waits for it, and it never throws. */
  raiseAlert: RaiseAlert;
  /** The space of the disk that this process writes to; null where the runtime cannot say it. */
  diskSpace: (() => Promise<DiskSpace>) | null;
  policy: Policy;
  tokens: Tokens;
  adminTokens: AdminTokens;
  /** Derives a session's refresh token from its nonce and the server's secret. */
  refreshTokenFor(nonce: Uint8Array): Promise<string>;
  randomBytes(bytes: number): Uint8Array;
  newUuid(): string;
  /** Null if no key for it is configured. */
  deviceCheck: DeviceCheck | null;
  /** Verifies the identity tokens of Sign in with Apple. Null if no app is configured. */
  appleIdentity: AppleIdentity | null;
  /** Exchanges and revokes what Apple gives for an account. Null without a key for it. */
  appleSignIn: AppleSignIn | null;
  /** Verifies purchases and asks about them. Null if no key for it is configured. */
  appStore: AppStore | null;
  /** Encrypts Apple's tokens in the database. */
  appleTokenSealer: Sealer;
  /** Lets one onboarding at a time read and write a device's bits at Apple, which has no compare-and-set. */
  deviceGrantLease: Lease;
  /** The web shop's store. Null without a key for it. */
  payments: Payments | null;
  /** Push notifications. Null without a key for them. */
  push: PushService | null;
  providers: ReadonlyMap<ProviderName, VideoProvider>;
  /** The providers that this process simulates: no vendor is called, and their videos do not show the prompt. */
  simulated: ReadonlySet<ProviderName>;
  /** The base URL at which a provider can reach this server, without a trailing slash; null if it cannot. */
  callbackUrl(provider: Pick<VideoProvider, 'name'>): string | null;
  /** Whether the sender of an event in the generic form knows the webhook secret; null if no secret is set. */
  verifySignedWebhook: ((delivery: WebhookDelivery) => Promise<boolean>) | null;
  /** The operator's own server, which is told of events, by the worker alone. Null if none is configured. */
  webhookReceiver: WebhookReceiver | null;
  /** Limits how many of the worker's slots one vendor can use. */
  bulkhead: Bulkhead;
  media: MediaStore;
  /** Downloads the provider's finished files from its hosts. */
  mediaFetcherFor(provider: Pick<VideoProvider, 'name'>): MediaFetcher;
  probe: MediaProbe;
  /** Judges prompts before anything is charged. */
  promptPolicy: PromptPolicy;
  /** Judges uploaded images. */
  imageCheck: ImageCheck;
  mediaSigner: MediaSigner;
  /** The newest migration that this code was written for. */
  latestMigration: string;
  /** A private folder for temporary files; emptied at start. */
  workDir: string;
  userEvents: Listener;
  /** Aborts when the process begins to shut down, so that work without an end of its own, such as event streams, ends. */
  stopping: AbortSignal;
};
