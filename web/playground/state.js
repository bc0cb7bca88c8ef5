/** What the page knows. Views listen; whoever learns something calls `update`. */

/** @type {State} */
export const state = blank();
const listeners = /** @type {((state: State) => void)[]} */ ([]);
const ORDER = { pending: 0, processing: 1, completed: 2, failed: 2 };

/** @returns {State} */
function blank() {
  return { models: [], credits: null, jobs: [], nextJobs: null, shownId: null, isLost: false, trouble: null };
}

/** Calls back on every change. */
export function listen(listener) {
  listeners.push(listener);
}

/** Tells every view. @param {Partial<State>} change */
export function update(change) {
  Object.assign(state, change);
  for (const listener of listeners) listener(state);
}

/** Forgets an account's things. */
export function reset() {
  update({ ...blank(), models: state.models });
}

/** Whether a job has not ended yet. */
export function isRunning(job) {
  return job?.status === 'pending' || job?.status === 'processing';
}

/** The job on the stage, or undefined. */
export function shownJob() {
  return state.jobs.find((job) => job.job_id === state.shownId);
}

/** Adds a job in front, or what is new of a known one: states only go forwards. @param {any} news */
export function learn(news) {
  const known = state.jobs.find((job) => job.job_id === news.job_id);
  if (!known) {
    update({ jobs: [news, ...state.jobs] });
    return;
  }
  const isOld = ORDER[news.status] < ORDER[known.status];
  if (isOld || (!isRunning(known) && news.status !== known.status)) return;
  update({ jobs: state.jobs.map((job) => (job === known ? { ...known, ...news } : job)) });
}

/** Drops a job that is gone. */
export function forget(id) {
  update({
    jobs: state.jobs.filter((job) => job.job_id !== id),
    shownId: state.shownId === id ? null : state.shownId,
  });
}
