/** Where providers report that something has happened to a job. */
import type { Api } from '../../../http/api.ts';
import { readBytes } from '../../../http/body.ts';
import { parseJsonObject } from '../../../http/json-text.ts';
import { problemOf } from '../../../http/validate.ts';
import { parseUuid } from '../../../kernel/ids.ts';
import type { Context } from '../../context.ts';
import { WEBHOOK_PATH } from '../callback-url.ts';
import { genericEvent, type ProviderEvent, recordWebhook, type VerifiedWebhook, verifyWebhook } from '../webhook.ts';
import { describeWebhooks, SignedEventBody } from './webhook-openapi.ts';

/** A result with its logs is some kilobytes. */
const BODY_BYTES_MAX = 1024 * 1024;

export function webhookRoutes(api: Api, ctx: Context): void {
  describeWebhooks(api, WEBHOOK_PATH);
  api.post(WEBHOOK_PATH, async (c) => {
    const webhook = {
      sender: c.req.query('provider') ?? null,
      // A text that is no id of ours names no job.
      jobId: parseUuid(c.req.query('job')),
      headers: c.req.raw.headers,
      // As it came: the signature is over bytes, not over what they mean.
      body: await readBytes(c.req.raw, BODY_BYTES_MAX),
      receivedAt: ctx.clock.now(),
    };
    const verified = await verifyWebhook(ctx, webhook);
    await recordWebhook(ctx, webhook, eventIn(ctx, verified, webhook.body));
    return c.json({ success: true }, 200);
  });
}

function eventIn(ctx: Context, verified: VerifiedWebhook, body: Uint8Array): ProviderEvent {
  if (verified.from === 'generic') return signedEventIn(ctx, body);
  // An event that names no job is none of ours; a body that is no event at all is the sender's mistake.
  if (verified.providerJobId === null) parseJsonObject(body);
  return verified;
}

function signedEventIn(ctx: Context, body: Uint8Array): ProviderEvent {
  const json = parseJsonObject(body);
  const read = SignedEventBody.safeParse(json);
  if (!read.success) throw problemOf(read.error, json);
  const { id, data } = read.data;
  return genericEvent(ctx, {
    id: id ?? null,
    provider: data.provider ?? null,
    providerJobId: data.provider_job_id,
  });
}
