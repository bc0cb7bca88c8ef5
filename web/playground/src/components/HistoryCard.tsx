import { fileOf, here } from '../lib/server.ts';
import { timeText } from '../lib/time.ts';
import { isRunning, show } from '../store/jobs.ts';
import type { Job } from '../store/state.ts';
import { useLanguage, useWords } from '../store/store.ts';
import { Icon } from './Icon.tsx';
import { Poster } from './Thumbnail.tsx';

type Props = { job: Job; isShown: boolean; onRemove: () => void };

/** One video: a press shows it on the stage. */
export function HistoryCard({ job, isShown, onRemove }: Props) {
  const words = useWords();
  const language = useLanguage();
  const poster = here(job.thumbnail_url);
  const progress = isRunning(job) && job.progress ? ` · ${job.progress} %` : '';
  return (
    <li className="card" data-status={job.status}>
      <button type="button" className="open" aria-current={isShown} onClick={() => show(job.job_id)}>
        <span className="poster">
          {/* By its file: a renewed link to the same picture must not load it anew. */}
          {poster ? <Poster key={fileOf(poster)} url={poster} /> : null}
          {job.status === 'completed' ? (
            <span className="unseen">{words.statuses.completed}</span>
          ) : (
            <span className="status">
              {isRunning(job) ? <span className="dot" aria-hidden="true" /> : null}
              {words.statuses[job.status]}
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
          aria-label={`${words.remove}: ${job.prompt}`}
          title={words.remove}
          onClick={onRemove}
        >
          <Icon name="bin" />
        </button>
      )}
    </li>
  );
}
