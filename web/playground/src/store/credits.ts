/** The balance. Events and answers both update it, and an older value must not overwrite a newer one. */
import { rendio } from '../lib/server.ts';
import { update } from './store.ts';

/** Enough attempts: events do not stay faster than answers for long. */
const TRIES_MAX = 5;

let updates = 0;
let requested = 0;
let answered = 0;

/** Sets the balance that the server has just sent, in an event or in the answer to a request that changed it. */
export function setCredits(credits: number): void {
  updates += 1;
  update({ credits });
}

/**
 * Reads the balance. Ignores an answer that came after a later request's answer, and reads again when an event arrived in
 * the meantime.
 */
export async function refreshCredits(): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const updatesBefore = updates;
    requested += 1;
    const request = requested;
    const credits = await rendio.credits();
    if (request < answered) return;
    if (updates !== updatesBefore) continue;
    answered = request;
    update({ credits });
    return;
  }
}
