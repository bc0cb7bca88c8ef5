import type { AppleProof } from './account/apple.ts';
import type { SignOutScope } from './account/leave.ts';
import type { CheckoutOptions, PurchaseProof, ReportOptions } from './account/purchases.ts';
import type { Listener } from './events/listeners.ts';
import type { FollowOptions } from './generate/follow.ts';
import type { Unanswered } from './generate/idempotency-keys.ts';
import type { SubmitOptions } from './generate/submit.ts';
import type { SessionChange } from './session/session-changes.ts';
import type {
  AuthUser,
  Cancelled,
  CreditedPurchase,
  GenerationStarted,
  HistoryQuery,
  Job,
  JobEvent,
  JobPage,
  JobsQuery,
  Model,
  Onboarded,
  Product,
  Profile,
  ProfileChange,
  PushEnvironment,
  Redeemed,
  Session,
  SessionInfo,
  TransactionPage,
} from './types.ts';
import type { GenerateInput, Uploads } from './uploads/uploads.ts';

export type Abortable = { signal?: AbortSignal };
export type Welcome = Pick<Onboarded, 'user_id' | 'credits_remaining' | 'is_new'>;
export type GenerateOptions = SubmitOptions & FollowOptions;

/**
 * One account on one server. Every call except `models`, `signInWithApple`, `signOut` and `deleteAccount` onboards on first use.
 * Calls renew the session when necessary, and are repeated once when the server rejects their token. They throw RendioError when
 * the server refuses, ConnectionError when there is no answer, and the signal's reason when aborted. Once the user has signed out
 * or deleted the account, or the server has ended a session that the device cannot open again, they throw SignedOutError until
 * `onboard`, `signInWithApple` or `useSession`.
 */
export type RendioClient = {
  /** Opens the device's account and returns it. With `again`, onboards despite a session: DeviceCheck sees a new token. */
  onboard(options?: Abortable & { again?: boolean }): Promise<Welcome>;
  /** The account of the stored session; null before the first call. */
  accountId(): Promise<string | null>;
  /** Uses a session that was opened by other means. */
  useSession(session: Session): Promise<void>;
  /** Deletes the stored session, device id and open idempotency keys: the next call onboards a new guest. */
  forget(): Promise<void>;
  /**
   * Calls the listener when the account changes, by this client, another client of its storage or another tab. Returns a function
   * that unsubscribes. Opens no stream.
   */
  onSessionChange(listener: (change: SessionChange) => void): () => void;

  /**
   * Keeps the guest's account with Sign in with Apple, and returns the surviving account. If the Apple user has none yet, the
   * guest's account becomes theirs; otherwise credits, videos, running jobs and uploads move to it. The client then uses the
   * survivor's session, also in other tabs; submits, `follow` and events that are under way continue. Retried when no answer
   * comes. Throws ERR_4005 (401: the token proves nothing, or was used for another guest), ERR_4008 (409: the caller's account
   * belongs to another Apple user), ERR_4013 (403: banned), ERR_4017 (501: no Apple app is configured) and ERR_5006 (503: Apple
   * gives no answer; the proof stays usable).
   */
  mergeGuest(proof: AppleProof, options?: Abortable): Promise<Profile>;
  /**
   * Opens the Apple user's account on this device, and makes one if there is none. Replaces the current session: use it where
   * there is no guest to keep. With `authorizationCode` the server also gets Apple's code, by a second call that may fail without
   * consequence for the sign-in. Throws with code `invalid request` (400: the token proves nothing), `user_banned` (403),
   * `provider_disabled` (501) and `unexpected_failure` (503: Apple gives no answer).
   */
  signInWithApple(proof: AppleProof, options?: Abortable): Promise<AuthUser>;
  /** The account's open sessions, the one that was used last first. */
  sessions(options?: Abortable): Promise<SessionInfo[]>;
  /** Ends a session at once, on whatever device it is. Safe to repeat. Throws ERR_4007 for an id that is not the account's. */
  revokeSession(sessionId: string, options?: Abortable): Promise<void>;
  /**
   * Ends sessions at once: this device's (`local`, the default), all others' (`others`), or all (`global`). Except with `others`
   * the stored session is removed in any case; if the server gave no answer, the error is thrown afterwards, and the sessions on
   * the server are still open. A guest's account opens again with `onboard` on the same device.
   */
  signOut(options?: Abortable & { scope?: SignOutScope }): Promise<void>;
  /**
   * Everything that the account has, as one JSON document (`ExportedAccount`) in the response's body, which is not read yet: save
   * it as a stream, or read it with `blob()` or `json()`. A document that is not complete JSON was cut off.
   */
  exportAccount(options?: Abortable): Promise<Response>;
  /**
   * Deletes the account for good, with its videos and remaining credits, and removes the stored session and open idempotency
   * keys. Retried when no answer comes. Throws SignedOutError when there is no session.
   */
  deleteAccount(options?: Abortable): Promise<void>;

  /** The available models, featured first. Needs no account. */
  models(options?: Abortable): Promise<Model[]>;
  /** The balance. */
  credits(options?: Abortable): Promise<number>;
  /** Every change of the balance, newest first. */
  creditHistory(options?: HistoryQuery & Abortable): Promise<TransactionPage>;
  /**
   * The products on sale, the smallest first. The App Store has their prices; `web_price` is the one in the server's web shop, if
   * it has one and sells the product there.
   */
  products(options?: Abortable): Promise<Product[]>;
  /**
   * Has an App Store purchase credited, once. Resolves also if it was credited before, with `credits_added` 0. Retried while there
   * is no verdict, for `patienceMs`. Throws PurchaseError, whose `mayFinish` says whether the app may finish the transaction in
   * StoreKit, as it may when this resolves. After any other error it may not.
   */
  reportPurchase(proof: PurchaseProof, options?: ReportOptions): Promise<CreditedPurchase>;
  /**
   * Adds the credits of a code; case, spaces and dashes do not matter. The same code again adds 0. Retried when no answer comes.
   * Throws ERR_4018 (unknown, expired or used up), ERR_4006 (cannot be a code) and ERR_4004 (too many wrong codes).
   */
  redeem(code: string, options?: Abortable): Promise<Redeemed>;
  /**
   * Opens a checkout of the web shop and returns the URL at which the user pays. The credits arrive as an event. Throws ERR_4017
   * (501) where there is no web shop.
   */
  checkout(productId: string, options?: CheckoutOptions): Promise<string>;
  profile(options?: Abortable): Promise<Profile>;
  updateProfile(change: ProfileChange, options?: Abortable): Promise<Profile>;
  /**
   * Registers this device for pushes about the account's videos, with the token that iOS gave the app, in hexadecimal. Call it at each
   * start of the app and after each sign-in: a device gets the pushes of the account that registered it last. Retried when no answer
   * comes. Throws ERR_4017 (501) where the server sends no pushes.
   */
  registerPushToken(token: string, environment: PushEnvironment, options?: Abortable): Promise<void>;
  /** Ends the pushes to this device, as signing out does. Safe to repeat; throws as `registerPushToken`. */
  unregisterPushToken(token: string, environment: PushEnvironment, options?: Abortable): Promise<void>;
  job(jobId: string, options?: Abortable): Promise<Job>;
  /** The account's jobs, newest first. */
  jobs(options?: JobsQuery & Abortable): Promise<JobPage>;
  /** Cancels a job and refunds its credits. Retried when no answer comes. ERR_4008 when the job has ended. */
  cancel(jobId: string, options?: Abortable): Promise<Cancelled>;
  /** Deletes a job that has ended. Retried when no answer comes. */
  delete(jobId: string, options?: Abortable): Promise<{ success: true }>;

  /** The account's images on the server, for image-to-video models. */
  uploads: Uploads;

  /**
   * Pays for one video once, and resolves when the server has accepted it. The idempotency key is stored before the first
   * attempt and kept until the answer is definitive; until then the client retries with it. An `image` is uploaded first.
   */
  submit(request: GenerateInput, options?: SubmitOptions): Promise<GenerationStarted>;
  /** The account's latest request that never got an answer, not older than `withinMs` (10 minutes). */
  unanswered(options?: { withinMs?: number }): Promise<Unanswered | null>;
  /** Pays for one video and resolves with the completed job. Throws GenerationError when the job failed. */
  generate(request: GenerateInput, options?: GenerateOptions): Promise<Job>;
  /** Waits for a job that exists, in the same way. */
  follow(jobId: string, options?: FollowOptions): Promise<Job>;

  /**
   * Changes of the account's videos and credits, each once and in order, across disconnections. Begins with the videos that
   * are running, or after `lastEventId`. Ends when the signal aborts.
   */
  events(options?: Abortable & { lastEventId?: string }): AsyncGenerator<JobEvent, void, undefined>;
  /** The same as callbacks, with the state of the connection. Returns a function that unsubscribes. */
  subscribe(listener: Listener): () => void;
};
