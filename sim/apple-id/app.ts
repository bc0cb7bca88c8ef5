/** Sign in with Apple for servers over HTTP: the keys, the token endpoint and the revocation. */
import { type Context, Hono } from 'hono';
import type { Log } from '../../src/kernel/log.ts';
import type { Call, CallLog } from '../call-log.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import type { ClientRefusal, Clients } from './clients.ts';
import { type Grant, type Grants, tokenOf } from './grants.ts';
import type { Identity } from './identity.ts';
import type { People } from './people.ts';
import type { Tokens } from './tokens.ts';

export type AppleIdOperation = 'keys' | 'token' | 'revoke';
/** `input`: the fields of the form, without the client's secret. */
export type AppleIdCall = Call<AppleIdOperation>;

export type AppleIdParts = {
  identity: Identity;
  clients: Clients;
  people: People;
  grants: Grants;
  tokens: Tokens;
  calls: CallLog<AppleIdOperation>;
  log: Log;
};

type AppleContext = Context<SimulatorEnv>;
type Form = Record<string, string>;
type ErrorCode = ClientRefusal | 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type';

const ACCESS_TOKEN_SECONDS = 3600;

export function appleIdApp(parts: AppleIdParts): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  const { calls, identity, log } = parts;
  app.get(
    '/auth/keys',
    calls.route('keys', async (c) => c.json(await identity.jwks())),
  );
  app.post('/auth/token', (c) => answerForm(parts, c, 'token', giveTokens));
  app.post('/auth/revoke', (c) => answerForm(parts, c, 'revoke', revoke));
  app.onError((error, c) => {
    log.error({ cause: error.message }, 'the simulator of Sign in with Apple failed');
    return c.text('Internal Server Error', 500);
  });
  return app;
}

function refuse(c: AppleContext, error: ErrorCode, description?: string): Response {
  return c.json({ error, ...(description === undefined ? {} : { error_description: description }) }, 400);
}

/** Null for anything that is no form, or that names a field twice. */
async function readForm(c: AppleContext): Promise<Form | null> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(c.req.header('content-type') ?? '')) return null;
  const fields = [...new URLSearchParams(await c.req.text())];
  return new Set(fields.map(([name]) => name)).size === fields.length ? Object.fromEntries(fields) : null;
}

type FormHandler = (parts: AppleIdParts, c: AppleContext, form: Form) => Promise<Response>;

/** Checks who calls before it looks at what for. */
async function answerForm(
  parts: AppleIdParts,
  c: AppleContext,
  operation: AppleIdOperation,
  handle: FormHandler,
): Promise<Response> {
  const form = await readForm(c);
  const { client_secret: secret, ...input } = form ?? {};
  const checked = async () => {
    if (!form?.client_id || !secret) return refuse(c, 'invalid_request');
    const refusal = await parts.clients.refusalOf(form.client_id, secret);
    return refusal ? refuse(c, refusal) : handle(parts, c, form);
  };
  return parts.calls.answer(operation, c, checked, input);
}

async function giveTokens(parts: AppleIdParts, c: AppleContext, form: Form): Promise<Response> {
  if (!form.grant_type) return refuse(c, 'invalid_request');
  if (form.grant_type === 'authorization_code') return exchangeCode(parts, c, form);
  if (form.grant_type === 'refresh_token') return refresh(parts, c, form);
  return refuse(c, 'unsupported_grant_type');
}

async function exchangeCode(parts: AppleIdParts, c: AppleContext, form: Form): Promise<Response> {
  const { grants } = parts;
  const { client_id: clientId = '', code, redirect_uri: redirectUri = null } = form;
  if (!code) return refuse(c, 'invalid_request');
  const grant = await grants.find(code, 'code');
  if (!grant || grant.ended || grants.isCodeExpired(grant))
    return refuse(c, 'invalid_grant', 'The code has expired or has been revoked.');
  if (grant.clientId !== clientId)
    return refuse(c, 'invalid_grant', `client_id mismatch. The code was not issued to ${clientId}.`);
  if (grant.redirectUri !== redirectUri)
    return refuse(c, 'invalid_grant', `redirect_uri mismatch. The code was not issued to ${redirectUri ?? ''}.`);
  if (!(await grants.takeCode(grant))) return refuse(c, 'invalid_grant', 'The code has already been used.');
  return c.json({ ...(await tokensOf(parts, grant)), refresh_token: tokenOf(grant, 'refresh') });
}

async function refresh(parts: AppleIdParts, c: AppleContext, form: Form): Promise<Response> {
  if (!form.refresh_token) return refuse(c, 'invalid_request');
  const grant = await parts.grants.find(form.refresh_token, 'refresh');
  const isGood = grant && grant.exchangedAtMs !== null && !grant.ended && grant.clientId === form.client_id;
  return isGood ? c.json(await tokensOf(parts, grant)) : refuse(c, 'invalid_grant');
}

/** The same at the exchange of a code and at a refresh. */
async function tokensOf({ people, clients, tokens }: AppleIdParts, grant: Grant): Promise<object> {
  const [person, client] = [await people.get(grant.personId), clients.get(grant.clientId)];
  if (!client) throw new Error(`the client ${grant.clientId} is not registered any more`);
  return {
    access_token: tokenOf(grant, 'access'),
    token_type: 'Bearer',
    expires_in: ACCESS_TOKEN_SECONDS,
    id_token: await tokens.identityToken(person, client, grant, 'exchange'),
  };
}

/** One token is enough to end all that the app has for this person. A token that is not known is none to revoke: also 200. */
async function revoke({ grants }: AppleIdParts, c: AppleContext, form: Form): Promise<Response> {
  if (!form.token) return refuse(c, 'invalid_request');
  const grant = await grants.find(form.token, 'refresh', 'access');
  if (grant && grant.exchangedAtMs !== null && grant.clientId === form.client_id)
    await grants.end(grant.personId, grant.clientId, 'app');
  return c.body(null, 200);
}
