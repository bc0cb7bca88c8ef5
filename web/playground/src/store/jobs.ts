/** The videos that the page knows of. */
import { RendioError } from '@rendio/client';
import { here, rendio } from '../lib/server.ts';
import { hearCredits } from './credits.ts';
import type { Job, State } from './state.ts';
import { getState, update, words } from './store.ts';

const PAGE = 12;
const ORDER = { pending: 0, processing: 1, completed: 2, failed: 2 };

/** Whether a job has not ended yet. */
export function isRunning(job: Pick<Job, 'status'>): boolean {
  return job.status === 'pending' || job.status === 'processing';
}

export function selectShown(state: State): Job | undefined {
  return state.jobs?.find((job) => job.job_id === state.shownId);
}

/** Adds a job in its place, newest first, or what is new of a known one: states only go forwards. */
export function learn(news: Job): void {
  const jobs = getState().jobs ?? [];
  const known = jobs.find((job) => job.job_id === news.job_id);
  if (!known) {
    update({ jobs: sorted([news, ...jobs]) });
    return;
  }
  const isOld = ORDER[news.status] < ORDER[known.status];
  if (isOld || (!isRunning(known) && news.status !== known.status)) return;
  update({ jobs: sorted(jobs.map((job) => (job === known ? { ...known, ...news } : job))) });
}

function sorted(jobs: Job[]): Job[] {
  return jobs.toSorted((one, other) => other.created_at.localeCompare(one.created_at));
}

/** Drops a job that is gone. */
export function forget(id: string): void {
  update(({ jobs, shownId }) => ({
    jobs: jobs?.filter((job) => job.job_id !== id) ?? null,
    shownId: shownId === id ? null : shownId,
  }));
}

/** Reads one job anew; one that is gone is forgotten. */
export async function refresh(id: string): Promise<void> {
  try {
    learn(await rendio.job(id));
  } catch (error) {
    if (!(error instanceof RendioError) || error.status !== 404) throw error;
    forget(id);
  }
}

/** Puts a job on the stage. `mayPlay`: somebody asked to see it, so its video may begin by itself. */
export function show(id: string, mayPlay = true): void {
  update({ shownId: id, mayPlay, cancelError: null });
  const job = getState().jobs?.find(({ job_id }) => job_id === id);
  // The list does not say why a job failed.
  if (job?.status === 'failed' && !job.error_message) refresh(id).catch(() => {});
}

/** The newest videos, for an account that is new to the page. */
export async function firstJobs(): Promise<Pick<State, 'jobs' | 'jobsCursor'>> {
  const { jobs, next_cursor } = await rendio.jobs({ limit: PAGE });
  return { jobs, jobsCursor: next_cursor };
}

export async function loadMore(): Promise<void> {
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

/** Stops a job that runs; its credits are back with the answer. */
export async function cancel(id: string): Promise<void> {
  if (getState().cancelling) return;
  update({ cancelling: id, cancelError: null });
  try {
    hearCredits((await rendio.cancel(id)).credits_remaining);
    await refresh(id);
  } catch (error) {
    update({ cancelError: error });
  } finally {
    update({ cancelling: null });
  }
}

/** Says what became of a job: to those who listen, and by the tab's title to those who are elsewhere. */
export function announceEnd(job: Job): void {
  const isDone = job.status === 'completed';
  update({
    announcement: isDone ? words().done : (job.error_message ?? words().failedPlain),
    news: document.hidden ? (isDone ? 'completed' : 'failed') : null,
  });
}

/** Where a finished video can be saved from, under a name that tells what it shows. */
export function downloadUrl(job: Job): string {
  const name = `${job.prompt.slice(0, 60).trim().toWellFormed()}.mp4`;
  return `${here(job.video_url)}&download=${encodeURIComponent(name)}`;
}
