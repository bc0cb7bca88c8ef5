/** The types of requests and responses, taken from the OpenAPI document. */
import type { components, paths } from './openapi.ts';

type Schemas = components['schemas'];

export type Model = Schemas['Model'];
/** One setting of a model, as JSON Schema. */
export type Setting = Schemas['Setting'];
/** One video job, as `get-video-status` returns it. */
export type Job = Schemas['VideoJob'];
export type JobStatus = Job['status'];
/** A video job in a list: without its progress and without the sentence about a failure. */
export type JobSummary = Schemas['VideoJobs']['jobs'][number];
export type JobPage = Schemas['VideoJobs'];
export type Transaction = Schemas['Transactions']['transactions'][number];
export type TransactionPage = Schemas['Transactions'];
/** What can be bought. */
export type Product = Schemas['Products']['products'][number];
export type CreditedPurchase = Schemas['CreditedPurchase'];
export type Redeemed = Schemas['Redeemed'];
export type Checkout = Schemas['Checkout'];
export type Profile = Schemas['Profile'];
export type Session = Schemas['Session'];
export type Onboarded = Schemas['Onboarded'];
export type GenerationStarted = Schemas['GenerationStarted'];
export type Cancelled = Schemas['Cancelled'];
export type Merged = Schemas['MergedGuest'];
/** The account as Supabase's auth clients see it. */
export type AuthUser = Schemas['User'];
/** Where the account is signed in. */
export type SessionInfo = Schemas['Sessions']['sessions'][number];
/** The document of `exportAccount`. */
export type ExportedAccount = Schemas['ExportedAccount'];

type BodyOf<Operation> = Operation extends { requestBody: { content: { 'application/json': infer Body } } }
  ? Body
  : never;
type QueryOf<Operation> = Operation extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never;

/** The video to make. Settings that are left out take the model's defaults. */
export type GenerateRequest = Omit<BodyOf<paths['/functions/v1/generate-video']['post']>, 'user_id'>;
export type ProfileChange = Omit<BodyOf<paths['/functions/v1/update-user-profile']['post']>, 'user_id'>;
export type JobsQuery = Omit<QueryOf<paths['/functions/v1/get-video-jobs']['get']>, 'user_id'>;
export type HistoryQuery = Omit<QueryOf<paths['/functions/v1/get-credit-history']['get']>, 'user_id'>;
/** Where Apple knows a device's token: `sandbox` for builds that Xcode runs. */
export type PushEnvironment = BodyOf<paths['/functions/v1/register-push-token']['post']>['environment'];
/** What onboarding sends: the id of this installation, and Apple's proof that it runs on a real device. */
export type Device = BodyOf<paths['/functions/v1/device-check']['post']>;

type EventOf<Each> = Each extends { event: infer Type; data: infer Data }
  ? { type: Type; id: string | null } & Data
  : never;

/**
 * A change of the account's videos or credits. `id` is its position in the stream; null for events that polling found, and
 * for the snapshot with which a stream begins.
 */
export type JobEvent = EventOf<Schemas['JobEvent']>;
