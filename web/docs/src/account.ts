/** The corner that says who the calls are made as. */
import { announce, find, make } from './dom.ts';
import { language } from './language.ts';
import { accessToken, becomeGuest, forget, type Person, useToken, whoAmI } from './session.ts';

export type Account = {
  /** Reads the balance again, after a call that may have moved it. */
  refresh(): Promise<void>;
};

/** Draws the corner; `onChange` hears the token, or null, whenever it is another. */
export async function startAccount(
  canBecomeGuest: boolean,
  onChange: (token: string | null) => void,
): Promise<Account> {
  let person: Person | null = null;

  async function look(): Promise<void> {
    try {
      person = await whoAmI();
    } catch (error) {
      person = null;
      if (error instanceof Error) announce(error.message);
    }
    draw();
    onChange(person ? await accessToken() : null);
  }

  async function sign(work: () => Promise<void> | void): Promise<void> {
    announce('');
    try {
      await work();
    } catch (error) {
      announce(error instanceof Error ? error.message : 'That did not work.');
      return;
    }
    await look();
    if (person) announce(`You are ${nameOf(person)}. Every call below is made as you.`);
    find<HTMLElement>('.account button').focus({ preventScroll: true });
  }

  function draw(): void {
    find('.account').replaceChildren(...(person ? signedIn(person) : signedOut()));
  }

  function signedIn(who: Person): Node[] {
    const credits = make('strong', { class: 'credits' }, `${who.credits} ${who.credits === 1 ? 'credit' : 'credits'}`);
    const leave = make('button', { type: 'button', class: 'quiet' }, 'Leave');
    leave.addEventListener('click', () => void sign(forget));
    return [make('span', { class: 'who', title: who.userId }, nameOf(who)), credits, leave];
  }

  function signedOut(): Node[] {
    const form = tokenForm((token) => void sign(() => useToken(token)));
    if (!canBecomeGuest) return [form];
    const guest = make('button', { type: 'button', class: 'lamp' }, 'Become a guest');
    guest.addEventListener('click', () => {
      guest.disabled = true;
      void sign(() => becomeGuest(language())).finally(() => {
        guest.disabled = false;
      });
    });
    const other = make('details', { class: 'token' }, make('summary', {}, 'Use a token'), form);
    return [guest, other];
  }

  draw();
  await look();
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
  const form = make('form', { class: 'token-form' }, field, make('button', { type: 'submit' }, 'Use it'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    onToken(field.value);
  });
  return form;
}
