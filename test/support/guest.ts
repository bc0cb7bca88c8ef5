import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

export type GuestJob = {
  job_id: string;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  progress: number | null;
  video_url: string | null;
  error_code: string | null;
};

/** The API as an app calls it for one user, over the network. */
export type Guest = {
  userId: string;
  headers: Record<string, string>;
  url(name: string): string;
  /** Any call; `body` makes it a POST. */
  call(name: string, body?: object, headers?: Record<string, string>): Promise<Response>;
  /** Starts a paid generation; returns the job's id. A repeat with the same key has no further effect. */
  generate(settings?: object, idempotencyKey?: string, prompt?: string): Promise<string>;
  job(jobId: string): Promise<GuestJob>;
  balance(): Promise<number>;
};

/** A new device with its first ten credits, at a server with the simulated DeviceCheck. */
export async function onboardGuest(url: string): Promise<Guest> {
  const device = randomUUID();
  const made = await fetch(`${url}/functions/v1/device-check`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ device_id: device, device_token: btoa(`device:${device}`) }),
  });
  const { user_id, access_token } = await answerOf<{ user_id: string; access_token: string }>(made);
  const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' };
  const guest: Guest = {
    userId: user_id,
    headers,
    url: (name) => `${url}/functions/v1/${name}`,
    call: (name, body, more = {}) =>
      fetch(guest.url(name), {
        headers: { ...headers, ...more },
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      }),
    async generate(settings = {}, idempotencyKey = randomUUID(), prompt = 'a cat playing piano') {
      const { models } = await answerOf<{ models: { id: string; provider: string }[] }>(await guest.call('get-models'));
      const model = models.find(({ provider }) => provider === 'sandbox');
      const body = { model_id: model?.id, prompt, settings };
      const begun = await guest.call('generate-video', body, { 'Idempotency-Key': idempotencyKey });
      return (await answerOf<{ job_id: string }>(begun)).job_id;
    },
    job: async (jobId) => answerOf<GuestJob>(await guest.call(`get-video-status?job_id=${jobId}`)),
    balance: async () =>
      (await answerOf<{ credits_remaining: number }>(await guest.call('get-user-credits'))).credits_remaining,
  };
  return guest;
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}
