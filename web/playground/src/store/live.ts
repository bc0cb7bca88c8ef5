/** Keeps the state up to date: loads the account's data once, then follows the server's events. */
import {
  ConnectionError,
  type FeedState,
  type JobEvent,
  type Model,
  RendioError,
  type SessionChange,
  SignedOutError,
} from '@rendio/client';
import { rendio } from '../lib/server.ts';
import { loadAppleUrl } from './account.ts';
import { resumeRequest } from './compose.ts';
import { refreshCredits, setCredits } from './credits.ts';
import { addMergedJobs, announceEnd, isRunning, mergeJob, readFirstJobs, refreshJob, showJob } from './jobs.ts';
import { savePreferences } from './preferences.ts';
import { resumeDeletions } from './removal.ts';
import { type Job, NO_ACCOUNT } from './state.ts';
import { getState, update } from './store.ts';

const RETRY_MS = 500;
const RETRY_MAX_MS = 8_000;
/** After a 4xx the answer will rarely change soon. */
const REFUSED_RETRY_MS = 60_000;
const REFRESH_TRIES_MAX = 6;

/** The account whose data is shown. */
let account: string | null = null;
let unsubscribe = () => {};
let loading: Promise<void> | null = null;
let pauses: (() => void)[] = [];
let isForgetting = false;

/** Loads the page's data and follows it until the page is closed. */
export async function start(): Promise<void> {
  window.addEventListener('online', () => {
    endPauses();
    if (account !== null) catchUp();
  });
  window.addEventListener('offline', () => update({ isDisconnected: true }));
  window.addEventListener('focus', endPauses);
  rendio.onSessionChange(onSessionChange);
  await loadAndFollow();
}

/** The account has changed, here or in another tab. */
async function onSessionChange({ reason, accountId }: SessionChange): Promise<void> {
  if (accountId === null) return showSignedOut(reason);
  // While the page is loading, it reads the new account anyway.
  if (loading) return;
  if (reason === 'merged' && account !== null) {
    account = accountId;
    await addMergedJobs().catch(() => {});
    await catchUp();
  } else if (accountId !== account) {
    await switchAccount();
  }
}

async function switchAccount(): Promise<void> {
  unsubscribe();
  account = null;
  // A dialog would go on showing what belongs to the other account, or nothing.
  update({ ...NO_ACCOUNT, dialog: null });
  await loadAndFollow();
}

/** Shows no account's data. `forget` has its own way to a new guest. */
function showSignedOut(reason: SessionChange['reason']): void {
  if (isForgetting) return;
  unsubscribe();
  account = null;
  update({ ...NO_ACCOUNT, jobs: [], signedOut: reason, dialog: null, isDisconnected: false, pageError: null });
  loadAppleUrl();
}

/** Retries at once everything that waits for a connection, here and in the client. */
export function retryNow(): void {
  window.dispatchEvent(new Event('online'));
}

function endPauses(): void {
  const waiting = pauses;
  pauses = [];
  for (const end of waiting) end();
}

/** Forgets the account and onboards a new guest. */
export async function startAsNewGuest(): Promise<void> {
  unsubscribe();
  isForgetting = true;
  await rendio.forget();
  isForgetting = false;
  await switchAccount();
}

/** Loads the account's data, retrying until it succeeds, then follows its events. Runs once at a time. */
function loadAndFollow(): Promise<void> {
  loading ??= load()
    .then((isLoaded) => {
      if (isLoaded) follow();
    })
    .finally(() => {
      loading = null;
    });
  return loading;
}

/** False: the user is signed out. */
async function load(): Promise<boolean> {
  for (let tries = 0; ; tries += 1) {
    try {
      const models = rendio.models();
      // Shown also to users who are signed out.
      models.then((all) => update({ models: simulatedLast(all) })).catch(() => {});
      const [credits, jobs] = await Promise.all([rendio.credits(), readFirstJobs(), models]);
      account = await rendio.accountId();
      update({ ...jobs, credits, pageError: null, isDisconnected: false });
      return true;
    } catch (error) {
      if (error instanceof SignedOutError) {
        showSignedOut(error.reason);
        return false;
      }
      update({ pageError: error, isDisconnected: error instanceof ConnectionError });
      const retryAfterMs = error instanceof RendioError ? (error.retryAfterMs ?? 0) : 0;
      await pause(
        Math.max(retryAfterMs, isRefusal(error) ? REFUSED_RETRY_MS : Math.min(RETRY_MS * 2 ** tries, RETRY_MAX_MS)),
      );
    }
  }
}

/** Simulated models come last: a new user's first video should show the prompt. */
function simulatedLast(models: Model[]): Model[] {
  return models.toSorted((one, other) => Number(one.is_simulated) - Number(other.is_simulated));
}

function follow(): void {
  const { jobs, removing } = getState();
  const visible = jobs?.filter(({ job_id }) => !removing.includes(job_id)) ?? [];
  const first = visible.find(isRunning) ?? visible[0];
  if (first) showJob(first.job_id, isRunning(first));
  unsubscribe = rendio.subscribe({ onEvent, onState: onFeedState });
  savePreferences();
  resumeRequest();
  resumeDeletions();
}

const isRefusal = (error: unknown) => error instanceof RendioError && error.status < 500;

async function onFeedState(feedState: FeedState, error?: unknown): Promise<void> {
  // `onSessionChange` shows this.
  if (error instanceof SignedOutError) return;
  if (feedState === 'offline') update(error instanceof RendioError ? { pageError: error } : { isDisconnected: true });
  if (feedState !== 'live' && feedState !== 'polling') return;
  // Another tab may have switched to another guest, or the session ended: show the current account.
  const current = await rendio.accountId();
  if (current === null) return;
  await (current === account ? catchUp() : switchAccount());
}

/** Reads again everything that may have changed while no events came. */
async function catchUp(): Promise<void> {
  try {
    const running = (getState().jobs ?? []).filter(isRunning).map((job) => refreshAndAnnounce(job.job_id));
    await Promise.all([refreshCredits(), ...running]);
    update({ isDisconnected: false, pageError: null });
  } catch (error) {
    update({ isDisconnected: error instanceof ConnectionError });
  }
}

function onEvent(event: JobEvent): void {
  update({ isDisconnected: false });
  if (event.type === 'credits') {
    // An event that polling found may be older than what the stream has delivered meanwhile.
    if (event.id === null) refreshCredits().catch(() => {});
    else setCredits(event.credits_remaining);
    return;
  }
  const known = getState().jobs?.find(({ job_id }) => job_id === event.job_id);
  if (known && (event.type === 'queued' || event.type === 'processing')) mergeJob({ ...known, ...progressOf(event) });
  else refreshWithRetry(event.job_id);
}

function progressOf(event: JobEvent & { type: 'queued' | 'processing' }): Partial<Job> & Pick<Job, 'status'> {
  if (event.type === 'queued') return { status: event.status };
  return { status: event.status, progress: event.progress, queue_position: event.queue_position };
}

/** Retries, because an event's change must not be lost when one request fails. */
async function refreshWithRetry(id: string): Promise<void> {
  for (let tries = 0; tries < REFRESH_TRIES_MAX; tries += 1) {
    try {
      await refreshAndAnnounce(id);
      return;
    } catch {
      await pause(RETRY_MS * 2 ** tries);
    }
  }
}

/** Reads a job again, and announces when it has ended. */
async function refreshAndAnnounce(id: string): Promise<void> {
  const find = () => getState().jobs?.find(({ job_id }) => job_id === id);
  const before = find();
  await refreshJob(id);
  const job = find();
  if (!before || !isRunning(before) || !job || isRunning(job)) return;
  announceEnd(job);
  if (job.status === 'failed') refreshCredits().catch(() => {});
}

/** Waits, with ±25 % jitter; ends early when the network or the user comes back. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms * (0.75 + Math.random() / 2));
    pauses.push(resolve);
  });
}
