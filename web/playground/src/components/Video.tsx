import { useEffect, useRef, useState } from 'react';
import { prefersReducedMotion } from '../lib/reduced-motion.ts';
import { sameOriginUrl, withoutQuery } from '../lib/server.ts';
import { refreshJob } from '../store/jobs.ts';
import type { Job } from '../store/state.ts';
import { getState, update, useMessages } from '../store/store.ts';

/** The finished video: first its thumbnail, then muted and looped. Starts by itself if the user asked to see it. */
export function Video({ job }: { job: Job }) {
  const messages = useMessages();
  const video = useRef<HTMLVideoElement>(null);
  const [isBroken, setBroken] = useState(false);
  const [tries, setTries] = useState(0);
  const url = sameOriginUrl(job.video_url);
  const latest = useRef(url);
  latest.current = url;
  // A renewed URL does not interrupt the video that is playing; another attempt uses it.
  const file = `${withoutQuery(url)} ${tries}`;
  useEffect(() => {
    const element = video.current;
    if (!element || !file.trim()) return;
    element.src = latest.current;
    // A browser may refuse autoplay: the controls are there.
    if (getState().mayAutoplay && !prefersReducedMotion()) element.play().catch(() => {});
    return () => {
      // A video element that is only removed from the page would keep playing its sound.
      element.pause();
      element.removeAttribute('src');
      element.load();
    };
  }, [file]);
  const retry = async () => {
    setBroken(false);
    // Reading the job renews its URLs, which are valid for a day.
    await refreshJob(job.job_id).catch(() => {});
    setTries((count) => count + 1);
  };
  return (
    <>
      <video
        id="video"
        ref={video}
        poster={sameOriginUrl(job.thumbnail_url) || undefined}
        aria-label={job.prompt}
        tabIndex={0}
        controls
        loop
        muted
        playsInline
        onError={() => (tries === 0 ? retry() : setBroken(true))}
        onLoadedMetadata={({ currentTarget: { videoWidth, videoHeight } }) =>
          update(({ aspectRatios }) => ({
            aspectRatios: { ...aspectRatios, [job.job_id]: `${videoWidth}:${videoHeight}` },
          }))
        }
      />
      {isBroken ? (
        <div className="broken" role="alert">
          <p>{messages.brokenVideo}</p>
          <button type="button" className="ghost" onClick={retry}>
            {messages.tryAgain}
          </button>
        </div>
      ) : null}
    </>
  );
}
