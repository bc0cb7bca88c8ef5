/** The videos made so far, newest first. */
import { deleteJob, getJobs } from './api.js';
import { $, make, say, sayError } from './dom.js';
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
    return card.item;
  });
  const isSame = list.children.length === wanted.length && wanted.every((item, index) => list.children[index] === item);
  if (!isSame) list.replaceChildren(...wanted);
}

function makeCard(id) {
  const image = make('img', { alt: '', loading: 'lazy' });
  const badge = make('span', {});
  const name = make('span', { className: 'name' });
  const onclick = () => {
    show(id);
    goToStage();
  };
  const thumb = make('span', { className: 'thumb' }, image, badge);
  const open = make('button', { type: 'button', className: 'open', onclick }, thumb, name);
  const remover = make('button', { type: 'button', className: 'remove', onclick: () => remove(id) }, '×');
  const card = { image, badge, name, open, remover, item: make('li', { className: 'card' }, open, remover) };
  cards.set(id, card);
  return card;
}

function drawCard({ image, badge, name, open, remover }, job) {
  const url = here(job.thumbnail_url);
  const path = url.split('?')[0];
  image.hidden = !url;
  // A renewed link to the same picture changes nothing.
  if (url && image.dataset.path !== path) image.src = url;
  image.dataset.path = path;
  const progress = job.progress ? ` · ${job.progress} %` : '';
  say(badge, isRunning(job) ? t('running') + progress : url ? '' : t('noVideo'));
  say(name, job.prompt);
  open.ariaCurrent = String(job.job_id === state.shownId);
  remover.ariaLabel = `${t('remove')}: ${job.prompt}`;
  remover.hidden = isRunning(job);
}

async function attempt(work) {
  sayError($('recent-error'), null);
  await work().catch((error) => sayError($('recent-error'), error));
}

async function remove(id) {
  if (!confirm(t('removeAsk'))) return;
  await attempt(async () => {
    await deleteJob(id);
    const { item } = cards.get(id);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    forget(id);
    cards.delete(id);
    (next?.querySelector('button') ?? $('prompt')).focus();
  });
}

async function loadMore() {
  const page = await getJobs(state.nextJobs ?? '');
  const news = page.jobs.filter((job) => !cards.has(job.job_id));
  update({ jobs: [...state.jobs, ...news], nextJobs: page.next_cursor });
}
