/** The account area of the header: shows the account that sends the requests. */
import { announce, find, make } from './dom.ts';
import { language } from './language.ts';
import { accessToken, forget, type Person, signInAsGuest, useToken, whoAmI } from './session.ts';

export type Account = {
  /** Reads the balance again, after a request that may have changed it. */
  refresh(): Promise<void>;
};

/** Draws the account area. `onChange` receives the access token, or null, whenever the account changes. */
export async function startAccount(canBeGuest: boolean, onChange: (token: string | null) => void): Promise<Account> {
  let person: Person | null = null;

  async function readPerson(): Promise<void> {
    try {
      person = await whoAmI();
    } catch (error) {
      person = null;
      if (error instanceof Error) announce(error.message);
    }
    draw();
    onChange(person ? await accessToken() : null);
  }

  async function changeSession(work: () => Promise<void> | void): Promise<void> {
    announce('');
    try {
      await work();
    } catch (error) {
      announce(error instanceof Error ? error.message : 'That did not work.');
      return;
    }
    await readPerson();
    if (person) announce(`You are signed in as ${nameOf(person)}. Requests on this page use this account.`);
    find<HTMLElement>('.account button').focus({ preventScroll: true });
  }

  function draw(): void {
    find('.account').replaceChildren(...(person ? signedIn(person) : signedOut()));
  }

  function signedIn(who: Person): Node[] {
    const credits = make('strong', { class: 'credits' }, `${who.credits} ${who.credits === 1 ? 'credit' : 'credits'}`);
    const signOut = make('button', { type: 'button', class: 'quiet' }, 'Sign out');
    signOut.addEventListener('click', () => void changeSession(forget));
    return [make('span', { class: 'who', title: who.userId }, nameOf(who)), credits, signOut];
  }

  function signedOut(): Node[] {
    const form = tokenForm((token) => void changeSession(() => useToken(token)));
    if (!canBeGuest) return [form];
    const guest = make('button', { type: 'button', class: 'lamp' }, 'Sign in as a guest');
    guest.addEventListener('click', () => {
      guest.disabled = true;
      void changeSession(() => signInAsGuest(language())).finally(() => {
        guest.disabled = false;
      });
    });
    const other = make('details', { class: 'token' }, make('summary', {}, 'Use a token'), form);
    return [guest, other];
  }

  draw();
  await readPerson();
  return {
    async refresh() {
      const before = person?.credits;
      person = await whoAmI().catch(() => person);
      if (person?.credits !== before) draw();
    },
  };
}

function nameOf({ userId, isGuest }: Person): string {
  return `${isGuest ? 'guest' : 'user'} ${userId.slice(0, 8)}`;
}

function tokenForm(onToken: (token: string) => void): HTMLFormElement {
  const field = make('input', {
    type: 'password',
    name: 'token',
    required: '',
    autocomplete: 'off',
    placeholder: 'access token',
    'aria-label': 'Access token',
  });
  const form = make('form', { class: 'token-form' }, field, make('button', { type: 'submit' }, 'Use token'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    onToken(field.value);
  });
  return form;
}
