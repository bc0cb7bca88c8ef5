import { Problem } from '../../kernel/errors.ts';
import { sha256Hex } from '../../kernel/hash.ts';
import type { ProviderName, VideoProvider, WebhookDelivery } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { begunBy } from './begun-by.ts';

/** `sender` and `jobId` come from the URL: neither is signed. */
export type ReceivedWebhook = WebhookDelivery & { sender: string | null; jobId: string | null };

/**
 * The result of the sender's own scheme. `generic`: signed with our secret, in our own form; the event is still to be read
 * from the body.
 */
export type VerifiedWebhook =
  | { from: 'vendor'; sender: string; eventId: string | null; providers: ProviderName[]; providerJobId: string | null }
  | { from: 'generic' };

/** An event of a verified sender. `eventId` is null if it has none. `providers` are those that it may be about. */
export type ProviderEvent = {
  sender: string;
  eventId: string | null;
  providers: ProviderName[];
  providerJobId: string | null;
};

type Sender = VideoProvider & Required<Pick<VideoProvider, 'webhooksFrom' | 'verifyWebhook'>>;

/** Verifies the raw body by the sender's scheme. Throws ERR_4005 if it cannot be verified. */
export async function verifyWebhook(
  ctx: Pick<Context, 'log' | 'providers' | 'verifySignedWebhook'>,
  webhook: ReceivedWebhook,
): Promise<VerifiedWebhook> {
  const senders = [...ctx.providers.values()].filter(sendsWebhooks);
  const vendor = senders.find(({ name, webhooksFrom }) => [name, webhooksFrom].includes(webhook.sender ?? ''));
  if (!vendor) {
    const isSigned = await ctx.verifySignedWebhook?.(webhook);
    if (!isSigned)
      throw rejected(ctx, 'signed', ctx.verifySignedWebhook ? 'not signed with the secret' : 'no secret is set');
    return { from: 'generic' };
  }
  // Providers of one sender share its keys: one verifies for all, and the event may be about any of them.
  const sender = vendor.webhooksFrom;
  const verdict = await vendor.verifyWebhook(webhook);
  if (!verdict.ok) throw rejected(ctx, sender, verdict.cause);
  return {
    from: 'vendor',
    sender,
    eventId: verdict.eventId,
    providers: senders.filter(({ webhooksFrom }) => webhooksFrom === sender).map(({ name }) => name),
    providerJobId: verdict.providerJobId,
  };
}

/** Returns an event in our own form. Without a `provider` it may be about any provider. */
export function genericEvent(
  ctx: Pick<Context, 'providers'>,
  { id, provider, providerJobId }: { id: string | null; provider: string | null; providerJobId: string },
): ProviderEvent {
  const providers = [...ctx.providers.keys()].filter((name) => provider === null || name === provider);
  return { sender: 'signed', eventId: id, providers, providerJobId };
}

/**
 * Records a verified event once and makes the worker poll the provider. What the event says about the job is not used. An
 * event about an unknown job leaves no row.
 */
export async function recordWebhook(
  ctx: Pick<Context, 'db' | 'log' | 'tracer'>,
  webhook: ReceivedWebhook,
  event: ProviderEvent,
): Promise<void> {
  // In the trace of the call that began the job, not in that of the vendor's call.
  const parent = ctx.tracer.isOn && webhook.jobId !== null ? (await begunBy(ctx, webhook.jobId)).traceParent : null;
  const attributes = { 'rendio.sender': event.sender, ...(webhook.jobId ? { 'rendio.job_id': webhook.jobId } : {}) };
  await ctx.tracer.span('webhook', { kind: 'consumer', parent, attributes }, async (span) => {
    const effect = await recordEvent(ctx, webhook, event);
    span.set({ 'rendio.effect': effect });
    const fields = { sender: event.sender, provider_job_id: event.providerJobId, effect };
    ctx.log.info({ event: 'provider_event', ...fields }, 'provider event');
  });
}

async function recordEvent(ctx: Pick<Context, 'db'>, webhook: ReceivedWebhook, event: ProviderEvent): Promise<string> {
  const recorded = await ctx.db.call('record_provider_event', {
    sender: event.sender,
    event_key: event.eventId ?? `sha256:${await sha256Hex(Uint8Array.from(webhook.body))}`,
    providers: event.providers,
    job_id: webhook.jobId,
    provider_job_id: event.providerJobId,
  });
  return recorded.outcome === 'recorded' ? recorded.effect : recorded.outcome;
}

function sendsWebhooks(provider: VideoProvider): provider is Sender {
  return provider.webhooksFrom !== undefined && provider.verifyWebhook !== undefined;
}

function rejected(ctx: Pick<Context, 'log'>, sender: string, cause: string): Problem {
  ctx.log.warn({ sender, cause }, 'webhook rejected: it could not be verified');
  return new Problem('ERR_4005', { details: { reason: 'signature' } });
}
