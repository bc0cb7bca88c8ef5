import { useEffect, useState } from 'react';
import type { Words } from '../i18n/index.ts';
import { serverNow } from '../lib/server.ts';
import { cancel } from '../store/jobs.ts';
import type { Job } from '../store/state.ts';
import { update, useStore, useWords } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';

/** Up to and from these percents the words are of a beginning and of an end. */
const BEGINNING_MAX = 20;
const END_MIN = 85;
const RADIUS = 54;
const ROUND = 2 * Math.PI * RADIUS;

function phaseOf({ status, progress, queue_position: place }: Job, words: Words): string {
  if (place) return words.inLine(place);
  if (status === 'pending') return words.queued;
  if (progress == null || progress < BEGINNING_MAX) return progress == null ? words.making : words.setting;
  return progress < END_MIN ? words.making : words.finishing;
}

/** A video in the making: how far it is, in which phase, since when, and a way to stop it. */
export function Running({ job }: { job: Job }) {
  const words = useWords();
  const cancelling = useStore((state) => state.cancelling === job.job_id);
  const cancelError = useStore((state) => state.cancelError);
  const phase = phaseOf(job, words);
  const sure = job.status === 'processing' && !job.queue_position ? (job.progress ?? null) : null;
  // Phases are spoken; each percent would drown them.
  useEffect(() => update({ announcement: phase }), [phase]);
  return (
    <div className="when-running">
      <div className="aurora" aria-hidden="true" />
      <div
        className={sure === null ? 'ring unsure' : 'ring'}
        role="progressbar"
        aria-label={words.making}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={sure ?? undefined}
        aria-valuetext={sure === null ? phase : `${phase}, ${sure} %`}
      >
        <svg viewBox="0 0 120 120" aria-hidden="true">
          <circle className="track" cx="60" cy="60" r={RADIUS} />
          <circle
            className="part"
            cx="60"
            cy="60"
            r={RADIUS}
            strokeDasharray={ROUND}
            strokeDashoffset={ROUND * (1 - (sure ?? 22) / 100)}
          />
        </svg>
        <p className="figure" id="figure" aria-hidden="true">
          {sure === null ? '' : sure}
          {sure === null ? null : <small> %</small>}
        </p>
      </div>
      <p className="phase" id="phase">
        {phase}
      </p>
      <Elapsed since={job.created_at} />
      <button type="button" className="ghost" id="cancel" aria-disabled={cancelling} onClick={() => cancel(job.job_id)}>
        {cancelling ? words.cancelling : words.cancel}
      </button>
      <ErrorNote error={cancelError} />
    </div>
  );
}

function Elapsed({ since }: { since: string }) {
  const words = useWords();
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  return (
    <p className="elapsed" role="timer">
      {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')} {words.soFar}
    </p>
  );
}
