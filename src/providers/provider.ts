/** The one port behind which every video provider stands. Adapters answer with outcomes and throw only for our own bugs. */
import type { ErrorCode } from '../kernel/errors.ts';

/** As the catalogue's rows write it: lower-case letters, digits, `-` and `_`. */
export type ProviderName = string;

/** What the model's settings schema admits, already validated and filled with its defaults. `duration` is whole seconds. */
export type VideoSettings = {
  duration: number;
  resolution?: string;
  aspect_ratio?: string;
  fps?: number;
  [setting: string]: string | number | boolean | undefined;
};

/** The caller's picture, for models that animate one: a PNG, JPEG or WebP of at most 10 MB, checked when it was uploaded. */
export type SourceImage = {
  /** Opens for a short while and for nobody who does not know it. Null where the provider cannot reach this server. */
  url: string | null;
  contentType: 'image/png' | 'image/jpeg' | 'image/webp';
  fileName: string;
  /** The picture itself, for providers that take uploads. Throws where it is no longer there. */
  load(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
};

/** One generation as a provider needs to know it. `jobId` is ours: a UUID that names the generation for ever. */
export type GenerationRequest = {
  jobId: string;
  providerModelId: string;
  prompt: string;
  settings: VideoSettings;
  image: SourceImage | null;
  /** Where the provider may tell us that the job has ended: our own address, naming provider and job. Null: nowhere. */
  webhookUrl: string | null;
};

/** Why a request was declined, where that is known: `moderated` by the provider's rules on content. */
export type DeclineReason = 'moderated';

/**
 * What is known after a submit:
 * - `accepted`: the provider has the job, under `providerJobId`;
 * - `retryable`: it did not take the job (429, 503, no connection made); the same submit may be sent again. `isBusy`:
 *   nothing is wrong with it; it asks for patience, as by a 429, or our own storage kept us from asking;
 * - `declined`: it will not take this request, however often it is sent; the job fails with `code`: `ERR_5003` for what
 *   is wrong with the request, `ERR_5002` for what is wrong between the provider and us (a refused key, an empty account);
 * - `unknown`: bytes left and no usable answer came back; never sent again unless `submitIsRepeatable`.
 */
export type SubmitOutcome =
  | { outcome: 'accepted'; providerJobId: string; requestId?: string }
  | { outcome: 'retryable'; cause: string; retryAfterMs?: number; isBusy?: true }
  | { outcome: 'declined'; code: ErrorCode; cause: string; reason?: DeclineReason }
  | { outcome: 'unknown'; cause: string };

/** Where the finished file is: on this machine, or at the vendor, on one of the provider's `mediaHosts` if all is well. */
export type VideoSource = { from: 'file'; path: string } | { from: 'url'; url: string };

/**
 * `progress` is whole percent, 0–100. `queuePosition` counts from 1; both are null where the provider does not say.
 * `costUsd` is what the provider says that the job has cost us, where it says so.
 */
export type ProviderStatus =
  | { state: 'queued'; queuePosition: number | null }
  | { state: 'processing'; progress: number | null }
  | { state: 'completed'; video: VideoSource; thumbnail: VideoSource | null; costUsd?: number }
  | { state: 'failed'; code: ErrorCode; cause: string; reason?: DeclineReason; costUsd?: number }
  /** The provider could not be asked just now; ask again later, not before `retryAfterMs`. */
  | { state: 'unreachable'; cause: string; retryAfterMs?: number }
  /** It was asked with our key and knows no such job. */
  | { state: 'absent'; cause: string };

/** A webhook as it came in: nothing in it is parsed yet. */
export type WebhookDelivery = { headers: Headers; body: Uint8Array; receivedAt: Date };

/**
 * `ok`: the provider sent it, just now. It is a hint all the same: it may concern anybody's job. `eventId` is null where
 * events carry no id of their own. `cause` is for our log alone.
 */
export type WebhookVerdict =
  | { ok: true; providerJobId: string | null; eventId: string | null }
  | { ok: false; cause: string };

/** What an adapter does; its manifest says the rest. */
export type ProviderAdapter = {
  /** True when submitting the same `jobId` twice makes (and bills) one video. */
  readonly submitIsRepeatable: boolean;
  /** How long to wait between two status questions about one job. */
  readonly pollIntervalMs: number;
  submit(request: GenerationRequest, signal: AbortSignal): Promise<SubmitOutcome>;
  /**
   * How the job stands, by the provider's id alone and with our key. Where a submit's outcome is unknown and an event
   * names an id, only `queued`, `processing`, `completed` and `failed` confirm that the job is ours.
   */
  status(request: GenerationRequest, providerJobId: string, signal: AbortSignal): Promise<ProviderStatus>;
  /** Asks the provider to stop. Best effort: the job's own state is decided in our database. */
  cancel(request: GenerationRequest, providerJobId: string, signal: AbortSignal): Promise<void>;
  /** Whether the provider sent this; absent where it sends no webhooks. */
  verifyWebhook?(delivery: WebhookDelivery): Promise<WebhookVerdict>;
  /** Our copy is safe (or no longer wanted): whatever the adapter kept on this machine for the job may go. */
  release(jobId: string): Promise<void>;
  /** Stops what runs on this machine. Called once, at shutdown. */
  close(): Promise<void>;
};

export type VideoProvider = ProviderAdapter & {
  readonly name: ProviderName;
  /** The hosts its finished files may be fetched from; `*.` stands for every host below a domain. */
  readonly mediaHosts: readonly string[];
  /** The sender of its webhooks, as `?provider=` of their URL names it; absent where it sends none. */
  readonly webhooksFrom?: string;
};
