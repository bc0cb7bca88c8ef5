/** The balance, of which news come by several ways: the older must never overwrite the newer. */
import { rendio } from '../lib/server.ts';
import { update } from './store.ts';

/** Events do not come faster than answers for long. */
const TRIES_MAX = 5;

let heard = 0;
let asked = 0;
let answered = 0;

/** The server has just said how many there are: by an event, or with an answer that moved them. */
export function hearCredits(credits: number): void {
  heard += 1;
  update({ credits });
}

/** Asks. An answer that a later question's overtook tells nothing; one that an event crossed is asked for again. */
export async function refreshCredits(): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const heardBefore = heard;
    asked += 1;
    const question = asked;
    const credits = await rendio.credits();
    if (question < answered) return;
    if (heard !== heardBefore) continue;
    answered = question;
    update({ credits });
    return;
  }
}
