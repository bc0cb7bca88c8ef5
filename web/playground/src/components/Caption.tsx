import { timeText } from '../lib/time.ts';
import { downloadUrl, isRunning } from '../store/jobs.ts';
import { remove } from '../store/removal.ts';
import type { Job } from '../store/state.ts';
import { useLanguage, useMessages, useStore } from '../store/store.ts';
import { Icon } from './Icon.tsx';
import { MakeChangesButton } from './MakeChangesButton.tsx';

/** Below the stage: the job's prompt, model, price and time, and its actions. */
export function Caption({ job }: { job: Job }) {
  const messages = useMessages();
  const language = useLanguage();
  const isDone = job.status === 'completed';
  const isSimulated = useStore(({ models }) => models?.find(({ name }) => name === job.model_name)?.is_simulated);
  const facts = [job.model_name, ...(job.status === 'failed' ? [] : [messages.credits(job.credits_used)])];
  return (
    <div className="caption">
      <p className="prompt" id="shown-prompt">
        {job.prompt}
      </p>
      {isDone && isSimulated ? <p className="simulated-note">{messages.simulatedVideo}</p> : null}
      <div className="caption-line">
        <p className="facts">
          {facts.join(' · ')} · <time dateTime={job.created_at}>{timeText(job.created_at, language)}</time>
        </p>
        <p className="actions">
          {job.status === 'failed' ? null : <MakeChangesButton job={job} className="button" />}
          {isDone ? (
            <a className="button" id="download" href={downloadUrl(job)} download>
              <Icon name="download" />
              {messages.download}
            </a>
          ) : null}
          {isRunning(job) ? null : (
            <button
              type="button"
              className="icon-button"
              id="remove"
              aria-label={messages.remove}
              title={messages.remove}
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
