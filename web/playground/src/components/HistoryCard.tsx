import { sameOriginUrl, withoutQuery } from '../lib/server.ts';
import { timeText } from '../lib/time.ts';
import { isRunning, showJob } from '../store/jobs.ts';
import type { Job } from '../store/state.ts';
import { useLanguage, useMessages } from '../store/store.ts';
import { Icon } from './Icon.tsx';
import { Thumbnail } from './Thumbnail.tsx';

type Props = { job: Job; isShown: boolean; onRemove: () => void };

/** One video in the history. Pressing it shows it on the stage. */
export function HistoryCard({ job, isShown, onRemove }: Props) {
  const messages = useMessages();
  const language = useLanguage();
  const thumbnail = sameOriginUrl(job.thumbnail_url);
  const progress = isRunning(job) && job.progress ? ` · ${job.progress} %` : '';
  return (
    <li className="card" data-status={job.status}>
      <button type="button" className="open" aria-current={isShown} onClick={() => showJob(job.job_id)}>
        <span className="thumbnail">
          {/* Keyed by the file: a renewed URL of the same thumbnail must not load it again. */}
          {thumbnail ? <Thumbnail key={withoutQuery(thumbnail)} url={thumbnail} /> : null}
          {job.status === 'completed' ? (
            <span className="visually-hidden">{messages.statuses.completed}</span>
          ) : (
            <span className="status">
              {isRunning(job) ? <span className="dot" aria-hidden="true" /> : null}
              {messages.statuses[job.status]}
              {progress}
            </span>
          )}
        </span>
        <span className="name">{job.prompt}</span>
        <span className="when">
          <time dateTime={job.created_at}>{timeText(job.created_at, language)}</time>
          {' · '}
          {job.model_name}
        </span>
      </button>
      {isRunning(job) ? null : (
        <button
          type="button"
          className="icon-button remove"
          aria-label={`${messages.remove}: ${job.prompt}`}
          title={messages.remove}
          onClick={onRemove}
        >
          <Icon name="bin" />
        </button>
      )}
    </li>
  );
}
