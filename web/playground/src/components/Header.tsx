import { isLanguage, LANGUAGE_NAMES, LANGUAGES } from '../i18n/index.ts';
import { setLanguage, setTheme } from '../store/preferences.ts';
import { THEMES } from '../store/state.ts';
import { update, useLanguage, useMessages, useStore } from '../store/store.ts';
import { Balance } from './Balance.tsx';
import { Icon } from './Icon.tsx';

const THEME_ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const;

export function Header() {
  return (
    <header className="header">
      <p className="brand">
        <img src="/playground/icon.svg" alt="" width="28" height="28" />
        <span>Rendio</span>
      </p>
      <Balance />
      <GetCredits />
      <AccountButton />
      <LanguageSelect />
      <ThemeChoice />
    </header>
  );
}

function GetCredits() {
  const messages = useMessages();
  const isKnown = useStore((state) => state.credits !== null && state.signedOut === null);
  if (!isKnown) return null;
  return (
    <button
      type="button"
      className="get-credits"
      id="get-credits"
      title={messages.getCredits}
      aria-haspopup="dialog"
      onClick={() => update({ dialog: 'shop' })}
    >
      <Icon name="plus" />
      <span>{messages.getCredits}</span>
    </button>
  );
}

function AccountButton() {
  const messages = useMessages();
  const isSignedOut = useStore((state) => state.signedOut !== null);
  if (isSignedOut) return null;
  return (
    <button
      type="button"
      className="icon-button account-button"
      id="account-button"
      title={messages.account}
      aria-label={messages.account}
      aria-haspopup="dialog"
      onClick={() => update({ dialog: 'account' })}
    >
      <Icon name="person" />
    </button>
  );
}

function LanguageSelect() {
  const messages = useMessages();
  const language = useLanguage();
  return (
    <span className="language">
      <Icon name="globe" />
      <select
        id="language"
        aria-label={messages.language}
        value={language}
        onChange={({ target }) => isLanguage(target.value) && setLanguage(target.value)}
      >
        {LANGUAGES.map((name) => (
          <option key={name} value={name} lang={name}>
            {LANGUAGE_NAMES[name]}
          </option>
        ))}
      </select>
    </span>
  );
}

function ThemeChoice() {
  const messages = useMessages();
  const chosen = useStore((state) => state.theme);
  return (
    <fieldset className="theme">
      <legend className="visually-hidden">{messages.theme}</legend>
      {THEMES.map((theme) => (
        <label key={theme} title={messages.themes[theme]}>
          <input
            type="radio"
            name="theme"
            value={theme}
            aria-label={messages.themes[theme]}
            checked={theme === chosen}
            onChange={() => setTheme(theme)}
          />
          <span>
            <Icon name={THEME_ICONS[theme]} />
          </span>
        </label>
      ))}
    </fieldset>
  );
}
