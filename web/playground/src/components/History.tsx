import { useRef } from 'react';
import { loadMoreJobs } from '../store/jobs.ts';
import { remove } from '../store/removal.ts';
import { useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { HistoryCard } from './HistoryCard.tsx';

/** The account's videos, newest first. */
export function History() {
  const messages = useMessages();
  const jobs = useStore((state) => state.jobs);
  const removing = useStore((state) => state.removing);
  const cursor = useStore((state) => state.jobsCursor);
  const isLoadingMore = useStore((state) => state.isLoadingMore);
  const error = useStore((state) => state.historyError);
  const shownId = useStore((state) => state.shownId);
  const list = useRef<HTMLUListElement>(null);
  const visible = jobs?.filter(({ job_id }) => !removing.includes(job_id)) ?? [];
  if (jobs !== null && visible.length === 0 && !cursor && !error) return null;
  const onMore = async () => {
    const known = visible.length;
    await loadMoreJobs();
    // If the focused button has disappeared, move the keyboard focus to the first new video.
    if (document.activeElement === document.body) list.current?.querySelectorAll<HTMLElement>('.open')[known]?.focus();
  };
  return (
    <section id="history" aria-labelledby="history-title">
      <h2 id="history-title">{messages.history}</h2>
      <ErrorNote id="history-error" error={error} />
      <ul className="cards" ref={list}>
        {jobs === null ? <Skeletons /> : null}
        {visible.map((job) => (
          <HistoryCard
            key={job.job_id}
            job={job}
            isShown={job.job_id === shownId}
            onRemove={() => remove(job.job_id)}
          />
        ))}
      </ul>
      {cursor ? (
        <button type="button" className="button" id="more" aria-disabled={isLoadingMore} onClick={onMore}>
          {isLoadingMore ? <span className="spinner" aria-hidden="true" /> : null}
          {messages.more}
        </button>
      ) : null}
    </section>
  );
}

function Skeletons() {
  return [1, 2, 3].map((key) => (
    <li key={key} aria-hidden="true">
      <span className="skeleton thumbnail" />
      <span className="skeleton line" />
    </li>
  ));
}
