import type { Json } from '../../db/generated.ts';
import { canonicalHash } from '../../kernel/canonical-json.ts';
import { Problem } from '../../kernel/errors.ts';
import type { ProviderName } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { checkImage } from './image.ts';
import { imagePathOf } from './image-path.ts';
import { completeSettings, knownSettings, type SettingsSchema } from './settings.ts';

export type BeginGenerationInput = {
  userId: string;
  idempotencyKey: string;
  modelId: string;
  prompt: string;
  settings: Record<string, unknown>;
  imageUrl: string | null;
  /** The caller's address as the limits see it; null where there is none. */
  address: string | null;
};

export type LimitState = { limit: number; remaining: number; resetSeconds: number };
export type Answer = { status: number; body: unknown; isReplay: boolean; limit?: LimitState };

type BeginOutcome =
  | { outcome: 'created'; status_code: number; response: Json; limit: number; remaining: number; reset_seconds: number }
  | { outcome: 'replayed'; status_code: number; response: Json }
  | { outcome: 'key_reused' | 'user_not_found' | 'banned' | 'model_unavailable' }
  | { outcome: 'provider_unavailable'; retry_seconds: number }
  | { outcome: 'rate_limited'; scope: 'in_flight'; limit: number }
  | {
      outcome: 'rate_limited';
      scope: 'account' | 'address';
      limit: number;
      window_seconds: number;
      reset_seconds: number;
    }
  | { outcome: 'insufficient_credits'; required: number; available: number };

const PROMPT_MIN = 3;
/** A full house of running generations empties when one ends; nobody knows when, so ask again soon. */
const IN_FLIGHT_RETRY_SECONDS = 5;

/** Charges for one generation and sets it going, once for each key. */
export async function beginGeneration(ctx: Context, input: BeginGenerationInput): Promise<Answer> {
  const prompt = input.prompt.trim();
  const model = await ctx.db.read
    .selectFrom('models')
    .select(['id', 'provider', 'is_available', 'requires_image', 'prompt_max', 'settings_schema'])
    .where('id', '=', input.modelId)
    .executeTakeFirst();
  if (!model) throw new Problem('ERR_4002', { details: { field: 'model_id' } });
  const schema = settingsSchemaOf(model.settings_schema);

  // Before anything that may have changed since the first call: a repeat gets its answer even if the model is gone.
  const replay = await findReplay(ctx, input);
  if (replay) return replay;

  if (!model.is_available || !ctx.providers.has(providerName(model.provider))) {
    throw new Problem('ERR_4002', { details: { field: 'model_id' } });
  }
  checkPrompt(prompt, model.prompt_max);
  const { userId, imageUrl } = input;
  const imagePath = await checkImage(ctx, { userId, imageUrl, isRequired: model.requires_image });
  const { limits } = ctx.policy;
  const result = await ctx.db.call<BeginOutcome>('begin_generation', {
    user_id: input.userId,
    idempotency_key: input.idempotencyKey,
    request_hash: await hashRequest(input, Object.keys(schema.properties)),
    model_id: model.id,
    prompt,
    settings: completeSettings(schema, input.settings),
    image_url: imagePath,
    address: input.address,
    limit_account: limits.generationsPerHour,
    limit_address: limits.generationsPerHourPerAddress,
    limit_in_flight: limits.generationsInFlight,
    deadline_seconds: ctx.policy.generationDeadlineSeconds,
  });
  return answerOf(result);
}

/** What makes two requests the same, given the names of the settings that count. */
function hashRequest({ modelId, prompt, settings, imageUrl }: BeginGenerationInput, names: string[]): Promise<string> {
  const known = knownSettings(names, settings);
  // Two addresses of one picture are one wish.
  const image = imageUrl === null ? null : (imagePathOf(imageUrl)?.path ?? imageUrl);
  return canonicalHash({ model_id: modelId, prompt: prompt.trim(), settings: known, image_url: image });
}

async function findReplay(ctx: Context, input: BeginGenerationInput): Promise<Answer | null> {
  const logged = await ctx.db.read
    .selectFrom('idempotency_log')
    .leftJoin('video_jobs', 'video_jobs.job_id', 'idempotency_log.job_id')
    .select(['request_hash', 'operation_type', 'status_code', 'response_data', 'video_jobs.settings'])
    .where('idempotency_log.user_id', '=', input.userId)
    .where('idempotency_key', '=', input.idempotencyKey)
    .where('idempotency_log.expires_at', '>', ctx.clock.now())
    .executeTakeFirst();
  if (!logged) return null;
  // The job holds every setting that the model had when it was charged, which may not be those of today.
  const requestHash = await hashRequest(input, Object.keys(Object(logged.settings)));
  if (logged.request_hash !== requestHash || logged.operation_type !== 'generate_video') {
    throw new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } });
  }
  return { status: logged.status_code, body: logged.response_data, isReplay: true };
}

function checkPrompt(prompt: string, promptMax: number): void {
  const length = [...prompt].length;
  if (length < PROMPT_MIN || length > promptMax) {
    throw new Problem('ERR_4003', {
      details: { field: 'prompt', allowed: { minLength: PROMPT_MIN, maxLength: promptMax } },
    });
  }
}

function answerOf(result: BeginOutcome): Answer {
  switch (result.outcome) {
    case 'created':
      return {
        status: result.status_code,
        body: result.response,
        isReplay: false,
        limit: { limit: result.limit, remaining: result.remaining, resetSeconds: result.reset_seconds },
      };
    case 'replayed':
      return { status: result.status_code, body: result.response, isReplay: true };
    case 'key_reused':
      throw new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } });
    case 'user_not_found':
      throw new Problem('ERR_4005');
    case 'banned':
      throw new Problem('ERR_4013');
    case 'model_unavailable':
      throw new Problem('ERR_4002', { details: { field: 'model_id' } });
    case 'provider_unavailable':
      throw new Problem('ERR_5002', {
        details: { reason: 'nothing_charged', retry_after: result.retry_seconds },
        headers: { 'Retry-After': String(result.retry_seconds) },
      });
    case 'insufficient_credits':
      throw new Problem('ERR_4001', {
        details: { required: result.required, available: result.available, credits_remaining: result.available },
      });
    case 'rate_limited':
      throw rateLimited(result);
  }
}

function rateLimited(result: Extract<BeginOutcome, { outcome: 'rate_limited' }>): Problem {
  const retryAfter = result.scope === 'in_flight' ? IN_FLIGHT_RETRY_SECONDS : result.reset_seconds;
  const windowSeconds = result.scope === 'in_flight' ? undefined : result.window_seconds;
  return new Problem('ERR_4004', {
    details: { retry_after: retryAfter, ...(result.scope === 'in_flight' ? { reason: 'in_flight' } : {}) },
    headers: {
      'Retry-After': String(retryAfter),
      'RateLimit-Policy': `"generations";q=${result.limit}${windowSeconds ? `;w=${windowSeconds}` : ''}`,
      RateLimit: `"generations";r=0;t=${retryAfter}`,
    },
  });
}

/** The column's check keeps it an object; its shape is the catalogue's promise. */
function settingsSchemaOf(column: Json): SettingsSchema {
  const schema = column as unknown as Partial<SettingsSchema> | null;
  return { properties: schema?.properties ?? {} };
}

/** The column's check admits exactly these names. */
function providerName(column: string): ProviderName {
  return column as ProviderName;
}
