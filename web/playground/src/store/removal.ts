/** Deleting with a way back: a video is hidden at once, and deleted when nobody has undone it in time. */
import { RendioError } from '@rendio/client';
import { rendio, setLeaving } from '../lib/server.ts';
import { remember } from '../lib/storage.ts';
import { forget } from './jobs.ts';
import { getState, update } from './store.ts';

/** How long a deletion can be undone; the time stands still while somebody is at the button. */
export const UNDO_MS = 8_000;
const RETRY_MS = 5_000;

let timer = 0;

/** Hides it. It can be brought back until the time is over or the page is left. */
export function remove(id: string): void {
  keep([...getState().removing, id]);
  update(({ undoable, shownId }) => ({
    undoable: [...undoable, id],
    shownId: shownId === id ? null : shownId,
    historyError: null,
  }));
  runClock();
}

/** Brings back all that can still be brought back. */
export function undo(): void {
  clearTimeout(timer);
  const { removing, undoable } = getState();
  keep(removing.filter((id) => !undoable.includes(id)));
  update(({ shownId }) => ({ undoable: [], shownId: shownId ?? undoable.at(-1) ?? null, mayPlay: false }));
}

export function runClock(): void {
  clearTimeout(timer);
  timer = window.setTimeout(carryOut, UNDO_MS);
}

export function stopClock(): void {
  clearTimeout(timer);
}

/** Goes on with deletions that a visit before had no answer to. */
export function resumeRemovals(): void {
  for (const id of getState().removing) send(id);
}

/** What waits is deleted when the page is left; where even that fails, the next visit goes on. */
export function watchLeaving(): void {
  window.addEventListener('pagehide', () => {
    setLeaving(true);
    carryOut();
  });
  window.addEventListener('pageshow', () => setLeaving(false));
}

function carryOut(): void {
  clearTimeout(timer);
  const { undoable } = getState();
  if (undoable.length === 0) return;
  update({ undoable: [] });
  for (const id of undoable) send(id);
}

async function send(id: string): Promise<void> {
  try {
    await rendio.delete(id);
    forget(id);
    drop(id);
  } catch (error) {
    if (!(error instanceof RendioError) || error.status >= 500 || error.status === 429) {
      setTimeout(() => send(id), RETRY_MS);
    } else if (error.status === 404) {
      forget(id);
      drop(id);
    } else {
      // A plain no: it is shown again, with the reason.
      drop(id);
      update({ historyError: error });
    }
  }
}

const drop = (id: string) => keep(getState().removing.filter((other) => other !== id));

function keep(removing: string[]): void {
  remember('removing', removing);
  update({ removing });
}
