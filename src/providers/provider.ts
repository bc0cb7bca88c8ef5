/** The one port behind which every video provider stands. Adapters answer with outcomes and throw only for our own bugs. */
import type { ErrorCode } from '../kernel/errors.ts';

export type ProviderName = 'sandbox' | 'fal' | 'runway' | 'pika';

/** What the model's settings schema admits, already validated and filled with its defaults. `duration` is whole seconds. */
export type VideoSettings = {
  duration: number;
  resolution?: string;
  aspect_ratio?: string;
  fps?: number;
  [setting: string]: string | number | boolean | undefined;
};

/** One generation as a provider needs to know it. `jobId` is ours: a UUID that names the generation for ever. */
export type GenerationRequest = {
  jobId: string;
  providerModelId: string;
  prompt: string;
  settings: VideoSettings;
  imageUrl: string | null;
};

/**
 * What is known after a submit:
 * - `accepted`: the provider has the job, under `providerJobId`;
 * - `refused`: it did not take the job (429, 503, no connection made); the same submit may be sent again;
 * - `rejected`: it will never take this request; the job fails with `code`;
 * - `unknown`: bytes left and no usable answer came back; never sent again unless `submitIsRepeatable`.
 */
export type SubmitOutcome =
  | { outcome: 'accepted'; providerJobId: string; requestId?: string }
  | { outcome: 'refused'; cause: string; retryAfterMs?: number }
  | { outcome: 'rejected'; code: ErrorCode; cause: string }
  | { outcome: 'unknown'; cause: string };

/** Where the finished file is: on this machine. */
export type VideoSource = { from: 'file'; path: string };

/** `progress` is whole percent, 0–100. `queuePosition` counts from 1; both are null where the provider does not say. */
export type ProviderStatus =
  | { state: 'queued'; queuePosition: number | null }
  | { state: 'processing'; progress: number | null }
  | { state: 'completed'; video: VideoSource; thumbnail: VideoSource | null }
  | { state: 'failed'; code: ErrorCode; cause: string }
  /** The provider could not be asked just now; ask again later. */
  | { state: 'unreachable'; cause: string };

export type VideoProvider = {
  readonly name: ProviderName;
  /** True when submitting the same `jobId` twice makes (and bills) one video. */
  readonly submitIsRepeatable: boolean;
  /** How long to wait between two status questions about one job. */
  readonly pollIntervalMs: number;
  submit(request: GenerationRequest, signal: AbortSignal): Promise<SubmitOutcome>;
  status(request: GenerationRequest, providerJobId: string, signal: AbortSignal): Promise<ProviderStatus>;
  /** Asks the provider to stop. Best effort: the job's own state is decided in our database. */
  cancel(request: GenerationRequest, providerJobId: string, signal: AbortSignal): Promise<void>;
  /** Our copy is safe (or no longer wanted): whatever the adapter kept on this machine for the job may go. */
  release(jobId: string): Promise<void>;
  /** Stops what runs on this machine. Called once, at shutdown. */
  close(): Promise<void>;
};
