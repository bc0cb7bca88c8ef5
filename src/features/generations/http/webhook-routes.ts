/** Receives events of providers about their jobs. */
import { readBytes } from '../../../http/body.ts';
import { parseJsonObject } from '../../../http/json-text.ts';
import type { Router } from '../../../http/route.ts';
import { problemOf } from '../../../http/validate.ts';
import { parseUuid } from '../../../kernel/ids.ts';
import type { Context } from '../../context.ts';
import { genericEvent, type ProviderEvent, recordWebhook, type VerifiedWebhook, verifyWebhook } from '../webhook.ts';
import { DELIVER_WEBHOOK, SignedEventBody } from './webhook-openapi.ts';

/** Far more than a result with its logs, which has a few kilobytes. */
const BODY_BYTES_MAX = 1024 * 1024;

export function webhookRoutes(
  router: Router,
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'providers' | 'tracer' | 'verifySignedWebhook'>,
): void {
  router.add(DELIVER_WEBHOOK, async (c) => {
    const webhook = {
      sender: c.req.query('provider') ?? null,
      // A text that is not a UUID names no job.
      jobId: parseUuid(c.req.query('job')),
      headers: c.req.raw.headers,
      // The raw bytes: these are what was signed.
      body: await readBytes(c.req.raw, BODY_BYTES_MAX),
      receivedAt: ctx.clock.now(),
    };
    const verified = await verifyWebhook(ctx, webhook);
    await recordWebhook(ctx, webhook, eventIn(ctx, verified, webhook.body));
    return c.json({ success: true as const }, 200);
  });
}

function eventIn(ctx: Pick<Context, 'providers'>, verified: VerifiedWebhook, body: Uint8Array): ProviderEvent {
  if (verified.from === 'generic') return signedEventIn(ctx, body);
  // An event that names no job is ignored. A body that is not even a JSON object is the sender's mistake: ERR_4006.
  if (verified.providerJobId === null) parseJsonObject(body);
  return verified;
}

function signedEventIn(ctx: Pick<Context, 'providers'>, body: Uint8Array): ProviderEvent {
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
