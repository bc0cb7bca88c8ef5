/** Pays for one video once: a key goes with the wish until the server has said yes or no. */
import { generate } from './api.js';
import { ApiError, ConnectionError, serverNow } from './http.js';
import { pause } from './live.js';
import { accountId } from './session.js';
import { recall, remember, uuid } from './storage.js';

/** After this long nobody expects a wish to come true any more. */
const RESUME_WITHIN_MS = 10 * 60_000;
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 8_000;
/** So many failures of the server's are told; the key is kept for the next press. */
const TROUBLES_MAX = 4;

/** This account's wish that was sent and never answered, such as before a reload. @returns {Pending | null} */
export function unanswered() {
  const pending = recall('pending');
  const isOurs = pending?.account === accountId() && serverNow() - pending.at < RESUME_WITHIN_MS;
  return isOurs ? pending : null;
}

/** Resolves with the job; throws the refusal. While nobody answers it keeps trying, under the same key. */
export async function submit(wish, onSilence) {
  const { key } = pendingFor(wish);
  for (let tries = 1, troubles = 0; ; tries += 1) {
    try {
      const answer = await generate(wish, key);
      remember('pending', null);
      return answer;
    } catch (error) {
      if (isFinal(error)) {
        remember('pending', null);
        throw error;
      }
      if (error instanceof ConnectionError) onSilence();
      else if (++troubles >= TROUBLES_MAX) throw error;
      const wantedMs = error instanceof ApiError ? error.retryAfterMs : 0;
      await pause(Math.max(wantedMs, Math.min(RETRY_MS * 2 ** tries, RETRY_MAX_MS)));
    }
  }
}

/** @returns {Pending} */
function pendingFor(wish) {
  const old = unanswered();
  const isSame = JSON.stringify(old?.wish) === JSON.stringify(wish);
  const pending = old && isSame ? old : { key: uuid(), wish, account: accountId(), at: serverNow() };
  remember('pending', pending);
  return pending;
}

/** Whether it is sure that nothing was charged. */
function isFinal(error) {
  if (!(error instanceof ApiError)) return !(error instanceof ConnectionError);
  // A provider that is down is heard of before the charge.
  if (error.code.startsWith('ERR_5') || error.status === 501) return true;
  const isInProgress = error.status === 409 && error.retryAfterMs > 0;
  return error.status < 500 && error.status !== 408 && !isInProgress;
}
