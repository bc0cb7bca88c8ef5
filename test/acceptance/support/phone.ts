/** An app on a phone that Apple of the tests knows. */
import assert from 'node:assert/strict';
import { type Onboarded, onboardedShape } from './answers.ts';
import { expectStatus, type Reply } from './api.ts';
import { appleToken } from './apple.ts';
import { asGuest, deviceCheck } from './guest.ts';
import { assertShape } from './shape.ts';

/** A person waits with the phone in hand: no answer may take longer, whatever Apple does. */
const PATIENCE_MS = 10_000;

/** A call of one installation (device id) on one physical device; null: without a token. */
export async function knock(base: string, deviceId: string, device: string | null): Promise<Reply<Onboarded>> {
  const began = performance.now();
  const body = device === null ? { device_id: deviceId } : { device_id: deviceId, device_token: appleToken(device) };
  const reply = await deviceCheck(base, body);
  assert.ok(performance.now() - began < PATIENCE_MS, 'answered while somebody waits');
  return reply;
}

/** The same, let in. */
export async function enter(base: string, deviceId: string, device: string | null): Promise<Onboarded> {
  const reply = expectStatus(await knock(base, deviceId, device), 200);
  assertShape(reply.body, onboardedShape);
  const { session, access_token, refresh_token, user_id } = reply.body;
  assert.deepEqual(
    [session.access_token, session.refresh_token, session.user.id],
    [access_token, refresh_token, user_id],
  );
  return reply.body;
}

/** How often an account was given the initial grant. */
export async function grantsOf(base: string, onboarded: Onboarded): Promise<number> {
  const rows = await asGuest(base, onboarded).ledger();
  return rows.filter(({ reason }) => reason === 'initial_grant').length;
}

/** Asserts that the answer lets nobody in: no account, no tokens. */
export function assertNoEntry(reply: Reply<unknown>): void {
  assert.equal(reply.status, 503, reply.text);
  assert.doesNotMatch(reply.text, /token"|user_id|session"/);
  assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/);
}
