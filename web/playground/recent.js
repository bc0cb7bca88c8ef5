/** The videos made so far, newest first. */
import { deleteJob, getJobs } from './api.js';
import { $, confirmed, say, sayError } from './dom.js';
import { here } from './http.js';
import { show } from './live.js';
import { goToStage } from './stage.js';
import { forget, isRunning, listen, state, update } from './state.js';
import { t } from './strings.js';

const list = $('cards');
/** The cards by job, kept so that focus and pictures stay. @type {Map<string, any>} */
const cards = new Map();

listen(draw);
$('more-jobs').addEventListener('click', () => attempt(loadMore));

function draw() {
  $('recent').hidden = state.jobs.length === 0;
  $('more-jobs').hidden = state.nextJobs === null;
  const wanted = state.jobs.map((job) => {
    const card = cards.get(job.job_id) ?? makeCard(job.job_id);
    drawCard(card, job);
    return card;
  });
  const isSame = list.children.length === wanted.length && wanted.every((card, index) => list.children[index] === card);
  if (!isSame) list.replaceChildren(...wanted);
}

function makeCard(id) {
  const card = $('card').content.cloneNode(true).firstElementChild;
  card.querySelector('.open').onclick = () => {
    show(id);
    goToStage();
  };
  card.querySelector('.remove').onclick = () => attempt(() => remove(id, card));
  cards.set(id, card);
  return card;
}

/** @param {Job} job */
function drawCard(card, job) {
  const [image, badge, line, open, remover] = ['img', '.badge', '.line', '.open', '.remove'].map((name) =>
    card.querySelector(name),
  );
  const url = here(job.thumbnail_url);
  const path = url.split('?')[0];
  image.hidden = !url;
  // A renewed link to the same picture changes nothing.
  if (url && image.dataset.path !== path) image.src = url;
  image.dataset.path = path;
  const progress = job.progress ? ` · ${job.progress} %` : '';
  say(badge, isRunning(job) ? t('running') + progress : url ? '' : t('noVideo'));
  say(line, job.prompt);
  open.ariaLabel = t('open', job.prompt);
  open.ariaCurrent = String(job.job_id === state.shownId);
  remover.ariaLabel = t('remove', job.prompt);
  remover.hidden = isRunning(job);
}

async function attempt(work) {
  sayError($('recent-error'), null);
  await work().catch((error) => sayError($('recent-error'), error));
}

async function remove(id, card) {
  if (!(await confirmed(t('removeAsk'), t('removeYes')))) return;
  await deleteJob(id);
  const next = card.nextElementSibling ?? card.previousElementSibling;
  forget(id);
  cards.delete(id);
  (next?.querySelector('.open') ?? $('prompt')).focus();
}

async function loadMore() {
  const page = await getJobs(state.nextJobs ?? '');
  const news = page.jobs.filter((job) => !cards.has(job.job_id));
  update({ jobs: [...state.jobs, ...news], nextJobs: page.next_cursor });
}
