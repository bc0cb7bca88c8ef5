import { useEffect, useState } from 'react';
import type { Messages } from '../i18n/index.ts';
import { serverNow } from '../lib/server.ts';
import { cancelJob } from '../store/jobs.ts';
import type { Job } from '../store/state.ts';
import { update, useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';

/** Below the first percentage the phase is the beginning; from the second on it is the end. */
const BEGINNING_MAX = 20;
const END_MIN = 85;
const RADIUS = 54;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;

function phaseOf({ status, progress, queue_position: position }: Job, messages: Messages): string {
  if (position) return messages.inQueue(position);
  if (status === 'pending') return messages.queued;
  if (progress == null || progress < BEGINNING_MAX) return progress == null ? messages.making : messages.setting;
  return progress < END_MIN ? messages.making : messages.finishing;
}

/** A running job: its progress, its phase, the elapsed time and a cancel button. */
export function Running({ job }: { job: Job }) {
  const messages = useMessages();
  const cancelling = useStore((state) => state.cancelling === job.job_id);
  const cancelError = useStore((state) => state.cancelError);
  const phase = phaseOf(job, messages);
  const percent = job.status === 'processing' && !job.queue_position ? (job.progress ?? null) : null;
  // Screen readers announce phases only: every percent would be too much.
  useEffect(() => update({ announcement: phase }), [phase]);
  return (
    <div className="when-running">
      <div className="aurora" aria-hidden="true" />
      <div
        className={percent === null ? 'ring indeterminate' : 'ring'}
        role="progressbar"
        aria-label={messages.making}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent ?? undefined}
        aria-valuetext={percent === null ? phase : `${phase}, ${percent} %`}
      >
        <svg viewBox="0 0 120 120" aria-hidden="true">
          <circle className="track" cx="60" cy="60" r={RADIUS} />
          <circle
            className="part"
            cx="60"
            cy="60"
            r={RADIUS}
            strokeDasharray={CIRCUMFERENCE}
            strokeDashoffset={CIRCUMFERENCE * (1 - (percent ?? 22) / 100)}
          />
        </svg>
        <p className="figure" id="figure" aria-hidden="true">
          {percent === null ? '' : percent}
          {percent === null ? null : <small> %</small>}
        </p>
      </div>
      <p className="phase" id="phase">
        {phase}
      </p>
      <Elapsed since={job.created_at} />
      <button
        type="button"
        className="ghost"
        id="cancel"
        aria-disabled={cancelling}
        onClick={() => cancelJob(job.job_id)}
      >
        {cancelling ? messages.cancelling : messages.cancel}
      </button>
      <ErrorNote error={cancelError} />
    </div>
  );
}

function Elapsed({ since }: { since: string }) {
  const messages = useMessages();
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  return (
    <p className="elapsed" role="timer">
      {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')} {messages.elapsed}
    </p>
  );
}
