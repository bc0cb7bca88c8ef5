/** The port of all video providers. Adapters return outcomes and throw only for our own bugs. */
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

/** The user's image, for image-to-video models: a PNG, JPEG or WebP of at most 10 MB, checked when it was uploaded. */
export type SourceImage = {
  /** A signed URL that expires soon. Null where the provider cannot reach this server. */
  url: string | null;
  contentType: 'image/png' | 'image/jpeg' | 'image/webp';
  fileName: string;
  /** Reads the image, for providers that take uploads. Throws where it was deleted. */
  load(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
};

/** One generation as a provider needs to know it. `jobId` is ours: a UUID that never changes. */
export type GenerationRequest = {
  jobId: string;
  providerModelId: string;
  prompt: string;
  settings: VideoSettings;
  image: SourceImage | null;
  /** The callback URL for the provider's events about the job. Null: it cannot send any. */
  webhookUrl: string | null;
};

/**
 * Why a request was declined, where that is known. `moderated`: by the provider's rules on content. `image_gone`: by us, because
 * its image was deleted or replaced before the provider had it. `image_unreadable`: the provider could not fetch or read it.
 */
export type DeclineReason = 'moderated' | 'image_gone' | 'image_unreadable';

/**
 * What is known after a submit:
 * - `accepted`: the provider has the job, under `providerJobId`;
 * - `retryable`: it did not accept the job (429, 503, no connection made); the same submit may be sent again. `isBusy`: the
 *   provider is healthy, but busy (429), or our own storage failed before the provider was called;
 * - `declined`: it does not accept this request, however often it is sent; the job fails with `code`: `ERR_5003` when the
 *   request is at fault, `ERR_5002` when our account is (a refused key, no credit left);
 * - `unknown`: bytes were sent and no usable reply came back; never sent again unless `submitIsRepeatable`.
 */
export type SubmitOutcome =
  | { outcome: 'accepted'; providerJobId: string; requestId?: string }
  | { outcome: 'retryable'; cause: string; retryAfterMs?: number; isBusy?: true }
  | { outcome: 'declined'; code: ErrorCode; cause: string; reason?: DeclineReason }
  | { outcome: 'unknown'; cause: string };

/**
 * Where the finished file is: on this machine, or on one of the provider's `mediaHosts`, which is checked before it is fetched.
 * `bytes`: its size, where the provider says it; a file of another size is not this one.
 */
export type VideoSource = { from: 'file'; path: string } | { from: 'url'; url: string; bytes?: number };

/**
 * `progress` is whole percent, 0–100. `queuePosition` counts from 1; both are null where the provider does not say.
 * `costUsd`: what the job has cost us, where the provider reports it.
 */
export type ProviderStatus =
  | { state: 'queued'; queuePosition: number | null }
  | { state: 'processing'; progress: number | null }
  | { state: 'completed'; video: VideoSource; thumbnail: VideoSource | null; costUsd?: number }
  | ({ state: 'failed'; code: ErrorCode; cause: string; reason?: DeclineReason; costUsd?: number } & Unconfirmed)
  /** The provider has completed the job and its result cannot be read yet; ask again for some minutes. */
  | { state: 'not_ready'; cause: string }
  /** The status could not be read now; poll again later, not before `retryAfterMs`. */
  | { state: 'unreachable'; cause: string; retryAfterMs?: number }
  /** The provider knows no such job of our account. */
  | { state: 'absent'; cause: string };

/** `isUnconfirmed`: the provider refused to answer for the job, which does not show that the job is ours. */
type Unconfirmed = { isUnconfirmed?: true };

/** A webhook as it was received: nothing in it is parsed yet. */
export type WebhookDelivery = { headers: Headers; body: Uint8Array; receivedAt: Date };

/**
 * `ok`: the provider sent it, just now. It is only a hint: it may be about another customer's job. `eventId` is null where
 * events have no id. `cause` is for our log alone.
 */
export type WebhookVerdict =
  | { ok: true; providerJobId: string | null; eventId: string | null }
  | { ok: false; cause: string };

/** What an adapter does; the manifest declares the rest. */
export type ProviderAdapter = {
  /** True when submitting the same `jobId` twice creates (and bills) one video. */
  readonly submitIsRepeatable: boolean;
  /** How long to wait between two polls of one job. */
  readonly pollIntervalMs: number;
  submit(request: GenerationRequest, signal: AbortSignal): Promise<SubmitOutcome>;
  /**
   * The job's status, read with the provider's id and our key. Where a submit's outcome is unknown and an event names an
   * id, every status but `absent`, `unreachable` and one that `isUnconfirmed` confirms that the job is ours.
   */
  status(request: GenerationRequest, providerJobId: string, signal: AbortSignal): Promise<ProviderStatus>;
  /** Cancels the job at the provider. Best effort: our database decides the job's state. */
  cancel(request: GenerationRequest, providerJobId: string, signal: AbortSignal): Promise<void>;
  /** Whether the provider sent this; absent where it sends no webhooks. */
  verifyWebhook?(delivery: WebhookDelivery): Promise<WebhookVerdict>;
  /** Deletes what the adapter stored on this machine for the job: our copy of the video is stored, or no longer needed. */
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
