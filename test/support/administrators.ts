/** Administrators of a test application, made as the command line makes them. */
import { randomUUID } from 'node:crypto';
import type { TestApp } from './app.ts';
import { callAsOwner } from './procedures.ts';

/** A signed-in administrator; `call` posts a body, or gets without one. */
export type TestAdministrator = {
  id: string;
  email: string;
  sessionId: string;
  token: string;
  call(path: string, body?: object, headers?: Record<string, string>): Promise<AdminAnswer>;
};

export type AdminAnswer = { status: number; headers: Headers; body: ReturnType<JSON['parse']> };

/** Makes an administrator and opens a session, as `npm run admin -- create` and `token` do. */
export async function newAdministrator(
  app: TestApp,
  email = `ada.${randomUUID()}@example.com`,
): Promise<TestAdministrator> {
  await callAsOwner(app.owner, 'create_administrator', { email });
  const sessionId = randomUUID();
  const opened = (await callAsOwner(app.owner, 'open_admin_session_by_email', { session_id: sessionId, email })) as {
    admin_user_id: string;
    expires_at: string;
  };
  const claims = { adminUserId: opened.admin_user_id, sessionId };
  const token = await app.ctx.adminTokens.sign(claims, new Date(opened.expires_at));
  return {
    id: opened.admin_user_id,
    email,
    sessionId,
    token,
    call: (path, body, headers = {}) => callAdmin(app, token, path, body, headers),
  };
}

/** Calls an endpoint of `/functions/v1` with a bearer token. */
export async function callAdmin(
  app: TestApp,
  token: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<AdminAnswer> {
  const given = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers };
  const init = body === undefined ? { headers: given } : { method: 'POST', headers: given, body: JSON.stringify(body) };
  const response = await app.fetch(`/functions/v1/${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text || 'null') };
}
