import { sql } from 'kysely';
import type { ResultOf } from '../../db/database.ts';
import type { Json } from '../../db/generated.ts';
import { Problem } from '../../kernel/errors.ts';
import { canonicalHash } from '../../kernel/hash.ts';
import type { SettingsSchema } from '../../kernel/settings-schema.ts';
import { parseImageUrl } from '../../media/object-path.ts';
import type { Context } from '../context.ts';
import { type Answer, limitReached } from './answer.ts';
import { checkPolicy } from './check-policy.ts';
import { completeSettings, pickSettings } from './settings.ts';
import { checkImage } from './source-image.ts';

export type BeginGenerationInput = {
  userId: string;
  idempotencyKey: string;
  modelId: string;
  prompt: string;
  settings: Record<string, unknown>;
  imageUrl: string | null;
  /** The caller's IP address in the form that rate limits count; null if there is none. */
  ip: string | null;
  /** Recorded with the job, for its errors. */
  requestId: string;
};

type BeginResult = ResultOf<'begin_generation'>;

const PROMPT_MIN = 3;
const HOUR_SECONDS = 3600;
/** A slot frees when any job ends, which may be soon. */
const IN_FLIGHT_RETRY_SECONDS = 5;
/** Nobody knows when an operator goes on: phones ask once a minute. */
const PAUSED_RETRY_SECONDS = 60;

/** Charges for one generation and starts it, once per idempotency key. */
export async function beginGeneration(
  ctx: Pick<Context, 'db' | 'log' | 'media' | 'policy' | 'promptPolicy' | 'providers' | 'tracer'>,
  input: BeginGenerationInput,
): Promise<Answer> {
  const prompt = input.prompt.trim();
  const model = await ctx.db.read
    .selectFrom('models')
    .select(['id', 'provider', 'is_available', 'requires_image', 'prompt_max', 'settings_schema'])
    .where('id', '=', input.modelId)
    .executeTakeFirst();
  if (!model) throw new Problem('ERR_4002', { details: { field: 'model_id' } });
  const schema = settingsSchemaOf(model.settings_schema);

  // Before checks whose result may have changed since the first call: a repeat gets its answer even if the model is gone.
  const replay = await findReplay(ctx, input);
  if (replay) return replay;

  if (!model.is_available || !ctx.providers.has(model.provider)) {
    throw new Problem('ERR_4002', { details: { field: 'model_id' } });
  }
  checkPrompt(prompt, model.prompt_max);
  await checkPolicy(ctx, { prompt, userId: input.userId, modelId: model.id });
  const { userId, imageUrl } = input;
  const imagePath = await checkImage(ctx, { userId, imageUrl, isRequired: model.requires_image });
  const { limits } = ctx.policy;
  const result = await ctx.db.call('begin_generation', {
    user_id: input.userId,
    idempotency_key: input.idempotencyKey,
    request_hash: await hashRequest(input, Object.keys(schema.properties)),
    model_id: model.id,
    prompt,
    settings: completeSettings(schema, input.settings),
    image_url: imagePath,
    address: input.ip,
    limit_account: limits.generationsPerHour,
    limit_address: limits.generationsPerHourPerIp,
    limit_in_flight: limits.generationsInFlight,
    limit_spending: limits.dailySpendCapCredits,
    deadline_seconds: ctx.policy.generationDeadlineSeconds,
    trace_parent: ctx.tracer.traceParent(),
    request_id: input.requestId,
  });
  if (result.outcome === 'created') logStarted(ctx, input, model.provider, result.response);
  return answerOf(result);
}

function logStarted(
  { log }: Pick<Context, 'log'>,
  { userId, modelId }: BeginGenerationInput,
  provider: string,
  response: Json,
): void {
  const { job_id, credits_used: credits } = Object(response);
  const fields = { user_id: userId, job_id, model_id: modelId, provider, credits };
  log.info({ event: 'video_generation_started', ...fields }, 'a generation was charged and started');
}

/** Two requests are the same if their hashes are. `names` are the settings that count. */
function hashRequest({ modelId, prompt, settings, imageUrl }: BeginGenerationInput, names: string[]): Promise<string> {
  const picked = pickSettings(names, settings);
  // Different URLs of one image are the same request.
  const image = imageUrl === null ? null : (parseImageUrl(imageUrl)?.path ?? imageUrl);
  return canonicalHash({ model_id: modelId, prompt: prompt.trim(), settings: picked, image_url: image });
}

async function findReplay(ctx: Pick<Context, 'db'>, input: BeginGenerationInput): Promise<Answer | null> {
  const logged = await ctx.db.read
    .selectFrom('idempotency_log')
    .leftJoin('video_jobs', 'video_jobs.job_id', 'idempotency_log.job_id')
    .select(['request_hash', 'operation_type', 'status_code', 'response_data', 'video_jobs.settings'])
    .where('idempotency_log.user_id', '=', input.userId)
    .where('idempotency_key', '=', input.idempotencyKey)
    .where('idempotency_log.expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst();
  if (!logged) return null;
  // The job holds every setting that the model had when the job was charged; the model may have others today.
  const requestHash = await hashRequest(input, Object.keys(Object(logged.settings)));
  if (logged.request_hash !== requestHash || logged.operation_type !== 'generate_video') throw keyReused();
  return { status: logged.status_code, body: logged.response_data, isReplay: true };
}

function keyReused(): Problem {
  return new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } });
}

function checkPrompt(prompt: string, promptMax: number): void {
  const length = [...prompt].length;
  if (length < PROMPT_MIN || length > promptMax) {
    throw new Problem('ERR_4003', {
      details: { field: 'prompt', allowed: { minLength: PROMPT_MIN, maxLength: promptMax } },
    });
  }
}

function answerOf(result: BeginResult): Answer {
  switch (result.outcome) {
    case 'created': {
      const { limit, remaining, reset_seconds: resetSeconds } = result;
      const state = { policy: 'generations', limit, windowSeconds: HOUR_SECONDS, remaining, resetSeconds } as const;
      return { status: result.status_code, body: result.response, isReplay: false, limit: state };
    }
    case 'replayed':
      return { status: result.status_code, body: result.response, isReplay: true };
    case 'key_reused':
      throw keyReused();
    case 'user_not_found':
      throw new Problem('ERR_4005');
    case 'banned':
      throw new Problem('ERR_4013');
    case 'paused':
      throw new Problem('ERR_4019', {
        details: { retry_after: PAUSED_RETRY_SECONDS },
        retryAfterSeconds: PAUSED_RETRY_SECONDS,
      });
    case 'model_unavailable':
      throw new Problem('ERR_4002', { details: { field: 'model_id' } });
    case 'provider_unavailable': {
      const retryAfterSeconds = result.retry_seconds;
      throw new Problem('ERR_5002', {
        details: { reason: 'nothing_charged', retry_after: retryAfterSeconds },
        retryAfterSeconds,
      });
    }
    case 'insufficient_credits':
      throw new Problem('ERR_4001', {
        details: { required: result.required, available: result.available, credits_remaining: result.available },
      });
    case 'rate_limited':
      throw rateLimited(result);
  }
}

function rateLimited(result: Extract<BeginResult, { outcome: 'rate_limited' }>): Problem {
  const { scope, limit } = result;
  if (scope === 'in_flight') {
    const state = { windowSeconds: null, remaining: 0, resetSeconds: IN_FLIGHT_RETRY_SECONDS };
    return limitReached({ policy: 'generations', limit, ...state }, 'in_flight');
  }
  const { window_seconds: windowSeconds, remaining, reset_seconds: resetSeconds } = result;
  const state = { limit, windowSeconds, remaining, resetSeconds };
  return scope === 'spending'
    ? limitReached({ policy: 'daily_spend', ...state }, 'daily_spend')
    : limitReached({ policy: 'generations', ...state, remaining: 0 });
}

/** A check on the column ensures an object; all writes to the catalogue keep to its shape. */
function settingsSchemaOf(column: Json): SettingsSchema {
  const schema = column as unknown as Partial<SettingsSchema> | null;
  return { properties: schema?.properties ?? {} };
}
