/** What must not compile: an error that is not one any more is an error. Checked by `npm run check`, never run. */
import { createClient, type GenerateRequest, type Job, type JobEvent, type Model } from '../../client/src/index.ts';

// @ts-expect-error: a prompt is needed
export const noPrompt: GenerateRequest = { model_id: 'x' };
// @ts-expect-error: identity comes from the token alone
export const named: GenerateRequest = { model_id: 'x', prompt: 'y', user_id: 'z' };
// @ts-expect-error: one of the four states
export const status: Job['status'] = 'cancelled';
// @ts-expect-error: credits are numbers
export const price: Model['pricing']['credits'] = '1';
// @ts-expect-error: a storage takes and gives
createClient({ storage: { get: () => null } });
// @ts-expect-error: a device says who it is
createClient({ device: () => ({ device_token: 'x' }) });

const rendio = createClient();
// @ts-expect-error: a language that the server has
rendio.updateProfile({ language: 'de' });
// @ts-expect-error: a key is a text
rendio.submit({ model_id: 'x', prompt: 'y' }, { idempotencyKey: 1 });
// @ts-expect-error: a page has a number of jobs
rendio.jobs({ limit: 'all' });
// @ts-expect-error: whether it plays is said by the status; the address may be missing
export const url: Promise<string> = rendio.job('x').then(({ video_url }) => video_url);

export function read(event: JobEvent): number | null {
  // @ts-expect-error: only some events have a job
  if (event.job_id === '') return 0;
  // @ts-expect-error: only what runs has progress
  if (event.type === 'completed') return event.progress;
  return event.type === 'processing' ? event.progress : null;
}
