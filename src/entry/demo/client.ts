import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { StartupError } from '../../kernel/startup-error.ts';

export type DemoStatus = {
  status: 'pending' | 'processing' | 'completed' | 'failed';
  progress: number | null;
  queue_position: number | null;
  video_url: string | null;
  error_message: string | null;
};

export type DemoClient = {
  onboard(): Promise<{ user_id: string; credits_remaining: number }>;
  generate(prompt: string, settings: object): Promise<{ job_id: string; credits_used: number }>;
  /** Resolves with the job's end; `onChange` hears of every look before it. */
  waitFor(jobId: string, onChange: (status: DemoStatus) => void): Promise<DemoStatus>;
  balance(): Promise<number>;
};

const LOOK_EVERY_MS = 200;

/** The calls an app makes, over the network like an app's. */
export async function createDemoClient(baseUrl: string): Promise<DemoClient> {
  let accessToken = '';

  async function call<Answer>(method: string, name: string, body?: object, headers: object = {}): Promise<Answer> {
    const response = await fetch(`${baseUrl}/functions/v1/${name}`, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(accessToken ? { Authorization: `Bearer ${accessToken}` } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json();
    if (!response.ok) throw new StartupError(answer.error?.message ?? `${name} answered ${response.status}`);
    return answer;
  }

  return {
    async onboard() {
      const device = randomUUID();
      const guest = await call<{ user_id: string; credits_remaining: number; access_token: string }>(
        'POST',
        'device-check',
        { device_id: device, device_token: btoa(`device:${device}`) },
      );
      accessToken = guest.access_token;
      return guest;
    },
    async generate(prompt, settings) {
      const { models } = await call<{ models: { id: string; provider: string }[] }>('GET', 'get-models');
      const model = models.find(({ provider }) => provider === 'sandbox') ?? models[0];
      if (!model) throw new StartupError('No model is available.');
      const headers = { 'Idempotency-Key': randomUUID() };
      return call('POST', 'generate-video', { model_id: model.id, prompt, settings }, headers);
    },
    async waitFor(jobId, onChange) {
      for (;;) {
        const status = await call<DemoStatus>('GET', `get-video-status?job_id=${jobId}`);
        if (status.status === 'completed' || status.status === 'failed') return status;
        onChange(status);
        await wait(LOOK_EVERY_MS);
      }
    },
    async balance() {
      return (await call<{ credits_remaining: number }>('GET', 'get-user-credits')).credits_remaining;
    },
  };
}
