/** Everything that a server in staging can name, in working order: for the doctor to find nothing wrong, or what a test breaks. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportPKCS8, generateKeyPair } from 'jose';
import { createStripeSimulator } from '../../sim/stripe.ts';
import { createWorld, type World } from '../../sim/world.ts';
import { jwtSigningKey } from '../../src/app/config/keys.ts';
import type { Network } from '../../src/entry/doctor/network.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { startS3 } from '../support/s3.ts';

export type Env = Record<string, string | undefined>;
/** Undefined: the host answers by itself. A thrown error: it cannot be reached. */
export type Answer = (request: Request) => Response | undefined | Promise<Response | undefined>;

export const PUBLIC_HOST = 'api.example.com';
export const PROJECT = 'abcdefghijklmnopqrst';
export const SUPABASE_HOST = `${PROJECT}.supabase.co`;
const BUNDLE_ID = 'com.example.rendio';
const SERVICE_ID = 'com.example.web';

export type DoctorWorld = AsyncDisposable & {
  world: World;
  stripe: ReturnType<typeof createStripeSimulator>;
  /** A whole configuration of staging but its database, by what it is for. */
  groups: Record<'server' | 'providers' | 'apple' | 'stripe' | 'telegram' | 'receivers' | 's3' | 'supabase', Env>;
  dataDir: string;
  fetch: typeof fetch;
  network: Network;
  /** Lets a host answer otherwise, until `reset`. */
  answer(host: string, answer: Answer): void;
  /** What of `network` is otherwise, until `reset`. */
  overNetwork(other: Partial<Network>): void;
  reset(): void;
};

export async function createDoctorWorld(): Promise<DoctorWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-doctor-'));
  const world = await createWorld({
    ...{ dataDir: join(dataDir, 'world'), clock: systemClock, log: silentLog, deliver: fetch },
    appleId: { clientIds: [BUNDLE_ID, SERVICE_ID] },
    appStore: { bundleId: BUNDLE_ID, appId: 1_234_567_890 },
  });
  const stripe = createStripeSimulator({ clock: systemClock, log: silentLog, deliver: fetch });
  const s3 = await startS3(['rendio', 'videos']);
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const pem = await exportPKCS8(privateKey);
  const { kid } = await jwtSigningKey().parseAsync(pem);
  const answers = new Map<string, Answer>();
  let network: Partial<Network> = {};
  const usual: Record<string, Answer> = {
    [PUBLIC_HOST]: (request) => rendio(request, kid),
    'api.stripe.com': (request) => stripe.app.fetch(request, {}),
    'api.telegram.org': telegram,
    [SUPABASE_HOST]: (request) => supabase(request, kid),
  };
  return {
    ...{ world, stripe, dataDir },
    groups: { ...(await groupsOf(world, stripe, dataDir, pem)), s3: { ...s3.env, S3_BUCKET: 'rendio' } },
    async fetch(input, init) {
      const request = new Request(input, init);
      const { host } = new URL(request.url);
      const ask = (by: Answer | undefined) => by?.(request.clone() as Request);
      const answer = (await ask(answers.get(host))) ?? (await ask(usual[host]));
      if (answer) return answer;
      return host.startsWith('127.0.0.1:') ? fetch(request) : world.fetch(input, init);
    },
    network: {
      connect: async (url) => network.connect?.(url) ?? { certificateEndsAt: null },
      lookup: async (host) => network.lookup?.(host) ?? ['93.184.216.34'],
    },
    answer: (host, answer) => void answers.set(host, answer),
    overNetwork(other) {
      network = other;
    },
    reset() {
      answers.clear();
      network = {};
      for (const { clearFaults } of [stripe.controls, world.fal.controls, world.runway.controls]) clearFaults();
      world.runway.controls.setCredits(1_000_000);
      world.appStore.controls.setReleased(true);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([world.close(), stripe.close(), s3[Symbol.asyncDispose]()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function groupsOf(
  { fal, runway, deviceCheck, appStore, appleId }: World,
  stripe: DoctorWorld['stripe'],
  dataDir: string,
  pem: string,
): Promise<Omit<DoctorWorld['groups'], 's3'>> {
  const { teamId, keyId, privateKeyPem } = appleId.credentials;
  // One team in all of Apple: DeviceCheck is given the key of Sign in with Apple.
  const key = await publicHalf(privateKeyPem);
  await deviceCheck.controls.trust({ teamId, keyId, publicKeyPem: key });
  return {
    server: {
      ENVIRONMENT: 'staging',
      PORT: '0',
      HOST: '127.0.0.1',
      PUBLIC_URL: `https://${PUBLIC_HOST}`,
      TRUSTED_PROXY_HOPS: '1',
      CORS_ORIGINS: 'https://app.example.com',
      DATA_DIR: join(dataDir, 'data'),
      JWT_PRIVATE_KEY: pem,
      SECRET_KEY: randomBytes(32).toString('hex'),
      METRICS_TOKEN: randomBytes(16).toString('hex'),
    },
    providers: {
      FALAI_API_KEY: fal.credentials.apiKey,
      RUNWAY_API_KEY: runway.credentials.apiKey,
      WEBHOOK_SECRET: randomBytes(24).toString('hex'),
    },
    apple: {
      APPLE_BUNDLE_ID: BUNDLE_ID,
      APPLE_SERVICE_IDS: SERVICE_ID,
      APPLE_APP_ID: '1234567890',
      APPLE_TEAM_ID: teamId,
      APPLE_KEY_ID: appStore.credentials.keyId,
      APPLE_ISSUER_ID: appStore.credentials.issuerId,
      APPLE_PRIVATE_KEY: appStore.credentials.privateKeyPem,
      APPLE_DEVICECHECK_KEY_ID: keyId,
      APPLE_DEVICECHECK_PRIVATE_KEY: privateKeyPem,
      APPLE_SIGNIN_KEY_ID: keyId,
      APPLE_SIGNIN_PRIVATE_KEY: privateKeyPem,
      APPLE_APNS_KEY_ID: keyId,
      APPLE_APNS_PRIVATE_KEY: privateKeyPem,
    },
    stripe: {
      STRIPE_SECRET_KEY: stripe.credentials.secretKey,
      STRIPE_WEBHOOK_SECRET: stripe.credentials.webhookSecret,
    },
    telegram: { TELEGRAM_BOT_TOKEN: '123456789:AAEtoken-of-the-bot', TELEGRAM_CHAT_ID: '-1001234567890' },
    receivers: {
      ALERT_WEBHOOK_URL: 'https://hooks.example.com/services/the-secret-part',
      OUTGOING_WEBHOOK_URL: 'https://app.example.com/webhooks',
      OUTGOING_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString('base64')}`,
    },
    supabase: {
      SUPABASE_URL: `https://${SUPABASE_HOST}`,
      SUPABASE_ANON_KEY: supabaseKey('anon'),
      SUPABASE_SERVICE_ROLE_KEY: supabaseKey('service_role'),
    },
  };
}

async function publicHalf(pem: string): Promise<string> {
  const { createPublicKey } = await import('node:crypto');
  return createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
}

/** As Supabase's older keys are: who they are stands in them. */
export function supabaseKey(role: string, ref = PROJECT): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part({ iss: 'supabase', ref, role })}.${randomBytes(16).toString('base64url')}`;
}

function rendio(request: Request, kid: string): Response {
  const { pathname } = new URL(request.url);
  if (pathname === '/healthz') return Response.json({ status: 'ok' });
  return pathname.endsWith('/jwks.json') ? Response.json({ keys: [{ kid }] }) : new Response(null, { status: 404 });
}

function telegram(request: Request): Response {
  const { pathname, searchParams } = new URL(request.url);
  const [, token, method] = /^\/bot(.+)\/(\w+)$/.exec(pathname) ?? [];
  const refuse = (status: number, description: string, more = {}) =>
    Response.json({ ok: false, error_code: status, description, ...more }, { status });
  if (token !== '123456789:AAEtoken-of-the-bot') return refuse(401, 'Unauthorized');
  const chat = searchParams.get('chat_id');
  if (method === 'getMe') return Response.json({ ok: true, result: { id: 1 } });
  if (chat === '-42') return refuse(400, 'migrated', { parameters: { migrate_to_chat_id: -10042 } });
  return chat === '-1001234567890' ? Response.json({ ok: true, result: {} }) : refuse(400, 'chat not found');
}

function supabase(request: Request, kid: string): Response {
  const { pathname } = new URL(request.url);
  if (pathname.endsWith('/jwks.json')) return Response.json({ keys: [{ kid }] });
  const role = JSON.parse(Buffer.from(request.headers.get('apikey')?.split('.')[1] ?? '', 'base64url').toString()).role;
  if (pathname === '/auth/v1/settings')
    return role === 'anon' ? Response.json({ disable_signup: true }) : new Response(null, { status: 401 });
  const buckets = ['videos', 'thumbnails', 'user_uploads'].map((id) => ({ id, public: false }));
  return role === 'service_role' ? Response.json(buckets) : Response.json({}, { status: 400 });
}
