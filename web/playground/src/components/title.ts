import { useEffect } from 'react';
import { isRunning, selectShown } from '../store/jobs.ts';
import { update, useStore, useWords } from '../store/store.ts';

/** The tab tells how far the video is, and how it ended to whoever is elsewhere. */
export function useTitle(): void {
  const words = useWords();
  const job = useStore(selectShown);
  const news = useStore((state) => state.news);
  useEffect(() => {
    if (news) document.title = `${news === 'completed' ? `▶ ${words.done}` : words.failedTitle} · Rendio`;
    else if (job && isRunning(job)) document.title = `${job.progress ? `${job.progress} %` : '…'} · Rendio`;
    else document.title = 'Rendio';
  }, [job, news, words]);
  useEffect(() => {
    const look = () => document.hidden || update({ news: null });
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
}
