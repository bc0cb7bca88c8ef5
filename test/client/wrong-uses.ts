/** Code that must not compile: where a line compiles, the type check fails. Checked by `npm run check`, never run. */
import { createClient, type GenerateRequest, type Job, type JobEvent, type Model } from '../../client/src/index.ts';

// @ts-expect-error: a prompt is required
export const noPrompt: GenerateRequest = { model_id: 'x' };
// @ts-expect-error: identity comes from the token alone
export const named: GenerateRequest = { model_id: 'x', prompt: 'y', user_id: 'z' };
// @ts-expect-error: one of the four states
export const status: Job['status'] = 'cancelled';
// @ts-expect-error: credits are numbers
export const price: Model['pricing']['credits'] = '1';
// @ts-expect-error: a storage must also write and remove
createClient({ storage: { get: () => null } });
// @ts-expect-error: a device needs its device_id
createClient({ device: () => ({ device_token: 'x' }) });

const rendio = createClient();
// @ts-expect-error: the server has no such language
rendio.updateProfile({ language: 'de' });
// @ts-expect-error: a key is a string
rendio.submit({ model_id: 'x', prompt: 'y' }, { idempotencyKey: 1 });
// @ts-expect-error: a page's limit is a number
rendio.jobs({ limit: 'all' });
// @ts-expect-error: only a completed job has a URL
export const url: Promise<string> = rendio.job('x').then(({ video_url }) => video_url);

export function read(event: JobEvent): number | null {
  // @ts-expect-error: only some events have a job
  if (event.job_id === '') return 0;
  // @ts-expect-error: only a processing event has progress
  if (event.type === 'completed') return event.progress;
  return event.type === 'processing' ? event.progress : null;
}
