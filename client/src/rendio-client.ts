import type { Listener } from './events/listeners.ts';
import type { FollowOptions } from './generate/follow.ts';
import type { Unanswered } from './generate/idempotency-keys.ts';
import type { SubmitOptions } from './generate/submit.ts';
import type {
  Cancelled,
  GenerationStarted,
  HistoryQuery,
  Job,
  JobEvent,
  JobPage,
  JobsQuery,
  Model,
  Onboarded,
  Profile,
  ProfileChange,
  Session,
  TransactionPage,
} from './types.ts';
import type { GenerateInput, Uploads } from './uploads/uploads.ts';

export type Abortable = { signal?: AbortSignal };
export type Welcome = Pick<Onboarded, 'user_id' | 'credits_remaining' | 'is_new'>;
export type GenerateOptions = SubmitOptions & FollowOptions;

/**
 * One account on one server. Every call except `models` onboards on first use, renews the session when necessary, and
 * is repeated once when the server rejects its token. All calls throw RendioError when the server refuses, ConnectionError
 * when there is no answer, and the signal's reason when aborted.
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

  /** The available models, featured first. Needs no account. */
  models(options?: Abortable): Promise<Model[]>;
  /** The balance. */
  credits(options?: Abortable): Promise<number>;
  /** Every change of the balance, newest first. */
  creditHistory(options?: HistoryQuery & Abortable): Promise<TransactionPage>;
  profile(options?: Abortable): Promise<Profile>;
  updateProfile(change: ProfileChange, options?: Abortable): Promise<Profile>;
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
