/** The shapes on the wire, as the OpenAPI document has them. */
import type { components, paths } from './openapi.ts';

type Schemas = components['schemas'];

export type Model = Schemas['Model'];
/** One setting of a model: JSON Schema. */
export type Setting = Schemas['Setting'];
/** One video job, as `get-video-status` tells it. */
export type Job = Schemas['VideoJob'];
export type JobStatus = Job['status'];
/** A video job in a list: without its progress and the reason of a failure. */
export type JobSummary = Schemas['VideoJobs']['jobs'][number];
export type JobPage = Schemas['VideoJobs'];
export type Transaction = Schemas['Transactions']['transactions'][number];
export type TransactionPage = Schemas['Transactions'];
export type Profile = Schemas['Profile'];
export type Session = Schemas['Session'];
export type Onboarded = Schemas['Onboarded'];
export type GenerationStarted = Schemas['GenerationStarted'];
export type Cancelled = Schemas['Cancelled'];

type BodyOf<Operation> = Operation extends { requestBody: { content: { 'application/json': infer Body } } }
  ? Body
  : never;
type QueryOf<Operation> = Operation extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never;

/** What to pay for. Settings that are left out take the model's defaults. */
export type GenerateRequest = Omit<BodyOf<paths['/functions/v1/generate-video']['post']>, 'user_id'>;
export type ProfileChange = Omit<BodyOf<paths['/functions/v1/update-user-profile']['post']>, 'user_id'>;
export type JobsQuery = Omit<QueryOf<paths['/functions/v1/get-video-jobs']['get']>, 'user_id'>;
export type HistoryQuery = Omit<QueryOf<paths['/functions/v1/get-credit-history']['get']>, 'user_id'>;
/** What onboarding sends: who this installation is, and Apple's proof that it is a device. */
export type Device = BodyOf<paths['/functions/v1/device-check']['post']>;

type Message = Schemas['JobEvent'];
type EventOf<Each> = Each extends { event: infer Type; data: infer Data }
  ? { type: Type; id: string | null } & Data
  : never;

/**
 * What happened to one's videos and credits. `id` is its place in the stream; null for what was learnt by asking, and for
 * how things stood when the stream began.
 */
export type JobEvent = EventOf<Message>;
