/**
 * A life on the server in which everything private is a text that can be found again: prompts, tokens, device ids, e-mail addresses,
 * Apple users. Every kind of error happens in it, and vendors quote all that they are sent.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDeviceCheck } from '../../src/apple/device-check.ts';
import type { Context } from '../../src/features/context.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { createFalAdapter } from '../../src/providers/fal/index.ts';
import { fal as falManifest } from '../../src/providers/fal/manifest.ts';
import { providerOf } from '../../src/providers/manifest.ts';
import type { Shop } from '../features/purchases/shop.ts';
import { newAdministrator } from './administrators.ts';
import { addCredits } from './procedures.ts';
import { createVendor } from './providers.ts';

/** Each in the form that it has in life. No other text contains one. */
export const MARKERS = {
  prompt: 'zqprompt of a very private heron',
  deviceId: 'zqdevice-3f2504e0-4f89-41d3',
  deviceToken: 'zqdevicetoken0123456789abcdef',
  email: 'zqmail@planted.example.com',
  appleSub: '001.zqsub.0001',
  authorizationCode: 'zqcode.0.abcdefgh',
  refreshToken: 'zqrefresh-0123456789',
  bearer: 'zqbearer-0123456789',
  apiKey: 'zqkey_id:zqkey_secret',
  query: 'zqquery',
  body: 'zqbody',
  linkToken: 'zqlink-0123456789',
};

/** How the next call of fal is answered. Every answer quotes the request, with its headers. */
type Fal = { status: number; isJson: boolean; breaks: boolean };

export type PlantedWorld = { overrides: Partial<Context>; fal: Fal; deviceCheck: { status: number } };

export async function plantWorld(log: Log): Promise<PlantedWorld> {
  const fal: Fal = { status: 422, isJson: true, breaks: false };
  const deviceCheck = { status: 200 };
  const quoting: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const quote = `${request.url} ${await request.text()} ${JSON.stringify([...request.headers])}`;
    if (fal.breaks) throw new TypeError(`fetch failed: ${quote}`, { cause: new Error(quote) });
    const text = fal.isJson ? JSON.stringify({ detail: [{ msg: quote, type: 'value_error', input: quote }] }) : quote;
    return new Response(text, { status: fal.status });
  };
  const folder = join(await mkdtemp(join(tmpdir(), 'rendio-planted-')), 'vendor');
  const vendor = createVendor({ folder }).provider;
  const adapter = createFalAdapter({
    ...{ name: 'fal' as const, apiKey: MARKERS.apiKey, fetch: quoting, clock: systemClock, log },
    ...{ queueUrl: 'https://queue.fal.test', restUrl: 'https://rest.fal.test' },
    retryTools: { sleep: async () => {}, random: () => 0 },
  });
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  const pem = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  return {
    fal,
    deviceCheck,
    overrides: {
      providers: new Map([
        ['sandbox', vendor],
        ['fal', providerOf(falManifest, adapter)],
      ]),
      deviceCheck: createDeviceCheck({
        ...{ baseUrl: 'https://devicecheck.test', teamId: 'ABCDE12345', keyId: '2X9R4HXF34', clock: systemClock, log },
        privateKey: `-----BEGIN PRIVATE KEY-----\n${pem}\n-----END PRIVATE KEY-----`,
        fetch: async (input, init) => {
          const body = await new Request(input, init).text();
          if (deviceCheck.status !== 200) return new Response(`refused: ${body}`, { status: deviceCheck.status });
          const isQuery = String(input).endsWith('query_two_bits');
          return isQuery ? Response.json({ bit0: false, bit1: false, last_update_time: '2026-01' }) : new Response('');
        },
      }),
    },
  };
}

/** Everything that was answered: the bodies of errors, and the secrets that answers gave away. */
export type PlantedLife = { errors: string[]; secrets: string[] };

export async function livePlanted(shop: Shop, world: PlantedWorld): Promise<PlantedLife> {
  const { people } = shop;
  const { app } = people;
  const life: PlantedLife = { errors: [], secrets: [] };
  const send = async (path: string, init: RequestInit = {}): Promise<ReturnType<JSON['parse']>> => {
    const response = await app.fetch(path, init);
    const text = await response.text();
    if (!response.ok) life.errors.push(text);
    return text.startsWith('{') ? JSON.parse(text) : null;
  };
  const post = (name: string, body: object | string, headers: Record<string, string> = {}) =>
    send(name.startsWith('/') ? name : `/functions/v1/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const begun = await onboard(post, world, life);
  await addCredits(app.owner, await ownerOf(shop, begun), 50);
  await generate({ shop, world, post, send, token: begun });
  await signIn({ shop, post, send, token: begun, life });
  await buy({ shop, post, send, token: begun });
  await administer({ shop, post });
  await breakDatabase({ shop, post, token: begun });
  await send('/functions/v1/export-account', { headers: as(begun) });
  await post('delete-account', {}, as(begun));
  await app.drain();
  assert.ok(life.errors.length > 20, `${life.errors.length} kinds of errors`);
  return life;
}

type Post = (
  name: string,
  body: object | string,
  headers?: Record<string, string>,
) => Promise<ReturnType<JSON['parse']>>;
type Send = (path: string, init?: RequestInit) => Promise<ReturnType<JSON['parse']>>;
type Stage = { shop: Shop; post: Post; send: Send; token: string };

const as = (token: string) => ({ Authorization: `Bearer ${token}` });
const { prompt: PROMPT, query: QUERY, body: BODY } = MARKERS;

async function onboard(post: Post, world: PlantedWorld, life: PlantedLife): Promise<string> {
  const device = { device_id: MARKERS.deviceId, device_token: MARKERS.deviceToken };
  for (const status of [400, 401, 500]) {
    world.deviceCheck.status = status;
    await post('device-check', { ...device, device_id: `${MARKERS.deviceId}-${status}` });
  }
  world.deviceCheck.status = 200;
  const { session } = await post('device-check', device);
  life.secrets.push(session.access_token, session.refresh_token);
  await post('device-check', { device_id: BODY, device_token: [MARKERS.deviceToken] });
  await post('device-check', `{"device_id": "${MARKERS.deviceId}`);
  const refreshed = await post('/auth/v1/token?grant_type=refresh_token', { refresh_token: session.refresh_token });
  life.secrets.push(refreshed.access_token, refreshed.refresh_token);
  for (const refresh_token of [MARKERS.refreshToken, refreshed.refresh_token])
    await post('/auth/v1/token?grant_type=refresh_token', { refresh_token });
  return refreshed.access_token;
}

async function generate({ shop, world, post, send, token }: Stage & { world: PlantedWorld }): Promise<void> {
  const { app, rows } = shop.people;
  const modelOf = async (name: string) => (await rows('select id from models where name = $1', [name]))[0]?.id;
  const begin = (model_id: unknown, prompt = PROMPT, key: string = randomUUID()) =>
    post('generate-video', { model_id, prompt, settings: {} }, { ...as(token), 'Idempotency-Key': key });
  const [sandbox, falModel] = [await modelOf('Sandbox'), await modelOf('Cinematic Fast')];
  const key = randomUUID();
  await begin(sandbox, PROMPT, key);
  await begin(sandbox, PROMPT, key);
  await begin(sandbox, `${PROMPT} again`, key);
  const cancelled = await begin(sandbox);
  await post('cancel-video-job', { job_id: cancelled.job_id }, as(token));
  await app.drain();
  const falAnswers: Partial<typeof world.fal>[] = [
    { status: 422 },
    { status: 401 },
    { status: 500, isJson: false },
    { status: 200, isJson: false },
    { breaks: true },
  ];
  for (const answer of falAnswers) {
    Object.assign(world.fal, { status: 422, isJson: true, breaks: false }, answer);
    await begin(falModel);
    for (let tries = 0; tries < 5; tries += 1) {
      await app.drain();
      await app.makeAllDue();
    }
  }
  await begin(falModel, PROMPT.repeat(100));
  await begin(randomUUID());
  await begin(PROMPT);
  await post('generate-video', `{"prompt": "${PROMPT}`, as(token));
  await begin(sandbox, PROMPT, PROMPT);
  await post(`webhook-delivery?provider=fal&job=${QUERY}`, { prompt: PROMPT, request_id: BODY });
  await post('webhook-delivery', { data: { provider_job_id: BODY } }, { 'X-Webhook-Signature': BODY });
  for (const path of [
    `/functions/v1/get-video-status?job_id=${QUERY}`,
    `/${QUERY}?token=${QUERY}`,
    '/functions/v1/get-video-jobs?limit=zqquery',
  ])
    await send(path, { headers: as(token) });
  for (const header of [
    as(MARKERS.bearer),
    { Authorization: MARKERS.bearer },
    { Authorization: `Basic ${MARKERS.bearer}` },
  ])
    await send(`/functions/v1/get-user-credits?access_token=${QUERY}`, { headers: header });
  await send(`/storage/v1/object/user_uploads/${QUERY}/${QUERY}.png`, {
    method: 'POST',
    headers: {
      ...as(token),
      'Content-Type': 'image/png',
      'x-metadata': Buffer.from(`{"a":"${BODY}"}`).toString('base64'),
    },
    body: BODY,
  });
  await send(`/storage/v1/object/sign/videos/x.mp4?token=${QUERY}`);
}

async function signIn({ shop, post, send, token, life }: Stage & { life: PlantedLife }): Promise<void> {
  const { apple } = shop.people;
  const claims = { sub: MARKERS.appleSub, email: MARKERS.email, email_verified: true };
  const identity_token = await apple.identityToken(claims);
  life.secrets.push(identity_token);
  await post('merge-guest-user', { identity_token: `${identity_token}x` }, as(token));
  await post('merge-guest-user', { identity_token: MARKERS.bearer, apple_sub: MARKERS.appleSub }, as(token));
  // From here on Apple's keys are known.
  const third = await shop.guest();
  await post('merge-guest-user', { identity_token: await apple.identityToken() }, as(third.token));
  apple.setFault(async (request) => new Response(await request.text(), { status: 400 }));
  await post('merge-guest-user', { identity_token, authorization_code: MARKERS.authorizationCode }, as(token));
  apple.setFault(null);
  const other = await shop.guest(5);
  life.secrets.push(other.token, other.refreshToken);
  const second = await apple.identityToken(claims);
  await post('merge-guest-user', { identity_token: second }, as(other.token));
  await post('/auth/v1/token?grant_type=id_token', { provider: 'apple', id_token: MARKERS.bearer });
  await post('apple-account-notifications', { payload: MARKERS.bearer });
  await send('/functions/v1/get-user-profile', { headers: as(token) });
}

async function buy({ shop, post, token }: Stage): Promise<void> {
  const signed = await shop.store.signTransaction({ transactionId: `${Date.now()}` });
  await post('update-credits', { signed_transaction: signed }, as(token));
  await post('update-credits', { signed_transaction: `${signed}x` }, as(token));
  await post('update-credits', { transaction_id: `9${BODY}` }, as(token));
  const purchase = shop.bought();
  await post('update-credits', { transaction_id: purchase.transactionId }, as(token));
  await shop.notify('REFUND', purchase);
  await post('apple-server-notifications', { signedPayload: MARKERS.bearer });
  await post('stripe-webhook', { customer_email: MARKERS.email });
  shop.store.setFault(
    async (request) => new Response(`${request.url} ${request.headers.get('authorization')}`, { status: 401 }),
  );
  await post('update-credits', { transaction_id: '20000001' }, as(token));
  shop.store.setFault(null);
  await post('redeem-code', { code: BODY }, as(token));
}

async function administer({ shop, post }: Pick<Stage, 'shop' | 'post'>): Promise<void> {
  const { app } = shop.people;
  await post('admin-open-session', { token: MARKERS.linkToken });
  const administrator = await newAdministrator(app, MARKERS.email.replace('zqmail', 'zqmail.admin'));
  const person = await shop.guest();
  const refund = { user_id: person.id, amount: 3, reason: 'a good reason' };
  await administrator.call('admin-refund-credits', refund, { 'Idempotency-Key': randomUUID() });
  await administrator.call('admin-refund-credits', { ...refund, user_id: BODY });
}

/** PostgreSQL's errors quote rows and values. */
async function breakDatabase({ shop, post, token }: Pick<Stage, 'shop' | 'post'> & { token: string }): Promise<void> {
  const { app, rows } = shop.people;
  await rows('alter table video_jobs add constraint none_at_all check (false) not valid');
  const [model] = await rows(`select id from models where name = 'Sandbox'`);
  await post(
    'generate-video',
    { model_id: model?.id, prompt: PROMPT },
    { ...as(token), 'Idempotency-Key': randomUUID() },
  );
  await rows('alter table video_jobs drop constraint none_at_all');
  await rows('alter table users rename to users_away');
  await post('device-check', { device_id: MARKERS.deviceId, device_token: MARKERS.deviceToken });
  await rows('alter table users_away rename to users');
  await app.drain();
}

async function ownerOf({ people }: Shop, token: string): Promise<string> {
  const { userId } = await people.app.ctx.tokens.verify(token);
  const [row] = await people.rows('select public.survivor_of($1) as id', [userId]);
  return String(row?.id);
}
