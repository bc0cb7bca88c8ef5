/** Language and theme: kept by this browser, and told to the account for what the server says unasked. */
import type { ProfileChange } from '@rendio/client';
import { isLanguage, type Language, loadWords } from '../i18n/index.ts';
import { rendio } from '../lib/server.ts';
import { isString, recall, remember } from '../lib/storage.ts';
import { refresh, selectShown } from './jobs.ts';
import type { Theme } from './state.ts';
import { getState, update } from './store.ts';

export async function setLanguage(language: Language): Promise<void> {
  remember('language', language);
  await loadWords(language);
  // Another may have been chosen meanwhile.
  if (recall('language', isLanguage) !== language) return;
  update({ language });
  document.documentElement.lang = language;
  // Why a video failed is the server's sentence.
  const shown = selectShown(getState());
  if (shown?.status === 'failed') refresh(shown.job_id).catch(ignore);
  tell({ language });
}

export function setTheme(theme: Theme): void {
  remember('theme', theme);
  update({ theme });
  applyTheme(theme);
  tell({ theme_preference: theme });
}

/** What was chosen here goes to an account that is new to this page; a browser's own language does, too. */
export function tellAccount(): void {
  const { language, theme } = getState();
  tell({ language, ...(recall('theme', isString) ? { theme_preference: theme } : {}) });
}

let telling: Promise<unknown> = Promise.resolve();

/** One after the other: what was chosen last has to arrive last. */
function tell(change: ProfileChange): void {
  telling = telling.then(() => rendio.updateProfile(change)).catch(ignore);
}

function applyTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
}

/** The page looks and speaks as chosen all the same; the next visit tells it again. */
function ignore(): void {}
