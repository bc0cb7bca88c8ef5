/** Deletes videos with undo: a video is hidden at once, and deleted on the server when the time for undo is over. */
import { RendioError } from '@rendio/client';
import { rendio, setLeaving } from '../lib/server.ts';
import { writeStored } from '../lib/storage.ts';
import { dropJob } from './jobs.ts';
import { getState, update } from './store.ts';

/** How long a deletion can be undone. The timer stops while the pointer or the keyboard focus is on the undo bar. */
export const UNDO_MS = 8_000;
const RETRY_MS = 5_000;

let timer = 0;

/** Hides a video. It can be restored until the time is over or the page is closed. */
export function remove(id: string): void {
  setRemoving([...getState().removing, id]);
  update(({ undoable, shownId }) => ({
    undoable: [...undoable, id],
    shownId: shownId === id ? null : shownId,
    historyError: null,
  }));
  startTimer();
}

/** Restores all videos that can still be restored. */
export function undo(): void {
  clearTimeout(timer);
  const { removing, undoable } = getState();
  setRemoving(removing.filter((id) => !undoable.includes(id)));
  update(({ shownId }) => ({ undoable: [], shownId: shownId ?? undoable.at(-1) ?? null, mayAutoplay: false }));
}

export function startTimer(): void {
  clearTimeout(timer);
  timer = window.setTimeout(sendDeletions, UNDO_MS);
}

export function stopTimer(): void {
  clearTimeout(timer);
}

/** Sends again the deletions that got no answer during an earlier visit. */
export function resumeDeletions(): void {
  for (const id of getState().removing) sendDeletion(id);
}

/** Sends waiting deletions when the page is closed. If that fails, the next visit sends them again. */
export function sendDeletionsOnLeave(): void {
  window.addEventListener('pagehide', () => {
    setLeaving(true);
    sendDeletions();
  });
  window.addEventListener('pageshow', () => setLeaving(false));
}

function sendDeletions(): void {
  clearTimeout(timer);
  const { undoable } = getState();
  if (undoable.length === 0) return;
  update({ undoable: [] });
  for (const id of undoable) sendDeletion(id);
}

async function sendDeletion(id: string): Promise<void> {
  try {
    await rendio.delete(id);
    dropJob(id);
    stopHiding(id);
  } catch (error) {
    if (!(error instanceof RendioError) || error.status >= 500 || error.status === 429) {
      setTimeout(() => sendDeletion(id), RETRY_MS);
    } else if (error.status === 404) {
      dropJob(id);
      stopHiding(id);
    } else {
      // The server refused: show the video again, with the reason.
      stopHiding(id);
      update({ historyError: error });
    }
  }
}

const stopHiding = (id: string) => setRemoving(getState().removing.filter((other) => other !== id));

function setRemoving(removing: string[]): void {
  writeStored('removing', removing);
  update({ removing });
}
