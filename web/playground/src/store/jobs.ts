/** The video jobs that the page has loaded. */
import { RendioError } from '@rendio/client';
import { rendio, sameOriginUrl } from '../lib/server.ts';
import { setCredits } from './credits.ts';
import type { Job, State } from './state.ts';
import { currentMessages, getState, update } from './store.ts';

const PAGE = 12;
const STATUS_ORDER = { pending: 0, processing: 1, completed: 2, failed: 2 };

/** Whether a job has not ended yet. */
export function isRunning(job: Pick<Job, 'status'>): boolean {
  return job.status === 'pending' || job.status === 'processing';
}

export function selectShown(state: State): Job | undefined {
  return state.jobs?.find((job) => job.job_id === state.shownId);
}

/** Adds a job, or updates a known one. The list is sorted newest first; a status never goes back to an earlier one. */
export function mergeJob(incoming: Job): void {
  const jobs = getState().jobs ?? [];
  const known = jobs.find((job) => job.job_id === incoming.job_id);
  if (!known) {
    update({ jobs: sorted([incoming, ...jobs]) });
    return;
  }
  const isOutdated = STATUS_ORDER[incoming.status] < STATUS_ORDER[known.status];
  if (isOutdated || (!isRunning(known) && incoming.status !== known.status)) return;
  update({ jobs: sorted(jobs.map((job) => (job === known ? { ...known, ...incoming } : job))) });
}

function sorted(jobs: Job[]): Job[] {
  return jobs.toSorted((one, other) => other.created_at.localeCompare(one.created_at));
}

/** Removes a job that was deleted. */
export function dropJob(id: string): void {
  update(({ jobs, shownId }) => ({
    jobs: jobs?.filter((job) => job.job_id !== id) ?? null,
    shownId: shownId === id ? null : shownId,
  }));
}

/** Reads one job again; removes it when the server no longer has it. */
export async function refreshJob(id: string): Promise<void> {
  try {
    mergeJob(await rendio.job(id));
  } catch (error) {
    if (!(error instanceof RendioError) || error.status !== 404) throw error;
    dropJob(id);
  }
}

/** Shows a job on the stage. `mayAutoplay`: the user asked to see it, so its video may start by itself. */
export function showJob(id: string, mayAutoplay = true): void {
  update({ shownId: id, mayAutoplay, cancelError: null });
  const job = getState().jobs?.find(({ job_id }) => job_id === id);
  // The list does not contain the reason of a failure.
  if (job?.status === 'failed' && !job.error_message) refreshJob(id).catch(() => {});
}

/** The newest jobs of the account. */
export async function readFirstJobs(): Promise<Pick<State, 'jobs' | 'jobsCursor'>> {
  const { jobs, next_cursor } = await rendio.jobs({ limit: PAGE });
  return { jobs, jobsCursor: next_cursor };
}

/** After a merge: the newest jobs of the surviving account, in addition to those on the page. */
export async function addMergedJobs(): Promise<void> {
  const { jobs, jobsCursor } = await readFirstJobs();
  for (const job of jobs ?? []) mergeJob(job);
  update({ jobsCursor });
}

export async function loadMoreJobs(): Promise<void> {
  const { jobsCursor, isLoadingMore } = getState();
  if (!jobsCursor || isLoadingMore) return;
  update({ isLoadingMore: true, historyError: null });
  try {
    const page = await rendio.jobs({ limit: PAGE, cursor: jobsCursor });
    update(({ jobs }) => {
      const known = new Set(jobs?.map(({ job_id }) => job_id));
      const news = page.jobs.filter(({ job_id }) => !known.has(job_id));
      return { jobs: [...(jobs ?? []), ...news], jobsCursor: page.next_cursor };
    });
  } catch (error) {
    update({ historyError: error });
  } finally {
    update({ isLoadingMore: false });
  }
}

/** Cancels a running job. The answer has the balance after the refund. */
export async function cancelJob(id: string): Promise<void> {
  if (getState().cancelling) return;
  update({ cancelling: id, cancelError: null });
  try {
    setCredits((await rendio.cancel(id)).credits_remaining);
    await refreshJob(id);
  } catch (error) {
    update({ cancelError: error });
  } finally {
    update({ cancelling: null });
  }
}

/** Announces the end of a job to screen readers, and in the tab's title when the page is in the background. */
export function announceEnd(job: Job): void {
  const isDone = job.status === 'completed';
  update({
    announcement: isDone ? currentMessages().done : (job.error_message ?? currentMessages().failedPlain),
    endedInBackground: document.hidden ? (isDone ? 'completed' : 'failed') : null,
  });
}

/** The URL that downloads a finished video, with the prompt as its file name. */
export function downloadUrl(job: Job): string {
  const name = `${job.prompt.slice(0, 60).trim().toWellFormed()}.mp4`;
  return `${sameOriginUrl(job.video_url)}&download=${encodeURIComponent(name)}`;
}
