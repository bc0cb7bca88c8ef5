/** The stage: what is being made, how far it is, and then the video. */
import { cancelJob } from './api.js';
import { $, announce, say, sayError } from './dom.js';
import { here, serverNow } from './http.js';
import { refresh } from './live.js';
import { isRunning, listen, shownJob, update } from './state.js';
import { t } from './strings.js';

/** People who listen hear of the progress in steps of so many percent. */
const ANNOUNCE_STEP = 25;
/** Links live for a day; one this old may be dead. */
const LINK_OLD_MS = 3_600_000;

const stage = $('stage');
const video = $('video');
/** Jobs that somebody waits for: their videos begin by themselves. */
const awaited = new Set();
let drawn = '';
let linkedAt = 0;
let ticking = 0;

listen(draw);
$('cancel').addEventListener('click', cancel);
video.addEventListener('loadedmetadata', () => {
  stage.dataset.shape = video.videoHeight > video.videoWidth ? 'tall' : 'wide';
});
video.addEventListener('error', () => {
  const job = shownJob();
  // Reading a job renews its links.
  if (job && serverNow() - linkedAt > LINK_OLD_MS) refresh(job.job_id).catch(() => {});
});

/** Puts a job on the stage whose video is to begin by itself. */
export function awaitOnStage(id) {
  awaited.add(id);
  update({ shownId: id });
  goToStage();
}

/** Brings the stage into sight. */
export function goToStage() {
  $('show').scrollIntoView({ block: 'nearest' });
}

function draw() {
  const job = shownJob();
  const now = !job ? 'empty' : isRunning(job) ? 'running' : job.status === 'completed' ? 'done' : 'failed';
  const key = `${job?.job_id} ${now}`;
  if (key !== drawn) enter(job, now);
  drawn = key;
  document.title = now === 'running' && job?.progress ? `${job.progress} % · Rendio` : 'Rendio';
  if (!job) return;
  if (now === 'running') drawRunning(job);
  if (now === 'failed') say($('verdict'), job.error_message ?? t('noVideo'));
  if (now === 'done') drawVideo(job);
  say($('shown-prompt'), job.prompt);
  say($('facts'), `${job.model_name}${now === 'failed' ? '' : ` · ${t('credits', job.credits_used)}`}`);
}

/** The stage turns to another job, or a job to another state. */
function enter(job, now) {
  const wasAwaited = awaited.has(job?.job_id);
  const isWaitedFor = stage.contains(document.activeElement) || document.activeElement === $('generate');
  $('show').dataset.state = now;
  stage.dataset.shape = 'wide';
  sayError($('cancel-error'), null);
  clearInterval(ticking);
  if (now !== 'done' && video.src) {
    // Without `load` it would go on being heard.
    video.removeAttribute('src');
    video.load();
  }
  if (now === 'running') {
    awaited.add(job.job_id);
    ticking = setInterval(() => drawElapsed(job), 1000);
  }
  if (!wasAwaited || now === 'running') return;
  announce(now === 'done' ? t('done') : (job.error_message ?? t('noVideo')));
  // The keyboard follows whoever waited here, and nobody who has begun something else.
  if (isWaitedFor && now === 'done') video.focus({ preventScroll: true });
  else if (stage.contains(document.activeElement)) stage.focus({ preventScroll: true });
}

/** @param {Job} job */
function drawRunning(job) {
  const { progress = null, queue_position: place = null } = job;
  const isMaking = job.status === 'processing' && !place;
  const isSure = isMaking && progress !== null;
  const text = isMaking ? t('making') : place ? t('inLine', place) : t('queued');
  say($('doing'), text);
  say($('figure'), isSure ? `${progress} %` : '');
  $('meter').classList.toggle('unsure', !isSure);
  $('meter').ariaLabel = text;
  $('meter').ariaValueNow = isSure ? progress : null;
  $('bar').style.transform = isSure ? `scaleX(${progress / 100})` : '';
  const step = isSure ? Math.floor(progress / ANNOUNCE_STEP) * ANNOUNCE_STEP : 0;
  announce(step > 0 ? `${text} ${step} %` : text);
  drawElapsed(job);
}

function drawElapsed(job) {
  const seconds = Math.max(0, Math.floor((serverNow() - Date.parse(job.created_at)) / 1000));
  say($('elapsed'), `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`);
}

/** @param {Job} job */
function drawVideo(job) {
  const url = here(job.video_url);
  const isSame = video.getAttribute('src')?.split('?')[0] === url.split('?')[0];
  // A renewed link to what plays already changes nothing.
  if (!url || (isSame && !video.error)) return;
  linkedAt = serverNow();
  video.poster = here(job.thumbnail_url);
  video.ariaLabel = job.prompt;
  video.src = url;
  $('download').href = `${url}&download=${encodeURIComponent(`${job.prompt.slice(0, 60).toWellFormed()}.mp4`)}`;
  // A browser may refuse: the controls are there.
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (awaited.has(job.job_id) && !isCalm) video.play().catch(() => {});
}

async function cancel() {
  const id = shownJob()?.job_id;
  if (!id || $('cancel').ariaDisabled === 'true') return;
  $('cancel').ariaDisabled = 'true';
  sayError($('cancel-error'), null);
  try {
    update({ credits: (await cancelJob(id)).credits_remaining });
    await refresh(id);
  } catch (error) {
    sayError($('cancel-error'), error);
  } finally {
    $('cancel').ariaDisabled = null;
  }
}
