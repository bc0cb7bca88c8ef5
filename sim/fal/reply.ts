/** fal's words about a job: the status, the result, and the event that a webhook carries. */
import { problemsWith } from './endpoints.ts';
import { CANCELLED, type Failure, failureOf, invalidInput } from './outcome.ts';
import { placeOf, stateOf } from './queue.ts';
import type { Job } from './store.ts';

export type Form = 'short' | 'long';

/** Where things are for a caller who found the queue at `origin`. A simulator on one port is all of fal's hosts. */
export function mediaOriginFor(origin: string): string {
  return new URL(origin).host === 'queue.fal.run' ? 'https://v3.fal.media' : origin;
}

function urlsOf(job: Job, origin: string, form: Form) {
  const base = `${origin}/${job.endpoint.split('/').slice(0, 2).join('/')}/requests/${job.requestId}`;
  return {
    response_url: form === 'long' ? `${base}/response` : base,
    status_url: `${base}/status`,
    cancel_url: `${base}/cancel`,
  };
}

/** The answer to a submit. */
export function takenBody(job: Job, origin: string, form: Form, nowMs: number): object {
  const place = placeOf(job, nowMs);
  const gateway = job.webhookUrl === null ? {} : { gateway_request_id: job.requestId };
  return {
    status: 'IN_QUEUE',
    request_id: job.requestId,
    ...gateway,
    ...urlsOf(job, origin, form),
    queue_position: place,
  };
}

export function failureOfJob(job: Job): Failure | undefined {
  if (job.isCancelled) return CANCELLED;
  const problems = job.outcome === 'invalid' ? (problemsWith(job.endpoint, job.input) ?? []) : [];
  return problems.length > 0 ? invalidInput(problems, job.input) : failureOf(job.outcome);
}

export function statusBody(job: Job, origin: string, options: { form: Form; logs: boolean; nowMs: number }): object {
  const { form, logs, nowMs } = options;
  const known = { request_id: job.requestId, ...urlsOf(job, origin, form) };
  const status = stateOf(job, nowMs);
  if (status === 'IN_QUEUE') return { status, queue_position: placeOf(job, nowMs), ...known };
  const lines = [
    { message: 'Generating', timestamp: new Date(job.takenAtMs).toISOString(), level: 'INFO', source: 'USER' },
  ];
  const said = logs ? { logs: lines } : { logs: null };
  if (status === 'IN_PROGRESS') return { status, ...said, ...known };
  const failure = failureOfJob(job);
  const errors = failure?.error === undefined ? {} : { error: failure.error, error_type: failure.errorType };
  return { status, ...said, metrics: { inference_time: 2 }, ...errors, ...known };
}

const SHAPES: Record<string, string> = { '9:16': 'portrait', '4:5': 'portrait', '2:3': 'portrait', '1:1': 'square' };
const INTERNAL_URL = 'https://169.254.169.254/latest/meta-data/output.mp4';

/** What the model gives where it has not failed. */
export function resultBody(job: Job, origin: string): object {
  if (job.outcome === 'no_file') return { video: null };
  if (job.outcome === 'no_files') return {};
  const shape = SHAPES[String(job.input.aspect_ratio)] ?? 'landscape';
  const path = `/files/${job.outcome}/${job.requestId}/${shape}.mp4`;
  const url = job.outcome === 'video_internal' ? INTERNAL_URL : `${mediaOriginFor(origin)}${path}`;
  return { video: { url, content_type: 'video/mp4', file_name: 'output.mp4' } };
}

/** `isTooLarge`: as for a result that fal cannot put into an event. */
export function eventBody(job: Job, isTooLarge: boolean): object {
  const ids = { request_id: job.requestId, gateway_request_id: job.requestId };
  const failure = failureOfJob(job);
  if (failure)
    return { ...ids, status: 'ERROR', error: `Invalid status code: ${failure.status}`, payload: failure.body };
  if (!isTooLarge) return { ...ids, status: 'OK', payload: resultBody(job, job.origin) };
  const payload_error = 'Response payload is not JSON serializable. Please use the queue endpoint to retrieve it.';
  return { ...ids, status: 'OK', payload: null, payload_error };
}
