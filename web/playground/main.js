/** The page: a guest from the first visit on, a prompt, and a video. */
import { saveLanguage } from './api.js';
import { resume } from './composer.js';
import { $, make, say, sayError } from './dom.js';
import './ledger.js';
import { hurry, live } from './live.js';
import './recent.js';
import { listen, update } from './state.js';
import { recall } from './storage.js';
import { chooseLanguage, language, t, translatePage } from './strings.js';

listen(({ credits, isLost, trouble }) => {
  const notice = $('notice');
  say($('balance'), credits === null ? '' : t('balance', credits));
  if (isLost) say(notice, t('lost'));
  else sayError(notice, trouble);
  if (trouble) notice.append(make('button', { type: 'button', className: 'button', onclick: hurry }, t('retry')));
});

/** The account keeps the language too, for what the server says unasked. */
const tellLanguage = () => recall('language') && saveLanguage(language()).catch(() => {});

$('language').value = language();
$('language').addEventListener('change', ({ target }) => {
  chooseLanguage(target.value);
  update({});
  tellLanguage();
});

translatePage();
update({});
live(() => {
  tellLanguage();
  resume();
});
