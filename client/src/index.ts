export { createClient } from './client.ts';
export { ConnectionError, GenerationError, RendioError } from './errors.ts';
export type { FeedState, Listener } from './feed.ts';
export type { FollowOptions } from './follow.ts';
export type { ClientOptions } from './options.ts';
export type { Unanswered } from './pending.ts';
export type { Picture } from './picture.ts';
export type { Progress } from './progress.ts';
export type { GenerateOptions, RendioClient, Welcome } from './rendio-client.ts';
export { memoryStorage, type Storage } from './storage.ts';
export type { Retry, SubmitOptions } from './submit.ts';
export type {
  Cancelled,
  Device,
  GenerateRequest,
  GenerationStarted,
  HistoryQuery,
  Job,
  JobEvent,
  JobPage,
  JobStatus,
  JobSummary,
  JobsQuery,
  Model,
  Onboarded,
  Profile,
  ProfileChange,
  Session,
  Setting,
  Transaction,
  TransactionPage,
} from './types.ts';
export type { GenerateInput, PutOptions, Uploaded, Uploads } from './uploads.ts';
