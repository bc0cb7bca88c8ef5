/** The credit history, loaded when its dialog is opened. */
import { rendio } from '../lib/server.ts';
import { refreshJob, showJob } from './jobs.ts';
import { currentMessages, getState, update } from './store.ts';

const PAGE = 20;

/** Loads the newest rows, or with `isMore` the next older ones. */
export async function loadLedger(isMore = false): Promise<void> {
  const cursor = isMore ? getState().ledger.cursor : null;
  try {
    const page = await rendio.creditHistory({ limit: PAGE, ...(cursor ? { cursor } : {}) });
    update(({ ledger }) => ({
      ledger: {
        rows: [...(cursor ? (ledger.rows ?? []) : []), ...page.transactions],
        cursor: page.next_cursor,
        error: null,
      },
    }));
  } catch (error) {
    update(({ ledger }) => ({ ledger: { ...ledger, error } }));
  }
}

/** Shows the video that a row paid for; false when it was deleted. */
export async function showPaidVideo(jobId: string): Promise<boolean> {
  const isAvailable = () =>
    getState().jobs?.some(({ job_id }) => job_id === jobId) && !getState().removing.includes(jobId);
  if (!isAvailable()) await refreshJob(jobId);
  if (!isAvailable()) {
    update({ announcement: currentMessages().videoGone });
    return false;
  }
  update({ dialog: null });
  showJob(jobId);
  return true;
}
