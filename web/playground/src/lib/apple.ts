/** Signs the user in at Apple's page, in a window of its own. */
import type { AppleProof } from '@rendio/client';

/**
 * `blocked`: the browser opened no window. `closed`: the user closed it or cancelled. `insecure`: a page over plain http has no
 * SHA-256. `failed`: Apple answered with an error.
 */
export type AppleProblem = 'blocked' | 'closed' | 'insecure' | 'failed';

export class AppleError extends Error {
  readonly problem: AppleProblem;

  constructor(problem: AppleProblem) {
    super(`Sign in with Apple: ${problem}`);
    this.problem = problem;
  }
}

const FEATURES = 'popup,width=480,height=720';
const CANCELLED = ['popup_closed_by_user', 'user_cancelled_authorize'];
/** Nothing tells a page that a window was closed. */
const CLOSED_CHECK_MS = 500;

/**
 * Opens Apple's page and resolves with what it gives the app. Call it while a click is handled: later, browsers block the window.
 * Throws AppleError.
 */
export async function askApple(authorizeUrl: string): Promise<AppleProof> {
  if (!crypto.subtle) throw new AppleError('insecure');
  const popup = window.open('', 'apple-sign-in', FEATURES);
  if (!popup) throw new AppleError('blocked');
  const [nonce, state] = [randomText(), randomText()];
  const url = new URL(authorizeUrl, location.href);
  if (!url.searchParams.has('client_id')) url.searchParams.set('client_id', '');
  url.searchParams.set('nonce', await sha256(nonce));
  url.searchParams.set('state', state);
  const answer = waitForAnswer(popup, state);
  popup.location.replace(url.href);
  popup.focus();
  const { identity_token: identityToken, authorization_code: authorizationCode, error } = await answer;
  if (typeof identityToken !== 'string')
    throw new AppleError(typeof error === 'string' && CANCELLED.includes(error) ? 'closed' : 'failed');
  return { identityToken, nonce, ...(typeof authorizationCode === 'string' && { authorizationCode }) };
}

type Answer = { identity_token?: unknown; authorization_code?: unknown; error?: unknown };

/** The message of this window with this state. Messages of any other window, origin or sign-in are ignored. */
function waitForAnswer(popup: Window, state: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let wasClosed = false;
    const end = () => {
      clearInterval(timer);
      window.removeEventListener('message', onMessage);
    };
    const onMessage = ({ origin, source, data }: MessageEvent) => {
      if (origin !== location.origin || source !== popup || data?.type !== 'apple-sign-in' || data.state !== state)
        return;
      end();
      popup.close();
      resolve(data);
    };
    const timer = setInterval(() => {
      // The message of a window that closes itself may arrive after it is gone.
      if (wasClosed) {
        end();
        reject(new AppleError('closed'));
      }
      wasClosed = popup.closed;
    }, CLOSED_CHECK_MS);
    window.addEventListener('message', onMessage);
  });
}

function randomText(): string {
  return hex(crypto.getRandomValues(new Uint8Array(32)));
}

async function sha256(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
