/** Who we are: a guest known by a device id that this browser made once, and the tokens that prove it. */
import { ApiError, ask, serverNow } from './http.js';
import { recall, remember, uuid } from './storage.js';

/** A token that lives no longer than this is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

/** @type {Promise<string> | null} */
let renewing = null;

/** An access token that works. `rejected` is one that the server has just refused. */
export async function accessToken(rejected = '') {
  const session = usable(rejected);
  if (session) return session.access_token;
  const renewal = () => renew(rejected);
  // One tab at a time: two that renew at once would race for the refresh token.
  renewing ??= Promise.resolve(navigator.locks?.request('rendio', renewal) ?? renewal()).finally(() => {
    renewing = null;
  });
  return renewing;
}

/** The account that the stored session opens; null before the first visit's onboarding. */
export function accountId() {
  return stored()?.user_id ?? null;
}

/** Forgets this guest; the next call makes another. */
export function forgetGuest() {
  remember('session', null);
  remember('device', null);
}

/** @returns {Session | null} */
const stored = () => recall('session');

function usable(rejected) {
  const session = stored();
  const isFresh = session && session.expires_at * 1000 - serverNow() > RENEW_BEFORE_MS;
  return isFresh && session.access_token !== rejected ? session : null;
}

async function renew(rejected) {
  // Another tab may have been quicker.
  const session = usable(rejected);
  if (session) return session.access_token;
  const old = stored();
  if (!old) return onboard();
  try {
    const body = { refresh_token: old.refresh_token };
    return keep(await ask('POST', '/auth/v1/token?grant_type=refresh_token', { body }));
  } catch (error) {
    // Only a plain no ends a session; a server in trouble must not sign anybody out.
    if (!(error instanceof ApiError) || ![400, 401, 403].includes(error.status)) throw error;
    return onboard();
  }
}

async function onboard() {
  const deviceId = recall('device') ?? uuid();
  remember('device', deviceId);
  // What the development server's simulated DeviceCheck takes for a device's token.
  const body = { device_id: deviceId, device_token: btoa(`device:${deviceId}`) };
  return keep((await ask('POST', '/functions/v1/device-check', { body })).session);
}

function keep({ access_token, refresh_token, expires_at, user }) {
  remember('session', { access_token, refresh_token, expires_at, user_id: user.id });
  return access_token;
}
