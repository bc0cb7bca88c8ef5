/** fal's replies about a job: the status, the result, and the event that a webhook carries. */
import type { QueueStatus, WebHookResponse } from '@fal-ai/client';
import type { EndpointTypeMap } from '@fal-ai/client/endpoints';
import { INTERNAL_URL } from '../media-host.ts';
import { type StockVideoSpec, stockVideoFor } from '../stock-video.ts';
import { type inputShapes, problemsWith } from './endpoints.ts';
import { CANCELLED, type Failure, failureOf, invalidInput } from './outcome.ts';
import { queuePositionOf, stateOf } from './queue.ts';
import type { Job } from './store.ts';

export type Form = 'short' | 'long';

/** The media host's origin for a caller that reached the queue at `origin`. A simulator on one port is all of fal's hosts. */
export function mediaOriginFor(origin: string): string {
  return ['queue.fal.run', 'rest.fal.ai'].includes(new URL(origin).host) ? 'https://v3.fal.media' : origin;
}

function urlsOf(job: Job, origin: string, form: Form) {
  const base = `${origin}/${job.endpoint.split('/').slice(0, 2).join('/')}/requests/${job.requestId}`;
  return {
    response_url: form === 'long' ? `${base}/response` : base,
    status_url: `${base}/status`,
    cancel_url: `${base}/cancel`,
  };
}

type Waiting = Extract<QueueStatus, { status: 'IN_QUEUE' }>;
/** fal's types leave out that logs are null unless they were requested, and the error in the status of a failed job. */
type WithLogs<Status> = Status extends { logs: infer Logs } ? Omit<Status, 'logs'> & { logs: Logs | null } : Status;
type StatusBody = WithLogs<QueueStatus> & { error?: string; error_type?: string };

/** The reply to a submit. */
export function acceptedBody(
  job: Job,
  origin: string,
  form: Form,
  nowMs: number,
): Waiting & { gateway_request_id?: string } {
  const gateway = job.webhookUrl === null ? {} : { gateway_request_id: job.requestId };
  return {
    status: 'IN_QUEUE',
    request_id: job.requestId,
    ...gateway,
    ...urlsOf(job, origin, form),
    queue_position: queuePositionOf(job, nowMs),
  };
}

export function failureOfJob(job: Job): Failure | undefined {
  if (job.isCancelled) return CANCELLED;
  const problems = job.outcome === 'invalid' ? (problemsWith(job.endpoint, job.input) ?? []) : [];
  return problems.length > 0 ? invalidInput(problems, job.input) : failureOf(job.outcome);
}

type StatusOptions = { form: Form; logs: boolean; nowMs: number };

export function statusBody(job: Job, origin: string, options: StatusOptions): StatusBody {
  const { form, logs, nowMs } = options;
  const known = { request_id: job.requestId, ...urlsOf(job, origin, form) };
  const status = stateOf(job, nowMs);
  if (status === 'IN_QUEUE') return { status, queue_position: queuePositionOf(job, nowMs), ...known };
  const line = { message: 'Generating', timestamp: new Date(job.acceptedAtMs).toISOString() };
  const details = { logs: logs ? [{ ...line, level: 'INFO' as const, source: 'USER' as const }] : null };
  if (status === 'IN_PROGRESS') return { status, ...details, ...known };
  const failure = failureOfJob(job);
  const type = failure?.errorType === undefined ? {} : { error_type: failure.errorType };
  const errors = failure?.error === undefined ? {} : { error: failure.error, ...type };
  return { status, ...details, metrics: { inference_time: 2 }, ...errors, ...known };
}

function specOf({ endpoint, input }: Job): StockVideoSpec {
  const defaultSeconds = endpoint.startsWith('fal-ai/veo') ? 8 : 5;
  const durationSeconds = Number.parseInt(String(input.duration ?? defaultSeconds), 10);
  const [, across = 16, down = 9] = /^(\d+):(\d+)$/.exec(String(input.aspect_ratio)) ?? [];
  return { durationSeconds, aspectRatio: `${across}x${down}` };
}

/** The size of the whole file, whatever the media host does with it. */
export async function fileBytesOf(job: Job): Promise<number> {
  return (await stockVideoFor(specOf(job))).length;
}

type Output = EndpointTypeMap[keyof typeof inputShapes]['output'];

/** The model's result. A success without a video is in none of fal's types, but happens. */
export function resultBody(job: Job, origin: string, bytes?: number): Output | { video?: null } {
  if (job.outcome === 'no_file') return { video: null };
  if (job.outcome === 'no_files') return {};
  // The file name holds the video's length and shape, so that any process can serve it: `8s-16x9.mp4`.
  const { durationSeconds, aspectRatio } = specOf(job);
  const path = `/files/${job.outcome}/${job.requestId}/${durationSeconds}s-${aspectRatio}.mp4`;
  const url = job.outcome === 'video_internal' ? INTERNAL_URL : `${mediaOriginFor(origin)}${path}`;
  const size = bytes === undefined ? {} : { file_size: bytes };
  return { video: { url, content_type: 'video/mp4', file_name: 'output.mp4', ...size } };
}

/** fal's types require an error where there is none, and leave out the gateway's id and the error of a payload. */
type WithoutError<Body> = Body extends { status: 'OK' } ? Omit<Body, 'error'> : Body;
type Event = WithoutError<WebHookResponse<object | null>> & { gateway_request_id: string; payload_error?: string };

/** `isTooLarge`: the result does not fit into an event. */
export function eventBody(job: Job, isTooLarge: boolean): Event {
  const ids = { request_id: job.requestId, gateway_request_id: job.requestId };
  const failure = failureOfJob(job);
  if (failure) {
    return { ...ids, status: 'ERROR', error: `Invalid status code: ${failure.status}`, payload: failure.body };
  }
  if (!isTooLarge) return { ...ids, status: 'OK', payload: resultBody(job, job.origin) };
  const payload_error = 'Response payload is not JSON serializable. Please use the queue endpoint to retrieve it.';
  return { ...ids, status: 'OK', payload: null, payload_error };
}
