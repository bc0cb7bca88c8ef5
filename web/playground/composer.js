/** The form: what to make, for how much, and why not if not. */
import { $, make, say, sayError } from './dom.js';
import { submit, unanswered } from './generate.js';
import { serverNow } from './http.js';
import { refresh, startAnew } from './live.js';
import { drawSettings } from './settings.js';
import { awaitOnStage } from './stage.js';
import { learn, listen, shownJob, state, update } from './state.js';
import { recall, remember } from './storage.js';
import { language, t } from './strings.js';

const PROMPT_MIN = 3;

const prompt = $('prompt');
const models = $('models');
/** The values of the settings by name, kept from one visit to the next. */
const chosen = recall('settings') ?? {};
/** What the button says while a wish is on its way. @type {'sending' | 'waiting' | null} */
let sending = null;
/** Nobody is told off before they have begun. */
let isTouched = false;
let drawnFor = '';

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  press();
});
prompt.addEventListener('input', () => {
  isTouched = true;
  clearErrors();
  tell();
});
prompt.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) press();
});
models.addEventListener('change', () => {
  remember('model', models.value);
  draw();
});
$('reuse').addEventListener('click', () => usePrompt(shownJob()?.prompt));
$('new-guest').addEventListener('click', () => {
  if (confirm(t('newGuestAsk'))) startAnew();
  prompt.focus();
});
listen(draw);

/** Sends again what had no answer before the page was loaded anew. */
export function resume() {
  const pending = unanswered();
  if (pending && !sending) send(pending.wish);
}

function usePrompt(text) {
  prompt.value = text;
  clearErrors();
  tell();
  prompt.focus();
}

/** Models that need a picture are left out: this page has no way to bring one. */
const offered = () => state.models.filter((model) => !model.requires_image);
const model = () => offered().find(({ id }) => id === models.value);

function draw() {
  const ids = offered().map(({ id }) => id);
  if (ids.join() !== Array.from(models.options, ({ value }) => value).join()) {
    const wanted = models.value || recall('model');
    models.replaceChildren(...offered().map(({ id, name }) => new Option(name, id)));
    models.value = ids.includes(wanted) ? wanted : (ids[0] ?? '');
  }
  const present = model();
  const key = `${present?.id} ${language()}`;
  if (drawnFor !== key) {
    drawnFor = key;
    prompt.placeholder = t('placeholder');
    $('model').hidden = !present;
    say($('about'), present?.description ?? '');
    drawSettings($('settings'), present?.settings_schema.properties ?? {}, chosen, () => {
      remember('settings', chosen);
      tell();
    });
    const ideas = [t('idea1'), t('idea2'), t('idea3')];
    $('ideas').replaceChildren(
      ...ideas.map((text) => make('button', { type: 'button', onclick: () => usePrompt(text) }, text)),
    );
  }
  $('ideas').hidden = state.jobs.length > 0;
  tell();
}

/** In credits, as the server will count it; null before there is a model. */
function price() {
  const pricing = model()?.pricing;
  if (!pricing) return null;
  return pricing.per_seconds ? Math.ceil(chosen.duration / pricing.per_seconds) * pricing.credits : pricing.credits;
}

/** Why the button does nothing now: `''` while there is nothing to say, null when it works. */
function obstacle() {
  const cost = price();
  const max = model()?.prompt_max ?? 0;
  // Characters as people count them, not UTF-16 units.
  const length = [...prompt.value.trim()].length;
  if (state.credits === null) return '';
  if (cost === null) return t('noModels');
  if (state.credits < cost) return state.credits > 0 ? t('tooDear', cost, state.credits) : t('noCredits');
  if (length < PROMPT_MIN) return t('tooShort', PROMPT_MIN);
  return length > max ? t('tooLong', length - max, max) : null;
}

/** Says the price, and why not. */
function tell() {
  const cost = price();
  const why = obstacle();
  const isPoor = cost !== null && state.credits !== null && state.credits < cost;
  say($('price'), cost === null || sending ? '' : t('credits', cost));
  say($('label'), t(sending ?? 'generate'));
  $('generate').ariaDisabled = why !== null || sending !== null;
  say($('reason'), sending ? '' : (why ?? ''));
  $('reason').classList.toggle('urgent', isPoor || isTouched);
  $('new-guest').hidden = !isPoor;
}

function press() {
  const present = model();
  if (sending) return;
  if (obstacle() !== null || !present) {
    isTouched = true;
    tell();
    prompt.focus();
    return;
  }
  const names = Object.keys(present.settings_schema.properties ?? {});
  const settings = Object.fromEntries(names.map((name) => [name, chosen[name]]));
  send({ model_id: present.id, prompt: prompt.value.trim(), settings });
}

/** @param {Wish} wish */
async function send(wish) {
  clearErrors();
  sending = 'sending';
  tell();
  try {
    const { job_id, credits_used } = await submit(wish, () => {
      sending = 'waiting';
      tell();
    });
    const model_name = state.models.find(({ id }) => id === wish.model_id)?.name ?? '';
    const created_at = new Date(serverNow()).toISOString();
    learn({ job_id, prompt: wish.prompt, model_name, credits_used, status: 'pending', created_at });
    awaitOnStage(job_id);
    // The answer may be a repeat, of a job that has long moved on.
    refresh(job_id).catch(() => {});
  } catch (error) {
    showError(error);
  } finally {
    sending = null;
    tell();
  }
}

/** Beside what caused it. @param {any} error */
function showError(error) {
  const { field = '', credits_remaining: credits } = error.details ?? {};
  if (typeof credits === 'number') update({ credits });
  sayError(document.querySelector(`[data-field="${CSS.escape(field)}"] .error`) ?? $('general-error'), error);
  if (field === 'prompt') prompt.focus();
}

function clearErrors() {
  for (const element of document.querySelectorAll('#composer .error')) sayError(element, null);
}
