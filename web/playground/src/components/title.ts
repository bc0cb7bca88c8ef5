import { useEffect } from 'react';
import { isRunning, selectShown } from '../store/jobs.ts';
import { update, useMessages, useStore } from '../store/store.ts';

/** Shows the video's progress in the tab's title, and how it ended while the page was in the background. */
export function useTitle(): void {
  const messages = useMessages();
  const job = useStore(selectShown);
  const ended = useStore((state) => state.endedInBackground);
  useEffect(() => {
    if (ended) document.title = `${ended === 'completed' ? `▶ ${messages.done}` : messages.failedTitle} · Rendio`;
    else if (job && isRunning(job)) document.title = `${job.progress ? `${job.progress} %` : '…'} · Rendio`;
    else document.title = 'Rendio';
  }, [job, ended, messages]);
  useEffect(() => {
    const onVisibilityChange = () => document.hidden || update({ endedInBackground: null });
    document.addEventListener('visibilitychange', onVisibilityChange);
    return () => document.removeEventListener('visibilitychange', onVisibilityChange);
  }, []);
}
