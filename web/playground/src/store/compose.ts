/** The form: the prompt, the price, what is still missing, and sending the request. */
import type { GenerateRequest } from '@rendio/client';
import { RendioError } from '@rendio/client';
import { rendio, serverNow } from '../lib/server.ts';
import { validChoices } from '../lib/settings.ts';
import { refreshCredits, setCredits } from './credits.ts';
import { forgetUploadedPath, markPathRequested, rememberImage, restoreImage, uploadedPath } from './image.ts';
import { mergeJob, refreshJob, showJob } from './jobs.ts';
import { choicesFor, selectModel, selectPrice, setChoice, setModel, settingsFor } from './models.ts';
import type { Job, State } from './state.ts';
import { currentMessages, getState, update } from './store.ts';

const PROMPT_MIN = 3;

export type Obstacle = { field: 'prompt' | 'image' | 'model' | 'credits' | 'connection'; text: string };

export function setPrompt(prompt: string): void {
  update({ prompt, isTouched: true, refusal: null });
}

/** The length in characters (code points), not in UTF-16 units. */
export function promptLength({ prompt }: Pick<State, 'prompt'>): number {
  return [...prompt.trim()].length;
}

/** Why the button cannot be used now; null when it can, and while the page is loading. */
export function obstacleOf(state: State): Obstacle | null {
  const text = currentMessages();
  const cost = selectPrice(state);
  const { credits } = state;
  if (state.signedOut) return { field: 'connection', text: text.noAccount };
  if (state.isDisconnected) return { field: 'connection', text: text.noConnection };
  if (state.models === null || credits === null) return null;
  if (cost === null) return { field: 'model', text: text.noModels };
  if (credits < cost) return { field: 'credits', text: shortageText(cost, credits) };
  if (selectModel(state)?.requires_image && !state.image) return { field: 'image', text: text.imageMissing };
  const max = selectModel(state)?.prompt_max ?? 0;
  const length = promptLength(state);
  if (length < PROMPT_MIN) return { field: 'prompt', text: text.tooShort(PROMPT_MIN) };
  return length > max ? { field: 'prompt', text: text.tooLong(length - max, max) } : null;
}

function shortageText(cost: number, credits: number): string {
  const text = currentMessages();
  if (credits < 0) return text.debt(-credits);
  return credits > 0 ? text.tooExpensive(cost, credits) : text.noCredits;
}

/** Whether pressing the button sends a request. */
export function isReady(state: State): boolean {
  return state.credits !== null && state.sending === null && obstacleOf(state) === null;
}

/** Sends the request; false when something is missing. */
export function pressGenerate(): boolean {
  const state = getState();
  const model = selectModel(state);
  if (!isReady(state) || !model) {
    update({ isTouched: true });
    return false;
  }
  const request = { model_id: model.id, prompt: state.prompt.trim(), settings: choicesFor(state, model) };
  if (model.requires_image) sendWithImage(request);
  else send(request);
  return true;
}

/** Waits for the upload, then sends the request. If the server no longer has the image, uploads and sends once more. */
async function sendWithImage(request: GenerateRequest, isSecondTry = false): Promise<void> {
  update({ sending: 'uploading', refusal: null });
  const image_url = await uploadedPath();
  if (!image_url) return update({ sending: null });
  await send({ ...request, image_url });
  const error = getState().refusal?.error;
  const isImageGone = error instanceof RendioError && error.details.reason === 'picture_unknown';
  if (isImageGone && !isSecondTry) await sendWithImage(request, true);
}

/** Sends again a request that got no answer before the page was reloaded, with the same idempotency key. */
export async function resumeRequest(): Promise<void> {
  const unanswered = await rendio.unanswered();
  if (!unanswered || getState().sending) return;
  if (getState().prompt === '') update({ prompt: unanswered.request.prompt });
  await send(unanswered.request);
}

async function send(request: GenerateRequest): Promise<void> {
  update({ sending: 'sending', refusal: null });
  markPathRequested(request.image_url);
  try {
    const answer = await rendio.submit(request, { onRetry: () => update({ sending: 'waiting' }) });
    addJob(request, answer);
    // The answer may be a replay, and its job may have ended since; without events, nothing else updates the balance.
    refreshJob(answer.job_id).catch(() => {});
    refreshCredits().catch(() => {});
  } catch (error) {
    showRefusal(error);
  } finally {
    update({ sending: null });
  }
}

function addJob(request: GenerateRequest, { job_id, credits_used }: { job_id: string; credits_used: number }): void {
  const model = getState().models?.find(({ id }) => id === request.model_id);
  const settings = model ? validChoices(settingsFor(model), request.settings ?? {}) : {};
  // An estimate until the job has been read; not earlier than the newest job, so that the order is right.
  const now = new Date(serverNow()).toISOString();
  const newest = getState().jobs?.[0]?.created_at ?? '';
  const created_at = newest > now ? newest : now;
  const job: Job = {
    job_id,
    prompt: request.prompt,
    model_id: request.model_id,
    model_name: model?.name ?? '',
    settings,
    image_url: request.image_url ?? null,
    credits_used,
    status: 'pending',
    error_code: null,
    created_at,
    video_url: null,
    thumbnail_url: null,
  };
  mergeJob(job);
  rememberImage(job_id, request.image_url);
  const ratio = request.settings?.aspect_ratio;
  if (typeof ratio === 'string') update(({ aspectRatios }) => ({ aspectRatios: { ...aspectRatios, [job_id]: ratio } }));
  showJob(job_id);
}

/** Shows the refusal beside the field that caused it, and takes over the balance that it states. */
function showRefusal(error: unknown): void {
  const details: Record<string, unknown> = error instanceof RendioError ? { ...error.details } : {};
  if (typeof details.credits_remaining === 'number') setCredits(details.credits_remaining);
  const field = typeof details.field === 'string' ? details.field : '';
  if (field === 'image_url') forgetUploadedPath();
  update({ refusal: { field, error } });
}

/** Fills the form with a job's model, settings, prompt and image. */
export function fillForm(job: Job): void {
  const model = getState().models?.find(({ id }) => id === job.model_id);
  if (model) {
    setModel(model.id);
    for (const [name, value] of Object.entries(job.settings)) setChoice(model.id, name, value);
  }
  if (model?.requires_image && job.image_url) restoreImage(job.image_url);
  update({ prompt: job.prompt, isTouched: false, refusal: null });
}
