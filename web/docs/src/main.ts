import '../../shared/tokens.css';
import '../../shared/base.css';
import './page.css';
import './reference.css';
import './operation.css';
import { startAccount } from './account.ts';
import { call, type PageSettings } from './api.ts';
import { announce, find } from './dom.ts';
import { drawErrors } from './errors.ts';
import { drawIndex } from './index-of-endpoints.ts';
import { language, readLanguage, startLanguages } from './language.ts';
import { readSpec, startReference } from './reference.ts';

const readSettings = () => call<PageSettings>(`/docs/settings.json?language=${language()}`);

/** The reference UI has its own dark theme, which a class switches on. */
function followSystemTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', apply);
  apply();
}

async function start(): Promise<void> {
  followSystemTheme();
  readLanguage((await readSettings()).languages);
  const [settings, spec] = await Promise.all([readSettings(), readSpec()]);
  drawErrors(settings.errors);
  const reference = await startReference({
    spec,
    onAnswer(status) {
      announce(status === 401 ? 'This request needs an account: sign in as a guest at the top of the page.' : '');
      void account?.refresh();
    },
  });
  drawIndex(spec, ({ tags, operationId }) => reference.open(tags[0] ?? '', operationId));
  startLanguages(settings.languages, async () => {
    find('#reference').ariaBusy = 'true';
    drawErrors((await readSettings()).errors);
    await reference.redraw();
    // The UI draws with the next frame, and folds again what was unfolded.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        find('#reference').ariaBusy = 'false';
      }),
    );
  });
  const account = await startAccount(settings.simulates_device_check, (token) => reference.authorize(token));
}

start().catch((error: unknown) => {
  find('#reference').replaceChildren();
  announce(
    `The reference could not be loaded: ${error instanceof Error ? error.message : 'unknown'}. Reload the page.`,
  );
});
