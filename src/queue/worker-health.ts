/**
 * Feels whether a run of the library is alive. Through an outage of the database it asks for jobs again and again, but
 * some of its waits grow to minutes, and one of its failures lasts as long as the run itself.
 */
import type { WorkerEvents } from 'graphile-worker';

export type WorkerHealth = {
  isTaking(): boolean;
  /** Whether the queue's job of that id is being done here, or is about to be. */
  hasJob(jobId: string): boolean;
  /** Resolves when a run that is about to end has nothing left to wait for, or has been waited for long enough. */
  abandoned: Promise<void>;
  stop(): void;
};

const BEAT_MS = 1_000;
/** While it has a place free, a run asks twice a second. */
const BEATS_MISSED_MAX = 2;
const GIVE_UP_AFTER_BEATS = 5;
/** Tasks are told to break off after five seconds, by the library. */
const ABANDON_AFTER_BEATS = 10;
/** For the ends of its tasks to be written down. */
const LINGER_BEATS = 2;

/** Calls `giveUp` when asking for jobs has brought no answer for some seconds, again and again until the run ends. */
export function watchHealth(events: WorkerEvents, concurrency: number, giveUp: () => void): WorkerHealth {
  const jobs = new Set<string>();
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<void>();
  let isOver = false;
  let beatsMissed = 0;
  let beatsOver = 0;
  const answer = () => {
    beatsMissed = 0;
  };
  // Ids are numbers or strings, as the pool's connections parse them.
  events.on('localQueue:getJobs:complete', ({ jobs: fetched }) => {
    for (const { id } of fetched) jobs.add(String(id));
    answer();
  });
  events.on('localQueue:returnJobs', ({ jobs: returned }) => {
    for (const { id } of returned) jobs.delete(String(id));
  });
  events.on('job:complete', ({ job }) => jobs.delete(String(job.id)));
  events.once('pool:gracefulShutdown', () => {
    isOver = true;
  });

  const beat = () => {
    if (isOver) {
      beatsOver += 1;
      if (beatsOver >= (jobs.size > 0 ? ABANDON_AFTER_BEATS : LINGER_BEATS)) abandon();
    } else if (jobs.size < concurrency) {
      beatsMissed += 1;
      if (beatsMissed >= GIVE_UP_AFTER_BEATS) giveUp();
    }
  };
  const timer = setInterval(beat, BEAT_MS);
  return {
    isTaking: () => !isOver && beatsMissed <= BEATS_MISSED_MAX,
    hasJob: (jobId) => jobs.has(jobId),
    abandoned,
    stop: () => clearInterval(timer),
  };
}
