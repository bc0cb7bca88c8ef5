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
 * One account on one server. Every call but `models` onboards by itself on first use, renews the session when it has to,
 * and is made once more where its token was refused. All throw RendioError for a refusal, ConnectionError for silence,
 * and the signal's reason.
 */
export type RendioClient = {
  /** Lets this device in; says who it is. With `again` also where there is a session, to show DeviceCheck a new token. */
  onboard(options?: Abortable & { again?: boolean }): Promise<Welcome>;
  /** Whose session is stored; null before the first call. */
  accountId(): Promise<string | null>;
  /** Takes a session that was opened by other means. */
  useSession(session: Session): Promise<void>;
  /** Forgets session, device and open keys: the next call is a new guest's. */
  forget(): Promise<void>;

  /** What can be made, featured first. Needs no account. */
  models(options?: Abortable): Promise<Model[]>;
  /** The balance. */
  credits(options?: Abortable): Promise<number>;
  /** Where the credits went, newest first. */
  creditHistory(options?: HistoryQuery & Abortable): Promise<TransactionPage>;
  profile(options?: Abortable): Promise<Profile>;
  updateProfile(change: ProfileChange, options?: Abortable): Promise<Profile>;
  job(jobId: string, options?: Abortable): Promise<Job>;
  /** The account's jobs, newest first. */
  jobs(options?: JobsQuery & Abortable): Promise<JobPage>;
  /** Stops a job and has its credits back; repeated until there is an answer. ERR_4008 when it has ended. */
  cancel(jobId: string, options?: Abortable): Promise<Cancelled>;
  /** Takes a finished job out of sight; repeated until there is an answer. */
  delete(jobId: string, options?: Abortable): Promise<{ success: true }>;

  /** Pictures of one's own on the server, for the models that animate one. */
  uploads: Uploads;

  /**
   * Pays for one video once, and resolves when it is on its way. The key is stored before the first try and kept until an
   * answer is definitive; without one the client tries again under the same key. A picture in `image` is uploaded first.
   */
  submit(request: GenerateInput, options?: SubmitOptions): Promise<GenerationStarted>;
  /** The account's latest request that never had an answer, not older than `withinMs` (10 minutes). */
  unanswered(options?: { withinMs?: number }): Promise<Unanswered | null>;
  /** Pays for one video and resolves with the job when it plays. Throws GenerationError when it failed. */
  generate(request: GenerateInput, options?: GenerateOptions): Promise<Job>;
  /** The same for a job that exists. */
  follow(jobId: string, options?: FollowOptions): Promise<Job>;

  /**
   * What happens to the account's videos and credits, each once and in order, over all interruptions; begins with the
   * videos that are under way, or after `lastEventId`. Ends with the signal.
   */
  events(options?: Abortable & { lastEventId?: string }): AsyncGenerator<JobEvent, void, undefined>;
  /** The same for callbacks, and how the connection is. Returns what ends it. */
  subscribe(listener: Listener): () => void;
};
