/** Language and theme: stored in this browser, and saved to the account's profile. */
import type { ProfileChange } from '@rendio/client';
import { isLanguage, type Language, loadMessages } from '../i18n/index.ts';
import { rendio } from '../lib/server.ts';
import { isString, readStored, writeStored } from '../lib/storage.ts';
import { refreshJob, selectShown } from './jobs.ts';
import type { Theme } from './state.ts';
import { getState, update } from './store.ts';

export async function setLanguage(language: Language): Promise<void> {
  writeStored('language', language);
  await loadMessages(language);
  // The user may have chosen another language meanwhile.
  if (readStored('language', isLanguage) !== language) return;
  update({ language });
  document.documentElement.lang = language;
  // The reason of a failure is the server's sentence: read it in the new language.
  const shown = selectShown(getState());
  if (shown?.status === 'failed') refreshJob(shown.job_id).catch(ignore);
  saveToProfile({ language });
}

export function setTheme(theme: Theme): void {
  writeStored('theme', theme);
  update({ theme });
  applyTheme(theme);
  saveToProfile({ theme_preference: theme });
}

/** Saves this browser's choices to the account: its language, and its theme if the user has chosen one. */
export function savePreferences(): void {
  const { language, theme } = getState();
  saveToProfile({ language, ...(readStored('theme', isString) ? { theme_preference: theme } : {}) });
}

let saving: Promise<unknown> = Promise.resolve();

/** Saves one change at a time, so that the last choice arrives last. */
function saveToProfile(change: ProfileChange): void {
  saving = saving.then(() => rendio.updateProfile(change)).catch(ignore);
}

function applyTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
}

/** The page uses the choice anyway; the next visit saves it again. */
function ignore(): void {}
