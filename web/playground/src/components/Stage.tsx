import { useEffect, useRef } from 'react';
import { fileOf, here } from '../lib/server.ts';
import { isRunning, selectShown } from '../store/jobs.ts';
import { selectModel } from '../store/models.ts';
import type { Job } from '../store/state.ts';
import { useStore, useWords } from '../store/store.ts';
import { Caption } from './Caption.tsx';
import { Failed } from './Failed.tsx';
import { Running } from './Running.tsx';
import { Video } from './Video.tsx';

type Show = 'loading' | 'empty' | 'running' | 'done' | 'failed';

function showOf(job: Job | undefined, isLoaded: boolean): Show {
  if (!job) return isLoaded ? 'empty' : 'loading';
  if (isRunning(job)) return 'running';
  return job.status === 'completed' ? 'done' : 'failed';
}

/** The stage: what is being made, how far it is, and then the video. */
export function Stage() {
  const words = useWords();
  const job = useStore(selectShown);
  const isLoaded = useStore((state) => state.jobs !== null);
  const ratio = useStore((state) => (state.shownId ? state.shapes[state.shownId] : undefined));
  const show = showOf(job, isLoaded);
  const stage = useStage(job, show);
  const poster = here(job?.thumbnail_url);
  return (
    <section id="show" data-state={show} aria-labelledby="stage-title">
      <h2 id="stage-title" className="unseen">
        {words.stage}
      </h2>
      <div className="stage-place">
        {poster ? <img className="ambience" src={poster} alt="" key={fileOf(poster)} /> : null}
        <div className="stage" id="stage" ref={stage} tabIndex={-1} data-shape={shapeOf(ratio)}>
          {poster && show === 'done' ? <img className="backdrop" src={poster} alt="" key={fileOf(poster)} /> : null}
          {show === 'empty' ? <Empty /> : null}
          {job && show === 'running' ? <Running job={job} key={job.job_id} /> : null}
          {job && show === 'failed' ? <Failed job={job} /> : null}
          {job && show === 'done' ? <Video job={job} key={job.job_id} /> : null}
        </div>
      </div>
      {job ? <Caption job={job} /> : null}
    </section>
  );
}

function Empty() {
  const words = useWords();
  const isOfPicture = useStore((state) => selectModel(state)?.requires_image === true);
  return (
    <div className="when-empty">
      <span className="play" aria-hidden="true" />
      <p className="title">{words.empty}</p>
      <p className="hint">{isOfPicture ? words.emptyHintOfPicture : words.emptyHint}</p>
    </div>
  );
}

/** Moves the stage into sight when something begins, and keeps the focus of whoever waits there. */
function useStage(job: Job | undefined, show: Show) {
  const stage = useRef<HTMLDivElement>(null);
  const before = useRef<{ id: string | undefined; show: Show }>({ id: undefined, show: 'loading' });
  useEffect(() => {
    const { id, show: last } = before.current;
    before.current = { id: job?.job_id, show };
    const element = stage.current;
    if (!element || last === 'loading' || !job) return;
    if (job.job_id !== id) element.closest('section')?.scrollIntoView({ block: 'nearest' });
    if (last !== 'running' || show === 'running' || job.job_id !== id) return;
    const focused = document.activeElement;
    // What had the focus, such as the cancel button, may be gone: then nothing has it.
    const isWaiting = !focused || focused === document.body || element.contains(focused) || focused.id === 'generate';
    if (!isWaiting) return;
    if (show === 'done') element.querySelector('video')?.focus({ preventScroll: true });
    else if (focused?.id !== 'generate') element.focus({ preventScroll: true });
  }, [job, show]);
  return stage;
}

/** `wide`, `square` or `tall`, of a ratio such as `16:9`. */
export function shapeOf(ratio: string | undefined): 'wide' | 'square' | 'tall' {
  const [width = 16, height = 9] = ratio?.split(':').map(Number) ?? [];
  if (width > height * 1.1) return 'wide';
  return height > width * 1.1 ? 'tall' : 'square';
}
