/** Keeps the state true: follows the server's events, and asks where they do not come through. */
import { getCredits, getJob, getJobs, getModels } from './api.js';
import { readEvents } from './events.js';
import { ApiError, ConnectionError } from './http.js';
import { accessToken, accountId, forgetGuest } from './session.js';
import { forget, isRunning, learn, reset, state, update } from './state.js';

const RETRY_MS = 500;
/** Also how often a video in the making is asked about when events do not come through. */
const RETRY_MAX_MS = 3_000;
const IDLE_RETRY_MAX_MS = 10_000;
const REFUSED_RETRY_MS = 60_000;
const REFRESH_TRIES_MAX = 5;

/** Whose events we have heard, and up to which. @type {{ account: string | null, lastId: string | null }} */
let position = { account: null, lastId: null };
let stream = new AbortController();
// A stream may take a minute to notice.
window.addEventListener('offline', () => stream.abort());

/** Never ends. Calls `onEntered` whenever an account's things have come. */
export async function live(onEntered) {
  let failures = 0;
  const onOpen = () => {
    failures = 0;
    // The session may have become another account's on the way in: what is shown must follow.
    if (accountId() !== position.account) stream.abort();
    else catchUp();
  };
  for (;;) {
    stream = new AbortController();
    let waitMs = 0;
    try {
      if (await enter()) onEntered();
      await readEvents(position, { onOpen, onEvent: hear, signal: stream.signal });
    } catch (error) {
      failures += 1;
      if (position.account === null) waitMs = tellTrouble(error);
      else if (position.account !== accountId()) continue;
    }
    await catchUp();
    const maxMs = state.jobs.some(isRunning) || state.isLost ? RETRY_MAX_MS : IDLE_RETRY_MAX_MS;
    await pause(waitMs || Math.min(RETRY_MS * 2 ** failures, maxMs));
  }
}

/** Becomes another guest. */
export function startAnew() {
  forgetGuest();
  stream.abort();
}

/** Ends every `pause` that is under way. */
export function hurry() {
  window.dispatchEvent(new Event('online'));
}

/** Waits; shorter when the network comes back or somebody comes back to the page. */
export async function pause(ms) {
  await new Promise((resolve) => {
    setTimeout(resolve, ms * (0.75 + Math.random() / 2));
    window.addEventListener('online', resolve, { once: true });
    window.addEventListener('focus', resolve, { once: true });
  });
}

/** Reads one job anew; one that is gone is forgotten. */
export async function refresh(id) {
  try {
    learn(await getJob(id));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    forget(id);
  }
}

/** Puts a job on the stage. */
export async function show(id) {
  update({ shownId: id });
  // The list does not say why a job failed.
  if (state.jobs.find((job) => job.job_id === id)?.status === 'failed') await refresh(id).catch(() => {});
}

/** Loads everything of an account that is new to this page; true when it was. */
async function enter() {
  await accessToken();
  if (accountId() === position.account) return false;
  position = { account: null, lastId: null };
  reset();
  const [models, credits, { jobs, next_cursor }] = await Promise.all([getModels(), getCredits(), getJobs()]);
  position.account = accountId();
  update({ models, credits, jobs, nextJobs: next_cursor });
  const shown = jobs.find(isRunning) ?? jobs[0];
  if (shown) await show(shown.job_id);
  return true;
}

/** Says why the page cannot begin. Returns for how long to leave the server alone: a plain no will not change soon. */
function tellTrouble(error) {
  update({ trouble: error, isLost: error instanceof ConnectionError });
  return error instanceof ApiError && error.status < 500 ? Math.max(error.retryAfterMs, REFUSED_RETRY_MS) : 0;
}

function hear(name, data) {
  if (name === 'credits') update({ credits: data.credits_remaining });
  if (!('status' in data)) return;
  const isKnown = state.jobs.some((job) => job.job_id === data.job_id);
  if (isKnown && isRunning(data)) learn(data);
  else refreshUntilDone(data.job_id);
}

/** An event's news must not be lost because one request failed. */
async function refreshUntilDone(id) {
  for (let tries = 1; tries <= REFRESH_TRIES_MAX; tries += 1) {
    try {
      return await refresh(id);
    } catch {
      await pause(RETRY_MS * 2 ** tries);
    }
  }
}

/** Asks for all that may have changed unheard. */
async function catchUp() {
  if (position.account === null) return;
  try {
    const running = state.jobs.filter(isRunning).map((job) => refresh(job.job_id));
    const [credits] = await Promise.all([getCredits(), ...running]);
    update({ credits, isLost: false });
  } catch (error) {
    update({ isLost: error instanceof ConnectionError });
  }
}
