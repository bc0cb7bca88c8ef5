/** An app that a user has just installed. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { History, Job, Jobs, Model, Onboarded, Profile, Started, Status } from './answers.ts';
import { type CallOptions, call, expectStatus, type Json, type Reply } from './api.ts';
import { until } from './until.ts';

/** Any body: the suite sends invalid ones too. */
export type Generation = { [field: string]: unknown };

export type Guest = {
  base: string;
  userId: string;
  token: string;
  refreshToken: string;
  deviceId: string;
  deviceToken: string;
  get<Body = Json>(path: string, options?: CallOptions): Promise<Reply<Body>>;
  post<Body = Json>(path: string, body: unknown, options?: CallOptions): Promise<Reply<Body>>;
  /** Requests a video that stays unfinished until it is cancelled, unless `fields` says otherwise. */
  generate(fields?: Generation, key?: string, options?: CallOptions): Promise<Reply<Started>>;
  /** The same; asserts that it was accepted, and returns the body. */
  start(fields?: Generation): Promise<Started>;
  cancel(jobId: string): Promise<void>;
  job(jobId: string): Promise<Job>;
  /** Polls until the job has one of these states. */
  waitFor(jobId: string, states: Status[], limitMs?: number): Promise<Job>;
  jobs(query?: string): Promise<Jobs>;
  balance(): Promise<number>;
  profile(): Promise<Profile>;
  /** The whole ledger, newest first. */
  ledger(): Promise<History['transactions']>;
};

/** A token as the simulated DeviceCheck reads it. */
export const deviceTokenOf = (device: string): string => Buffer.from(`device:${device}`).toString('base64');

/** A prompt that the sandbox accepts and never finishes. */
export const ENDLESS = '[sandbox:timeout] an endless take';
export const FAILING = '[sandbox:fail] a scene that is declined';
/** The video that is made in the shortest time. */
export const SHORT = { duration: 1, resolution: '360p', aspect_ratio: '1:1' };

const models = new Map<string, Promise<Model>>();

/** The sandbox's entry in the list of models. */
export function sandboxModel(base: string): Promise<Model> {
  const known = models.get(base) ?? findSandbox(base);
  models.set(base, known);
  return known;
}

async function findSandbox(base: string): Promise<Model> {
  const reply = expectStatus(await call<{ models: Model[] }>(base, 'GET', 'get-models'), 200);
  const model = reply.body.models.find(({ provider }) => provider === 'sandbox');
  assert.ok(model, 'the suite needs a server that has the sandbox model');
  return model;
}

export type Install = { deviceId?: string; deviceToken?: string | null; headers?: Record<string, string> };

export function deviceCheck(base: string, body: unknown, options: CallOptions = {}): Promise<Reply<Onboarded>> {
  return call<Onboarded>(base, 'POST', 'device-check', { body, ...options });
}

/** Onboards a new guest, with the initial credits if DeviceCheck allows them. */
export async function newGuest(base: string, install: Install = {}): Promise<Guest> {
  const deviceId = install.deviceId ?? randomUUID();
  const deviceToken = install.deviceToken === undefined ? deviceTokenOf(randomUUID()) : install.deviceToken;
  const body = deviceToken === null ? { device_id: deviceId } : { device_id: deviceId, device_token: deviceToken };
  const reply = expectStatus(await deviceCheck(base, body, { headers: install.headers }), 200);
  return asGuest(base, reply.body, deviceId, deviceToken ?? '');
}

type Tokens = Pick<Onboarded, 'user_id' | 'access_token' | 'refresh_token'>;

/** The guest to whom the tokens belong. */
export function asGuest(base: string, onboarded: Tokens, deviceId = '', deviceToken = ''): Guest {
  const token = onboarded.access_token;
  const read = async <Body>(path: string): Promise<Body> =>
    expectStatus(await call<Body>(base, 'GET', path, { token }), 200).body;
  const guest: Guest = {
    base,
    userId: onboarded.user_id,
    token,
    refreshToken: onboarded.refresh_token,
    deviceId,
    deviceToken,
    get: (path, options) => call(base, 'GET', path, { token, ...options }),
    post: (path, body, options) => call(base, 'POST', path, { token, body, ...options }),
    async generate(fields = {}, key = randomUUID(), options = {}) {
      const body = { model_id: (await sandboxModel(base)).id, prompt: ENDLESS, ...fields };
      const headers = { 'Idempotency-Key': key, ...options.headers };
      return call<Started>(base, 'POST', 'generate-video', { token, body, ...options, headers });
    },
    start: async (fields) => expectStatus(await guest.generate(fields), 200).body,
    async cancel(jobId) {
      expectStatus(await guest.post('cancel-video-job', { job_id: jobId }), 200);
    },
    job: (jobId) => read<Job>(`get-video-status?job_id=${jobId}`),
    waitFor: (jobId, states, limitMs) =>
      until(
        () => guest.job(jobId),
        ({ status }) => states.includes(status),
        `job that is ${states.join(' or ')}`,
        limitMs,
      ),
    jobs: (query = '') => read<Jobs>(`get-video-jobs${query}`),
    balance: async () => (await read<{ credits_remaining: number }>('get-user-credits')).credits_remaining,
    profile: () => read<Profile>('get-user-profile'),
    async ledger() {
      const rows: History['transactions'] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: History = await read<History>(`get-credit-history?limit=100${query}`);
        rows.push(...page.transactions);
        cursor = page.next_cursor;
      }
      return rows;
    },
  };
  return guest;
}
