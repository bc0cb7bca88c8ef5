import { timeText } from '../lib/time.ts';
import { downloadUrl, isRunning } from '../store/jobs.ts';
import { remove } from '../store/removal.ts';
import type { Job } from '../store/state.ts';
import { useLanguage, useStore, useWords } from '../store/store.ts';
import { AgainButton } from './AgainButton.tsx';
import { Icon } from './Icon.tsx';

/** Under the stage: what is shown, from which model and for how much, and what can be done with it. */
export function Caption({ job }: { job: Job }) {
  const words = useWords();
  const language = useLanguage();
  const isDone = job.status === 'completed';
  const isSimulated = useStore(({ models }) => models?.find(({ name }) => name === job.model_name)?.is_simulated);
  const facts = [job.model_name, ...(job.status === 'failed' ? [] : [words.credits(job.credits_used)])];
  return (
    <div className="caption">
      <p className="prompt" id="shown-prompt">
        {job.prompt}
      </p>
      {isDone && isSimulated ? <p className="simulated-film">{words.simulatedFilm}</p> : null}
      <div className="caption-line">
        <p className="facts">
          {facts.join(' · ')} · <time dateTime={job.created_at}>{timeText(job.created_at, language)}</time>
        </p>
        <p className="actions">
          {job.status === 'failed' ? null : <AgainButton job={job} className="button" />}
          {isDone ? (
            <a className="button" id="download" href={downloadUrl(job)} download>
              <Icon name="download" />
              {words.download}
            </a>
          ) : null}
          {isRunning(job) ? null : (
            <button
              type="button"
              className="icon-button"
              id="remove"
              aria-label={words.remove}
              title={words.remove}
              onClick={() => remove(job.job_id)}
            >
              <Icon name="bin" />
            </button>
          )}
        </p>
      </div>
    </div>
  );
}
