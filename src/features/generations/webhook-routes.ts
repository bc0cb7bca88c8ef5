/** Where providers say that something has happened to a job. */
import type { Api } from '../../http/api.ts';
import { readBytes } from '../../http/body.ts';
import { parseJsonObject } from '../../http/json-text.ts';
import { problemOf } from '../../http/validate.ts';
import { parseUuid } from '../../kernel/ids.ts';
import type { Context } from '../context.ts';
import { receiveWebhook, type SignedEvent } from './webhook.ts';
import { WEBHOOK_PATH } from './webhook-url.ts';
import { describeWebhooks, SignedEventBody } from './webhook-wire.ts';

/** A result with its logs is some kilobytes. */
const BODY_BYTES_MAX = 1024 * 1024;

export function webhookRoutes(api: Api, ctx: Context): void {
  describeWebhooks(api, WEBHOOK_PATH);
  api.post(WEBHOOK_PATH, async (c) => {
    // As it came: what is signed are bytes, not what they mean.
    const body = await readBytes(c.req.raw, BODY_BYTES_MAX);
    await receiveWebhook(ctx, {
      sender: c.req.query('provider') ?? null,
      // An id that is none of ours names nothing.
      jobId: parseUuid(c.req.query('job')),
      headers: c.req.raw.headers,
      body,
      receivedAt: ctx.clock.now(),
      readSigned: () => signedEventIn(body),
      requireJson: () => void parseJsonObject(body),
    });
    return c.json({ success: true }, 200);
  });
}

function signedEventIn(body: Uint8Array): SignedEvent {
  const json = parseJsonObject(body);
  const read = SignedEventBody.safeParse(json);
  if (!read.success) throw problemOf(read.error, json);
  const { id, data } = read.data;
  return { id: id ?? null, provider: data.provider ?? null, providerJobId: data.provider_job_id };
}
