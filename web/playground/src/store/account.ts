/** The account's dialog: who the user is, signing in with Apple, sessions, export, signing out and deletion. */
import { RendioError, SignedOutError } from '@rendio/client';
import { AppleError, askApple } from '../lib/apple.ts';
import { readSettings, rendio } from '../lib/server.ts';
import { setCredits } from './credits.ts';
import type { AccountTask } from './state.ts';
import { currentMessages, getState, update } from './store.ts';

const EXPORT_NAME = 'rendio-account.json';
/** Time for the browser to begin the download of a blob. */
const DOWNLOAD_MS = 60_000;

/** Reads what the dialog shows. What was read before stays on the screen until then. */
export async function loadAccount(): Promise<void> {
  try {
    const [profile, sessions, jobs, { appleUrl }] = await Promise.all([
      rendio.profile(),
      rendio.sessions(),
      rendio.jobs({ limit: 1 }),
      readSettings(),
    ]);
    update({ account: { profile, sessions, videos: jobs.total, error: null }, appleUrl });
  } catch (error) {
    if (!(error instanceof SignedOutError)) update(({ account }) => ({ account: { ...account, error } }));
  }
}

/** Whether Apple can be asked, for a page without an account. */
export async function loadAppleUrl(): Promise<void> {
  update({ appleUrl: (await readSettings().catch(() => null))?.appleUrl ?? null });
}

/** One thing at a time; shows its error, or the sentence that it returns. */
async function run(task: AccountTask, work: () => Promise<string>): Promise<void> {
  if (getState().accountTask) return;
  update({ accountTask: task, accountError: null, accountNote: '' });
  try {
    update({ accountNote: await work() });
  } catch (error) {
    if (!(error instanceof SignedOutError)) update({ accountError: error });
  } finally {
    update({ accountTask: null });
  }
}

/** Asks Apple who the user is. A guest is merged; without an account, the user is signed in. */
export function signIn(): Promise<void> {
  const { appleUrl, signedOut } = getState();
  if (!appleUrl) return Promise.resolve();
  return run('asking', async () => {
    const proof = await askApple(appleUrl);
    update({ accountTask: 'merging' });
    if (signedOut) {
      await rendio.signInWithApple(proof);
      return '';
    }
    const profile = await rendio.mergeGuest(proof);
    setCredits(profile.credits_remaining);
    update(({ account }) => ({ account: { ...account, profile } }));
    await loadAccount();
    return currentMessages().merged(profile.credits_remaining);
  });
}

export function endSession(id: string): Promise<void> {
  return run('ending', async () => {
    await rendio.revokeSession(id);
    await loadAccount();
    return currentMessages().sessionEnded;
  });
}

/** `others` keeps this session; the two other scopes end it. */
export function signOut(scope: 'local' | 'others' | 'global'): Promise<void> {
  return run('ending', async () => {
    await rendio.signOut({ scope });
    if (scope !== 'others') return '';
    await loadAccount();
    return currentMessages().othersEnded;
  });
}

/** Downloads the account's data as a file. */
export function exportData(): Promise<void> {
  return run('exporting', async () => {
    const blob = await (await rendio.exportAccount()).blob();
    // A document that was cut off has no last brace.
    const isWhole = (await blob.slice(-2).text()).trimEnd().endsWith('}');
    if (!isWhole) throw new RendioError(currentMessages().exportCut, { code: '', status: 200 });
    const url = URL.createObjectURL(blob);
    Object.assign(document.createElement('a'), { href: url, download: EXPORT_NAME }).click();
    setTimeout(() => URL.revokeObjectURL(url), DOWNLOAD_MS);
    return currentMessages().exported;
  });
}

export function deleteAccount(): Promise<void> {
  return run('deleting', async () => {
    await rendio.deleteAccount();
    return '';
  });
}

/** Opens this device's guest account after the user has signed out. */
export function continueAsGuest(): Promise<void> {
  return run('ending', async () => {
    await rendio.onboard();
    return '';
  });
}

/** Why Apple could not be asked; null for any other error. */
export function appleProblemOf(error: unknown): AppleError['problem'] | null {
  return error instanceof AppleError ? error.problem : null;
}
