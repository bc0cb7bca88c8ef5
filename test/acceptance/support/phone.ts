/** An app on a phone that the simulated DeviceCheck knows. */
import assert from 'node:assert/strict';
import { type Onboarded, onboardedShape } from './answers.ts';
import { expectStatus, type Reply } from './api.ts';
import { appleToken } from './apple.ts';
import { asGuest, deviceCheck } from './guest.ts';
import { assertShape } from './shape.ts';

/** The user is waiting: no answer may take longer, whatever Apple does. */
const ANSWER_MAX_MS = 10_000;

/** Calls device-check for one installation (device id) on one physical device; null: without a device token. */
export async function checkDevice(base: string, deviceId: string, device: string | null): Promise<Reply<Onboarded>> {
  const began = performance.now();
  const body = device === null ? { device_id: deviceId } : { device_id: deviceId, device_token: appleToken(device) };
  const reply = await deviceCheck(base, body);
  assert.ok(performance.now() - began < ANSWER_MAX_MS, 'the answer comes in time');
  return reply;
}

/** The same; asserts that it succeeds, and returns the body. */
export async function onboard(base: string, deviceId: string, device: string | null): Promise<Onboarded> {
  const reply = expectStatus(await checkDevice(base, deviceId, device), 200);
  assertShape(reply.body, onboardedShape);
  const { session, access_token, refresh_token, user_id } = reply.body;
  assert.deepEqual(
    [session.access_token, session.refresh_token, session.user.id],
    [access_token, refresh_token, user_id],
  );
  return reply.body;
}

/** How often an account has received the initial grant. */
export async function grantsOf(base: string, onboarded: Onboarded): Promise<number> {
  const rows = await asGuest(base, onboarded).ledger();
  return rows.filter(({ reason }) => reason === 'initial_grant').length;
}

/** Asserts a 503 that gives no access: no account, no tokens. */
export function assertNoSession(reply: Reply<unknown>): void {
  assert.equal(reply.status, 503, reply.text);
  assert.doesNotMatch(reply.text, /token"|user_id|session"/);
  assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/);
}
