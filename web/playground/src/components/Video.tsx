import { useEffect, useRef, useState } from 'react';
import { isCalm } from '../lib/calm.ts';
import { fileOf, here } from '../lib/server.ts';
import { refresh } from '../store/jobs.ts';
import type { Job } from '../store/state.ts';
import { getState, update, useWords } from '../store/store.ts';

/** The finished video: its poster first, then muted and in a loop, by itself if somebody waited for it. */
export function Video({ job }: { job: Job }) {
  const words = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const [isBroken, setBroken] = useState(false);
  const [tries, setTries] = useState(0);
  const url = here(job.video_url);
  const latest = useRef(url);
  latest.current = url;
  // A renewed link to what plays already changes nothing; a new try takes it.
  const file = `${fileOf(url)} ${tries}`;
  useEffect(() => {
    const element = video.current;
    if (!element || !file.trim()) return;
    element.src = latest.current;
    // A browser may refuse: the controls are there.
    if (getState().mayPlay && !isCalm()) element.play().catch(() => {});
    return () => {
      // Taken from the page alone it would go on being heard.
      element.pause();
      element.removeAttribute('src');
      element.load();
    };
  }, [file]);
  const again = async () => {
    setBroken(false);
    // Reading a job renews its links, which live for a day.
    await refresh(job.job_id).catch(() => {});
    setTries((count) => count + 1);
  };
  return (
    <>
      <video
        id="video"
        ref={video}
        poster={here(job.thumbnail_url) || undefined}
        aria-label={job.prompt}
        tabIndex={0}
        controls
        loop
        muted
        playsInline
        onError={() => (tries === 0 ? again() : setBroken(true))}
        onLoadedMetadata={({ currentTarget: { videoWidth, videoHeight } }) =>
          update(({ shapes }) => ({ shapes: { ...shapes, [job.job_id]: `${videoWidth}:${videoHeight}` } }))
        }
      />
      {isBroken ? (
        <div className="broken" role="alert">
          <p>{words.brokenVideo}</p>
          <button type="button" className="ghost" onClick={again}>
            {words.tryAgain}
          </button>
        </div>
      ) : null}
    </>
  );
}
