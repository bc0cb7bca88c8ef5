/** The answers of the API as the public contract defines them: their types, and their exact shapes. */
import {
  anyObject,
  flag,
  httpUrl,
  integer,
  listOf,
  nullable,
  oneOf,
  shape,
  someText,
  text,
  time,
  uuid,
} from './shape.ts';

export type Session = {
  access_token: string;
  token_type: string;
  expires_in: number;
  expires_at: number;
  refresh_token: string;
  user: { id: string; is_anonymous: boolean };
};
export type Onboarded = {
  user_id: string;
  credits_remaining: number;
  is_new: boolean;
  session: Session;
  access_token: string;
  refresh_token: string;
};
export type Profile = {
  id: string;
  device_id: string | null;
  apple_sub: string | null;
  is_guest: boolean;
  credits_remaining: number;
  credits_total: number;
  initial_grant_claimed: boolean;
  language: string;
  theme_preference: string;
  created_at: string;
  updated_at: string;
};
export type Transaction = {
  id: string;
  change: number;
  reason: string;
  balance_after: number;
  job_id: string | null;
  created_at: string;
};
export type History = { transactions: Transaction[]; next_cursor: string | null };
export type Model = {
  id: string;
  name: string;
  provider: string;
  is_simulated: boolean;
  is_featured: boolean;
  is_available: boolean;
  cost_per_generation: number;
  pricing: { credits: number; per_seconds: number | null };
  prompt_max: number;
  settings_schema: { properties: Record<string, object> };
};
export type Started = { job_id: string; status: string; credits_used: number };
export type Status = 'pending' | 'processing' | 'completed' | 'failed';
export type ListedJob = {
  job_id: string;
  prompt: string;
  model_id: string;
  model_name: string;
  settings: Record<string, unknown>;
  image_url: string | null;
  credits_used: number;
  status: Status;
  error_code: string | null;
  video_url: string | null;
  thumbnail_url: string | null;
  created_at: string;
};
export type Job = ListedJob & {
  progress: number | null;
  queue_position: number | null;
  error_message: string | null;
  completed_at: string | null;
};
export type Jobs = { jobs: ListedJob[]; total: number; has_more: boolean; next_cursor: string | null };
export type Cancelled = { success: boolean; refunded: number; credits_remaining: number };
export type Failure = { error: { code: string; message: string; details: Record<string, unknown> } };

export const STATUSES = ['pending', 'processing', 'completed', 'failed'];
export const LEDGER_REASONS = ['initial_grant', 'video_generation', 'generation_failed_refund'];

const isStatus = oneOf(...STATUSES);

export const userShape = shape({
  id: uuid,
  aud: oneOf('authenticated'),
  role: oneOf('authenticated'),
  email: oneOf(''),
  phone: oneOf(''),
  app_metadata: shape({}),
  user_metadata: shape({}),
  identities: listOf(anyObject),
  is_anonymous: oneOf(true),
  last_sign_in_at: time,
  created_at: time,
  updated_at: time,
});
export const sessionShape = shape({
  access_token: someText,
  token_type: oneOf('bearer'),
  expires_in: integer,
  expires_at: integer,
  refresh_token: someText,
  user: userShape,
});
export const onboardedShape = shape({
  user_id: uuid,
  credits_remaining: integer,
  is_new: flag,
  session: sessionShape,
  access_token: someText,
  refresh_token: someText,
});
export const profileShape = shape({
  id: uuid,
  email: nullable(someText),
  device_id: nullable(someText),
  apple_sub: nullable(someText),
  is_guest: flag,
  tier: oneOf('free', 'premium'),
  credits_remaining: integer,
  credits_total: integer,
  initial_grant_claimed: flag,
  language: oneOf('en', 'tr', 'es'),
  theme_preference: oneOf('light', 'dark', 'system'),
  created_at: time,
  updated_at: time,
});
export const historyShape = shape({
  transactions: listOf(
    shape({
      id: uuid,
      change: integer,
      reason: oneOf(...LEDGER_REASONS),
      balance_after: integer,
      job_id: nullable(uuid),
      created_at: time,
    }),
  ),
  next_cursor: nullable(someText),
});
export const modelsShape = shape({
  models: listOf(
    shape({
      id: uuid,
      name: someText,
      category: someText,
      description: text,
      cost_per_generation: integer,
      pricing: shape({ credits: integer, per_seconds: nullable(integer) }),
      provider: oneOf('fal', 'runway', 'pika', 'sandbox'),
      provider_model_id: someText,
      is_simulated: flag,
      is_featured: flag,
      is_available: oneOf(true),
      requires_image: flag,
      prompt_max: integer,
      thumbnail_url: nullable(httpUrl),
      settings_schema: anyObject,
      created_at: time,
    }),
  ),
});
export const startedShape = shape({ job_id: uuid, status: oneOf('pending'), credits_used: integer });
export const jobShape = shape({
  job_id: uuid,
  status: isStatus,
  video_url: nullable(httpUrl),
  thumbnail_url: nullable(httpUrl),
  progress: nullable(integer),
  queue_position: nullable(integer),
  error_code: nullable(someText),
  error_message: nullable(someText),
  prompt: someText,
  model_id: uuid,
  model_name: someText,
  settings: anyObject,
  image_url: nullable(someText),
  credits_used: integer,
  created_at: time,
  completed_at: nullable(time),
});
export const jobsShape = shape({
  jobs: listOf(
    shape({
      job_id: uuid,
      prompt: someText,
      model_id: uuid,
      model_name: someText,
      settings: anyObject,
      image_url: nullable(someText),
      credits_used: integer,
      status: isStatus,
      error_code: nullable(someText),
      video_url: nullable(httpUrl),
      thumbnail_url: nullable(httpUrl),
      created_at: time,
    }),
  ),
  total: integer,
  has_more: flag,
  next_cursor: nullable(someText),
});
export const cancelledShape = shape({ success: oneOf(true), refunded: integer, credits_remaining: integer });
export const successShape = shape({ success: oneOf(true) });
export const failureShape = shape({ error: shape({ code: someText, message: someText, details: anyObject }) });
