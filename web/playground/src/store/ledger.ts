/** Every change of the balance, read when somebody looks. */
import { rendio } from '../lib/server.ts';
import { refresh, show } from './jobs.ts';
import { getState, update, words } from './store.ts';

const PAGE = 20;

/** The newest rows, or with `isMore` the next older ones. */
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

/** Puts the video that a row paid for on the stage; false when it is gone. */
export async function showPaid(jobId: string): Promise<boolean> {
  const has = () => getState().jobs?.some(({ job_id }) => job_id === jobId) && !getState().removing.includes(jobId);
  if (!has()) await refresh(jobId);
  if (!has()) {
    update({ announcement: words().videoGone });
    return false;
  }
  update({ dialog: null });
  show(jobId);
  return true;
}
