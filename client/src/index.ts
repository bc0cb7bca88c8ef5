/// <reference lib="es2018" preserve="true" />

export type { AppleProof } from './account/apple.ts';
export type { SignOutScope } from './account/leave.ts';
export type { CheckoutOptions, PurchaseProof, ReportOptions } from './account/purchases.ts';
export { createClient } from './client.ts';
export type { FeedState, Listener } from './events/listeners.ts';
export type { FollowOptions } from './generate/follow.ts';
export type { Unanswered } from './generate/idempotency-keys.ts';
export type { Retry, SubmitOptions } from './generate/submit.ts';
export { ConnectionError, GenerationError, PurchaseError, RendioError, SignedOutError } from './http/errors.ts';
export type { Progress } from './http/progress.ts';
export type { ClientOptions } from './options.ts';
export type { GenerateOptions, RendioClient, Welcome } from './rendio-client.ts';
export { memoryStorage, type Storage } from './session/persistent-store.ts';
export type { SessionChange } from './session/session-changes.ts';
export type {
  AuthUser,
  Cancelled,
  CreditedPurchase,
  Device,
  ExportedAccount,
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
  Product,
  Profile,
  ProfileChange,
  PushEnvironment,
  Redeemed,
  Session,
  SessionInfo,
  Setting,
  Transaction,
  TransactionPage,
} from './types.ts';
export type { ImageInput } from './uploads/image.ts';
export type { GenerateInput, PutOptions, Uploaded, Uploads } from './uploads/uploads.ts';
