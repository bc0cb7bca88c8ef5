/** The form: what to make, with which model, for how much, and why not if not. */
import type { GenerateRequest } from '@rendio/client';
import { RendioError } from '@rendio/client';
import { rendio, serverNow } from '../lib/server.ts';
import { hearCredits, refreshCredits } from './credits.ts';
import { bringBack, distrustPath, keepPath, rememberPicture, whenUploaded } from './image.ts';
import { learn, refresh, show } from './jobs.ts';
import { choicesFor, selectModel, selectPrice, setModel } from './models.ts';
import type { Job, State } from './state.ts';
import { getState, update, words } from './store.ts';

const PROMPT_MIN = 3;

export type Obstacle = { field: 'prompt' | 'picture' | 'model' | 'credits' | 'connection'; text: string };

export function setPrompt(prompt: string): void {
  update({ prompt, isTouched: true, refusal: null });
}

/** Characters as people count them, not UTF-16 units. */
export function promptLength({ prompt }: Pick<State, 'prompt'>): number {
  return [...prompt.trim()].length;
}

/** Why the button does nothing now; null when it works, and while the page still loads. */
export function obstacleOf(state: State): Obstacle | null {
  const text = words();
  const cost = selectPrice(state);
  const { credits } = state;
  if (state.isLost) return { field: 'connection', text: text.noConnection };
  if (state.models === null || credits === null) return null;
  if (cost === null) return { field: 'model', text: text.noModels };
  if (credits < cost) return { field: 'credits', text: credits > 0 ? text.tooDear(cost, credits) : text.noCredits };
  if (selectModel(state)?.requires_image && !state.picture) return { field: 'picture', text: text.pictureMissing };
  const max = selectModel(state)?.prompt_max ?? 0;
  const length = promptLength(state);
  if (length < PROMPT_MIN) return { field: 'prompt', text: text.tooShort(PROMPT_MIN) };
  return length > max ? { field: 'prompt', text: text.tooLong(length - max, max) } : null;
}

/** Whether a press would send something. */
export function isReady(state: State): boolean {
  return state.credits !== null && state.sending === null && obstacleOf(state) === null;
}

/** Sends the wish; false when something is missing. */
export function press(): boolean {
  const state = getState();
  const model = selectModel(state);
  if (!isReady(state) || !model) {
    update({ isTouched: true });
    return false;
  }
  const request = { model_id: model.id, prompt: state.prompt.trim(), settings: choicesFor(state, model) };
  if (model.requires_image) sendWithPicture(request);
  else send(request);
  return true;
}

/** The wish as it was when the button was pressed, once its picture has arrived; the server may have lost it since. */
async function sendWithPicture(request: GenerateRequest, isSecondTry = false): Promise<void> {
  update({ sending: 'uploading', refusal: null });
  const image_url = await whenUploaded();
  if (!image_url) return update({ sending: null });
  await send({ ...request, image_url });
  const error = getState().refusal?.error;
  const isGone = error instanceof RendioError && error.details.reason === 'picture_unknown';
  if (isGone && !isSecondTry) await sendWithPicture(request, true);
}

/** Sends again what had no answer before the page was loaded anew: under the same key. */
export async function resumeWish(): Promise<void> {
  const unanswered = await rendio.unanswered();
  if (!unanswered || getState().sending) return;
  if (getState().prompt === '') update({ prompt: unanswered.request.prompt });
  await send(unanswered.request);
}

async function send(request: GenerateRequest): Promise<void> {
  update({ sending: 'sending', refusal: null });
  keepPath(request.image_url);
  try {
    const answer = await rendio.submit(request, { onRetry: () => update({ sending: 'waiting' }) });
    begin(request, answer);
    // The answer may be a repeat, of a job that has long moved on; and where no events come, nobody else tells the balance.
    refresh(answer.job_id).catch(() => {});
    refreshCredits().catch(() => {});
  } catch (error) {
    refuse(error);
  } finally {
    update({ sending: null });
  }
}

function begin(request: GenerateRequest, { job_id, credits_used }: { job_id: string; credits_used: number }): void {
  const model_name = getState().models?.find(({ id }) => id === request.model_id)?.name ?? '';
  // A guess until the job is read; not before the one that was made last.
  const now = new Date(serverNow()).toISOString();
  const newest = getState().jobs?.[0]?.created_at ?? '';
  const created_at = newest > now ? newest : now;
  const job: Job = {
    job_id,
    prompt: request.prompt,
    model_name,
    credits_used,
    status: 'pending',
    created_at,
    video_url: null,
    thumbnail_url: null,
  };
  learn(job);
  rememberPicture(job_id, request.image_url);
  const shape = request.settings?.aspect_ratio;
  if (typeof shape === 'string') update(({ shapes }) => ({ shapes: { ...shapes, [job_id]: shape } }));
  show(job_id);
}

/** Kept beside the field that caused it; what the refusal says about the balance is believed. */
function refuse(error: unknown): void {
  const details: Record<string, unknown> = error instanceof RendioError ? { ...error.details } : {};
  if (typeof details.credits_remaining === 'number') hearCredits(details.credits_remaining);
  const field = typeof details.field === 'string' ? details.field : '';
  if (field === 'image_url') distrustPath();
  update({ refusal: { field, error } });
}

/** Fills the form with what a video was made from. */
export function fillFrom(job: Job): void {
  const model = getState().models?.find(({ name }) => name === job.model_name);
  if (model) setModel(model.id);
  if (model?.requires_image) bringBack(job.job_id);
  update({ prompt: job.prompt, isTouched: false, refusal: null });
}
