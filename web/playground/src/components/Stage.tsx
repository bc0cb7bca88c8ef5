import { useEffect, useRef } from 'react';
import { sameOriginUrl, withoutQuery } from '../lib/server.ts';
import { isRunning, selectShown } from '../store/jobs.ts';
import { selectModel } from '../store/models.ts';
import type { Job } from '../store/state.ts';
import { useMessages, useStore } from '../store/store.ts';
import { Caption } from './Caption.tsx';
import { Failed } from './Failed.tsx';
import { Running } from './Running.tsx';
import { Video } from './Video.tsx';

type StageState = 'loading' | 'empty' | 'running' | 'done' | 'failed';

function stageStateOf(job: Job | undefined, isLoaded: boolean): StageState {
  if (!job) return isLoaded ? 'empty' : 'loading';
  if (isRunning(job)) return 'running';
  return job.status === 'completed' ? 'done' : 'failed';
}

/** The stage shows one job: its progress, then its video or why it failed. */
export function Stage() {
  const messages = useMessages();
  const job = useStore(selectShown);
  const isLoaded = useStore((state) => state.jobs !== null);
  const ratio = useStore((state) => (state.shownId ? state.aspectRatios[state.shownId] : undefined));
  const stageState = stageStateOf(job, isLoaded);
  const stage = useStageFocus(job, stageState);
  const thumbnail = sameOriginUrl(job?.thumbnail_url);
  return (
    <section id="show" data-state={stageState} aria-labelledby="stage-title">
      <h2 id="stage-title" className="visually-hidden">
        {messages.stage}
      </h2>
      <div className="stage-wrapper">
        {thumbnail ? <img className="ambience" src={thumbnail} alt="" key={withoutQuery(thumbnail)} /> : null}
        <div className="stage" id="stage" ref={stage} tabIndex={-1} data-shape={shapeOf(ratio)}>
          {thumbnail && stageState === 'done' ? (
            <img className="backdrop" src={thumbnail} alt="" key={withoutQuery(thumbnail)} />
          ) : null}
          {stageState === 'empty' ? <Empty /> : null}
          {job && stageState === 'running' ? <Running job={job} key={job.job_id} /> : null}
          {job && stageState === 'failed' ? <Failed job={job} /> : null}
          {job && stageState === 'done' ? <Video job={job} key={job.job_id} /> : null}
        </div>
      </div>
      {job ? <Caption job={job} /> : null}
    </section>
  );
}

function Empty() {
  const messages = useMessages();
  const needsImage = useStore((state) => selectModel(state)?.requires_image === true);
  return (
    <div className="when-empty">
      <span className="play" aria-hidden="true" />
      <p className="title">{messages.empty}</p>
      <p className="hint">{needsImage ? messages.emptyHintImage : messages.emptyHint}</p>
    </div>
  );
}

/** Scrolls the stage into view when another job is shown, and moves the focus to the result when a running job ends. */
function useStageFocus(job: Job | undefined, stageState: StageState) {
  const stage = useRef<HTMLDivElement>(null);
  const before = useRef<{ id: string | undefined; stageState: StageState }>({ id: undefined, stageState: 'loading' });
  useEffect(() => {
    const { id, stageState: last } = before.current;
    before.current = { id: job?.job_id, stageState };
    const element = stage.current;
    if (!element || last === 'loading' || !job) return;
    if (job.job_id !== id) element.closest('section')?.scrollIntoView({ block: 'nearest' });
    if (last !== 'running' || stageState === 'running' || job.job_id !== id) return;
    const focused = document.activeElement;
    // The focused element, such as the cancel button, may have disappeared: then the body has the focus.
    const isWaiting = !focused || focused === document.body || element.contains(focused) || focused.id === 'generate';
    if (!isWaiting) return;
    if (stageState === 'done') element.querySelector('video')?.focus({ preventScroll: true });
    else if (focused?.id !== 'generate') element.focus({ preventScroll: true });
  }, [job, stageState]);
  return stage;
}

/** `wide`, `square` or `tall`, from a ratio such as `16:9`. */
export function shapeOf(ratio: string | undefined): 'wide' | 'square' | 'tall' {
  const [width = 16, height = 9] = ratio?.split(':').map(Number) ?? [];
  if (width > height * 1.1) return 'wide';
  return height > width * 1.1 ? 'tall' : 'square';
}
