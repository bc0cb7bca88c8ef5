import { sha256Hex } from '../../kernel/canonical-json.ts';
import { Problem } from '../../kernel/errors.ts';
import type { ProviderName, VideoProvider, WebhookDelivery } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/** What the generic form says, as far as anybody here listens to it. */
export type SignedEvent = { id: string | null; provider: string | null; providerJobId: string };

export type ReceiveWebhookInput = WebhookDelivery & {
  /** As the address names them: neither is signed. */
  sender: string | null;
  jobId: string | null;
  /** Reads the body in the generic form, or throws what is wrong with it. Asked only once the signature is known. */
  readSigned(): SignedEvent;
  /** Throws where the body is no JSON object. */
  requireJson(): void;
};

type Event = { sender: string; key: string; providers: ProviderName[]; providerJobId: string | null };
type Recorded =
  | { outcome: 'repeated' | 'foreign' }
  | { outcome: 'recorded'; effect: 'woke' | 'unconfirmed' | 'ignored' };
type Sender = VideoProvider & Required<Pick<VideoProvider, 'webhooksFrom' | 'verifyWebhook'>>;

/**
 * Takes a provider's word that something has happened to a job: verified or ERR_4005, recorded once, and the worker
 * woken, which asks the provider. Nothing that the event says of the job is believed; of one about no job of ours nothing
 * is kept.
 */
export async function receiveWebhook(ctx: Context, input: ReceiveWebhookInput): Promise<void> {
  const senders = [...ctx.providers.values()].filter(sendsWebhooks);
  const vendor = senders.find(({ name, webhooksFrom }) => input.sender === webhooksFrom || input.sender === name);
  const event = vendor ? await vendorsEvent(ctx, input, vendor, senders) : await signedEvent(ctx, input);
  const recorded = await ctx.db.call<Recorded>('record_provider_event', {
    sender: event.sender,
    event_key: event.key,
    providers: event.providers,
    job_id: input.jobId,
    provider_job_id: event.providerJobId,
  });
  const effect = recorded.outcome === 'recorded' ? recorded.effect : recorded.outcome;
  ctx.log.info({ sender: event.sender, provider_job_id: event.providerJobId, effect }, 'a provider’s event');
}

function sendsWebhooks(provider: VideoProvider): provider is Sender {
  return provider.webhooksFrom !== undefined && provider.verifyWebhook !== undefined;
}

/** Providers behind one sender share its keys: one verifies for all, and the event may be about any of them. */
async function vendorsEvent(
  ctx: Context,
  input: ReceiveWebhookInput,
  vendor: Sender,
  senders: readonly Sender[],
): Promise<Event> {
  const sender = vendor.webhooksFrom;
  const verdict = await vendor.verifyWebhook(input);
  if (!verdict.ok) throw turnedAway(ctx, sender, verdict.cause);
  // One that names no job is none of ours; one that is no event at all is the sender's mistake.
  if (verdict.providerJobId === null) input.requireJson();
  return {
    sender,
    key: verdict.eventId ?? (await digestOf(input.body)),
    providers: senders.filter(({ webhooksFrom }) => webhooksFrom === sender).map(({ name }) => name),
    providerJobId: verdict.providerJobId,
  };
}

async function signedEvent(ctx: Context, input: ReceiveWebhookInput): Promise<Event> {
  const isSigned = await ctx.verifySignedWebhook?.(input);
  if (!isSigned) throw turnedAway(ctx, 'signed', ctx.verifySignedWebhook ? 'not our secret’s' : 'no secret is set');
  const { id, provider, providerJobId } = input.readSigned();
  const providers = [...ctx.providers.keys()].filter((name) => provider === null || name === provider);
  return { sender: 'signed', key: id ?? (await digestOf(input.body)), providers, providerJobId };
}

function turnedAway(ctx: Context, sender: string, cause: string): Problem {
  ctx.log.warn({ sender, cause }, 'an event was turned away');
  return new Problem('ERR_4005', { details: { reason: 'signature' } });
}

async function digestOf(body: Uint8Array): Promise<string> {
  return `sha256:${await sha256Hex(Uint8Array.from(body))}`;
}
