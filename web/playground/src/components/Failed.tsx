import type { Job } from '../store/state.ts';
import { useMessages } from '../store/store.ts';
import { Icon } from './Icon.tsx';
import { MakeChangesButton } from './MakeChangesButton.tsx';

const CANCELLED = 'ERR_5004';

/** A failed or cancelled job: the reason, the refund, and a button to try again with changes. */
export function Failed({ job }: { job: Job }) {
  const messages = useMessages();
  const isCancelled = job.error_code === CANCELLED;
  return (
    <div className="when-failed">
      <span className="sign" aria-hidden="true">
        <Icon name={isCancelled ? 'close' : 'warning'} />
      </span>
      <p className="title">{isCancelled ? messages.cancelledTitle : messages.failedTitle}</p>
      <p id="verdict">{job.error_message ?? messages.failedPlain}</p>
      <MakeChangesButton job={job} className="ghost" />
    </div>
  );
}
