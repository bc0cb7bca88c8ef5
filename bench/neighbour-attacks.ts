/** What one guest may do, at its worst: run in a thread of its own, so that it does not slow down the thread that measures. */
import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { makeChain, signWith } from '../test/support/apple-chain.ts';

/** What one account holds at once, and what it may do in a minute. */
const BATCH = 300;
const CALLS = 600;
const IMAGE_BYTES = 10_000_000;

export type AttackName = keyof typeof ATTACKS;
export type AttackInput = {
  url: string;
  userId: string;
  headers: Record<string, string>;
  attack: AttackName;
  /** Instead of the attack: this many calls of `get-models`, as many at a time. */
  plain: { calls: number; atOnce: number } | null;
};
export type AttackResult = { calls: number; atOnce: number; failed: number };

type Target = Pick<AttackInput, 'url' | 'userId' | 'headers'>;
type Call = (target: Target, index: number) => Promise<Response>;
type Attack = { calls: number; atOnce: number; call: Call };

const send = (target: Target, path: string, init: RequestInit = {}) =>
  fetch(`${target.url}${path}`, { ...init, headers: { ...target.headers, ...Object(init.headers) } });
const get =
  (path: string): Call =>
  (target) =>
    send(target, path);
const post = (
  path: string,
  body: (index: number) => object,
  headers: () => Record<string, string> = () => ({}),
): Call => {
  return (target, index) =>
    send(target, path, { method: 'POST', body: JSON.stringify(body(index)), headers: headers() });
};
const upload =
  (bytes: Uint8Array<ArrayBuffer>): Call =>
  (target) =>
    send(target, `/storage/v1/object/user_uploads/${target.userId}/${randomUUID()}.jpg`, {
      method: 'POST',
      body: bytes,
      headers: { 'Content-Type': 'image/jpeg' },
    });

/** A JPEG of nothing but empty segments, which a parser on the main thread would walk one by one. */
function emptySegments(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IMAGE_BYTES);
  bytes.set([0xff, 0xd8]);
  for (let at = 2; at + 4 <= bytes.length; at += 4) bytes.set([0xff, 0xe1, 0, 2], at);
  return bytes;
}

/** A PNG that claims to have 65,535 × 65,535 pixels. */
function hugePng(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IMAGE_BYTES);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  bytes.set([0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 8, 6, 0, 0, 0], 16);
  return bytes;
}

/** Well signed, below a root that nobody trusts: its certificates and its text have to be read to know that. */
const forged = await signWith(await makeChain(), { environment: 'Production', filler: 'x'.repeat(35_000) });
/** Signed at a plausible time: only the hash of it all shows that Stripe did not. */
const stripeSignature = () => ({ 'Stripe-Signature': `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}` });

const paths = Array.from({ length: 1_000 }, (_, index) => `${randomUUID()}/${index}.jpg`);
const device = () => {
  const id = randomUUID();
  return { device_id: id, device_token: btoa(`device:${id}`) };
};
const hexToken = () => `${randomUUID()}${randomUUID()}`.replaceAll('-', '');
const API = '/functions/v1';

/** Each within the limits of an account; those without a token, within those of an IP address. */
const ATTACKS = {
  'images of empty segments': { calls: 30, atOnce: 6, call: upload(emptySegments()) },
  'images that claim to be huge': { calls: 30, atOnce: 6, call: upload(hugePng()) },
  'signed URLs of 1,000 paths': {
    calls: 200,
    atOnce: 20,
    call: post('/storage/v1/object/sign/user_uploads', () => ({ expiresIn: 60, paths })),
  },
  'event streams': { calls: 100, atOnce: 100, call: get(`${API}/job-events`) },
  'parallel reads': { calls: CALLS, atOnce: BATCH, call: get(`${API}/get-credit-history?limit=100`) },
  'parallel writes': {
    calls: CALLS,
    atOnce: BATCH,
    call: post(`${API}/update-user-profile`, (index) => ({ theme_preference: index % 2 ? 'dark' : 'light' })),
  },
  'parallel generations': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(
      `${API}/generate-video`,
      () => ({ model_id: randomUUID(), prompt: 'a cat playing piano', settings: {} }),
      () => ({ 'Idempotency-Key': randomUUID() }),
    ),
  },
  'long bodies': {
    calls: 100,
    atOnce: 20,
    call: post(`${API}/generate-video`, () => ({ model_id: randomUUID(), prompt: 'x'.repeat(60_000) })),
  },
  'parallel refreshes': {
    calls: BATCH,
    atOnce: BATCH,
    call: post('/auth/v1/token?grant_type=refresh_token', () => ({ refresh_token: randomUUID() })),
  },
  'forged purchases': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(`${API}/update-credits`, () => ({ signed_transaction: forged })),
  },
  'forged notifications of Apple': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(`${API}/apple-server-notifications`, () => ({ signedPayload: forged })),
  },
  'unsigned events of Stripe': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(`${API}/stripe-webhook`, () => ({ filler: 'x'.repeat(190_000) }), stripeSignature),
  },
  'guessed codes': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(`${API}/redeem-code`, (index) => ({ code: `GUESS-${index}` })),
  },
  'forged identities': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(`${API}/merge-guest-user`, () => ({ identity_token: forged })),
  },
  'registered devices': {
    calls: CALLS,
    atOnce: BATCH,
    call: post(`${API}/register-push-token`, () => ({ token: hexToken(), environment: 'production' })),
  },
  'shared videos': { calls: CALLS, atOnce: BATCH, call: post(`${API}/share-video`, () => ({ job_id: randomUUID() })) },
  'reported videos': {
    calls: CALLS,
    atOnce: BATCH,
    call: post(`${API}/report-video`, () => ({ share_token: randomUUID(), reason: 'x'.repeat(500) })),
  },
  'guessed links of administrators': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(`${API}/admin-open-session`, () => ({ token: hexToken() })),
  },
  'an administrator’s lists with a user’s token': { calls: CALLS, atOnce: BATCH, call: get(`${API}/admin-users`) },
  'unsigned events of providers': {
    calls: BATCH,
    atOnce: BATCH,
    call: post(`${API}/webhook-delivery`, () => ({ filler: 'x'.repeat(900_000) })),
  },
  'parallel onboarding': { calls: BATCH, atOnce: BATCH, call: post(`${API}/device-check`, device) },
} satisfies Record<string, Attack>;

export const ATTACK_NAMES = Object.keys(ATTACKS) as AttackName[];

async function run({ attack, plain, ...target }: AttackInput): Promise<AttackResult> {
  const { calls, atOnce, call }: Attack = plain ? { ...plain, call: get(`${API}/get-models`) } : ATTACKS[attack];
  let next = 0;
  let failed = 0;
  const caller = async () => {
    while (next < calls) {
      next += 1;
      const response = await call(target, next);
      if (response.status >= 500) failed += 1;
      // A stream has no end of its own.
      if (response.headers.get('content-type')?.startsWith('text/event-stream')) await response.body?.cancel();
      else await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, calls) }, caller));
  return { calls, atOnce, failed };
}

if (parentPort) parentPort.postMessage(await run(workerData as AttackInput));
