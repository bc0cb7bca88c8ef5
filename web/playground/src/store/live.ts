/** Keeps the state true: loads an account's things once, then follows the server's events. */
import { ConnectionError, type FeedState, type JobEvent, type Model, RendioError } from '@rendio/client';
import { rendio } from '../lib/server.ts';
import { resumeWish } from './compose.ts';
import { hearCredits, refreshCredits } from './credits.ts';
import { announceEnd, firstJobs, isRunning, learn, refresh, show } from './jobs.ts';
import { tellAccount } from './preferences.ts';
import { resumeRemovals } from './removal.ts';
import { type Job, NOBODYS } from './state.ts';
import { getState, update } from './store.ts';

const RETRY_MS = 500;
const RETRY_MAX_MS = 8_000;
/** A plain no will not change soon. */
const REFUSED_RETRY_MS = 60_000;
const REFRESH_TRIES_MAX = 6;

/** Whose things are shown. */
let account: string | null = null;
let stop = () => {};
let entering: Promise<void> | null = null;
let wakers: (() => void)[] = [];

/** Begins; the page lives by it until it is closed. */
export async function start(): Promise<void> {
  window.addEventListener('online', () => {
    wake();
    if (account !== null) catchUp();
  });
  window.addEventListener('offline', () => update({ isLost: true }));
  window.addEventListener('focus', wake);
  await enter();
}

/** Tries again at once, here and in the client, whatever waits for a connection. */
export function hurry(): void {
  window.dispatchEvent(new Event('online'));
}

function wake(): void {
  const waiting = wakers;
  wakers = [];
  for (const go of waiting) go();
}

/** Becomes another guest. */
export async function startAnew(): Promise<void> {
  stop();
  await rendio.forget();
  account = null;
  update(NOBODYS);
  await enter();
}

/** Loads everything of the account, however long that takes, and follows it from there. One at a time. */
function enter(): Promise<void> {
  entering ??= load()
    .then(follow)
    .finally(() => {
      entering = null;
    });
  return entering;
}

async function load(): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      const [models, credits, jobs] = await Promise.all([rendio.models(), rendio.credits(), firstJobs()]);
      account = await rendio.accountId();
      update({ ...jobs, models: realFirst(models), credits, trouble: null, isLost: false });
      return;
    } catch (error) {
      update({ trouble: error, isLost: error instanceof ConnectionError });
      const wantedMs = error instanceof RendioError ? (error.retryAfterMs ?? 0) : 0;
      await pause(
        Math.max(wantedMs, isRefusal(error) ? REFUSED_RETRY_MS : Math.min(RETRY_MS * 2 ** tries, RETRY_MAX_MS)),
      );
    }
  }
}

/** Simulated models come last: a newcomer's first video is to show what was asked for. */
function realFirst(models: Model[]): Model[] {
  return models.toSorted((one, other) => Number(one.is_simulated) - Number(other.is_simulated));
}

function follow(): void {
  const { jobs, removing } = getState();
  const visible = jobs?.filter(({ job_id }) => !removing.includes(job_id)) ?? [];
  const first = visible.find(isRunning) ?? visible[0];
  if (first) show(first.job_id, isRunning(first));
  stop = rendio.subscribe({ onEvent: hear, onState: followLink });
  tellAccount();
  resumeWish();
  resumeRemovals();
}

const isRefusal = (error: unknown) => error instanceof RendioError && error.status < 500;

async function followLink(link: FeedState, error?: unknown): Promise<void> {
  if (link === 'offline') update(error instanceof RendioError ? { trouble: error } : { isLost: true });
  if (link !== 'live' && link !== 'polling') return;
  // Another tab may have become another guest, or the session was refused: what is shown must follow.
  if ((await rendio.accountId()) !== account) {
    stop();
    update(NOBODYS);
    await enter();
    return;
  }
  await catchUp();
}

/** Asks for all that may have changed unheard. */
async function catchUp(): Promise<void> {
  try {
    const running = (getState().jobs ?? []).filter(isRunning).map((job) => refreshEnded(job.job_id));
    await Promise.all([refreshCredits(), ...running]);
    update({ isLost: false, trouble: null });
  } catch (error) {
    update({ isLost: error instanceof ConnectionError });
  }
}

function hear(event: JobEvent): void {
  update({ isLost: false });
  if (event.type === 'credits') {
    // What the client learnt by looking may be older than what the stream said meanwhile.
    if (event.id === null) refreshCredits().catch(() => {});
    else hearCredits(event.credits_remaining);
    return;
  }
  const known = getState().jobs?.find(({ job_id }) => job_id === event.job_id);
  if (known && (event.type === 'queued' || event.type === 'processing')) learn({ ...known, ...progressOf(event) });
  else refreshUntilDone(event.job_id);
}

function progressOf(event: JobEvent & { type: 'queued' | 'processing' }): Partial<Job> & Pick<Job, 'status'> {
  if (event.type === 'queued') return { status: event.status };
  return { status: event.status, progress: event.progress, queue_position: event.queue_position };
}

/** An event's news must not be lost because one request failed. */
async function refreshUntilDone(id: string): Promise<void> {
  for (let tries = 0; tries < REFRESH_TRIES_MAX; tries += 1) {
    try {
      await refreshEnded(id);
      return;
    } catch {
      await pause(RETRY_MS * 2 ** tries);
    }
  }
}

/** Reads a job anew, and says so when it has ended in the meantime. */
async function refreshEnded(id: string): Promise<void> {
  const find = () => getState().jobs?.find(({ job_id }) => job_id === id);
  const before = find();
  await refresh(id);
  const job = find();
  if (!before || !isRunning(before) || !job || isRunning(job)) return;
  announceEnd(job);
  if (job.status === 'failed') refreshCredits().catch(() => {});
}

/** Waits; shorter when the network comes back or somebody comes back to the page. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms * (0.75 + Math.random() / 2));
    wakers.push(resolve);
  });
}
