import type { Job } from '../store/state.ts';
import { useWords } from '../store/store.ts';
import { AgainButton } from './AgainButton.tsx';
import { Icon } from './Icon.tsx';

const CANCELLED = 'ERR_5004';

/** No video: what happened, that the credits are back, and a way on. */
export function Failed({ job }: { job: Job }) {
  const words = useWords();
  const isCancelled = job.error_code === CANCELLED;
  return (
    <div className="when-failed">
      <span className="sign" aria-hidden="true">
        <Icon name={isCancelled ? 'close' : 'warning'} />
      </span>
      <p className="title">{isCancelled ? words.cancelledTitle : words.failedTitle}</p>
      <p id="verdict">{job.error_message ?? words.failedPlain}</p>
      <AgainButton job={job} className="ghost" />
    </div>
  );
}
