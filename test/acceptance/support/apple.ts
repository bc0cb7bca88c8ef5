/**
 * A simulator of Apple's DeviceCheck: two bits for each physical device, written and read with the device's tokens. It
 * checks requests as strictly as Apple might, and fails when a test wants it to.
 */
import { type KeyObject, randomUUID, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Claims, newKey, readToken } from './tokens.ts';

const TEAM_ID = 'TEAM123456';
const KEY_ID = 'KEY1234567';
/** The delay before an answer, so that concurrent calls overlap. */
const ANSWER_DELAY_MS = 15;

export type Bits = { bit0: boolean; bit1: boolean };
const OPERATIONS = ['query_two_bits', 'update_two_bits'] as const;
export type Operation = (typeof OPERATIONS)[number];
export type Fault =
  | { answer: number; text?: string; headers?: Record<string, string> }
  | { isApplied: boolean; ending: 'cut' | 'hang' | number };

export type Apple = AsyncDisposable & {
  /** The environment variables of a server that uses this simulator. */
  env: Record<string, string>;
  /** Undefined for a device whose bits were never set. */
  bitsOf(device: string): Bits | undefined;
  setBits(device: string, bits: Bits): void;
  /** Every call of the operation fails in this way until the returned function is called. */
  fail(operation: Operation, fault: Fault): () => void;
  /** The answer for a device whose bits were never set. */
  wording: string;
  /** Refuses connections, or accepts them again. */
  close(): Promise<void>;
  open(): Promise<void>;
  /** Requests that Apple would not accept. */
  violations: string[];
};

/** A token of a physical device: a new one each time, as Apple makes them. */
export const appleToken = (device: string): string =>
  Buffer.from(`physical:${device}:${randomUUID()}`).toString('base64');

export const BAD_TOKEN = Buffer.from('forged').toString('base64');

/** The state of the simulator, and the faults that it is to produce. */
type Service = {
  publicKey: KeyObject;
  devices: Map<string, Bits>;
  faults: Map<Operation, Fault>;
  hanging: Set<ServerResponse>;
};

export async function startApple(): Promise<Apple> {
  const key = newKey();
  const service: Service = { publicKey: key.publicKey, devices: new Map(), faults: new Map(), hanging: new Set() };
  const { devices, faults, hanging } = service;
  let port = 0;
  let server: Server | undefined;

  const apple: Apple = {
    env: {},
    violations: [],
    wording: 'Failed to find bit state',
    bitsOf: (device) => devices.get(device),
    setBits: (device, bits) => void devices.set(device, bits),
    fail(operation, fault) {
      faults.set(operation, fault);
      return () => void faults.delete(operation);
    },
    async open() {
      if (server) return;
      server = createServer((request, response) => {
        answer(apple, service, request, response).catch((error: unknown) => {
          apple.violations.push(String(error));
          response.destroy();
        });
      }).listen(port, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      port = typeof address === 'object' && address ? address.port : 0;
    },
    async close() {
      for (const response of hanging) response.destroy();
      hanging.clear();
      server?.closeAllConnections();
      await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
      server = undefined;
    },
    [Symbol.asyncDispose]: () => apple.close(),
  };
  await apple.open();
  apple.env = {
    APPLE_TEAM_ID: TEAM_ID,
    APPLE_DEVICECHECK_KEY_ID: KEY_ID,
    APPLE_DEVICECHECK_PRIVATE_KEY: key.pem.replaceAll('\n', '\\n'),
    APPLE_DEVICECHECK_URL: `http://127.0.0.1:${port}`,
  };
  return apple;
}

async function answer(
  apple: Apple,
  { publicKey, devices, faults, hanging }: Service,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const operation = OPERATIONS.find((each) => request.url === `/v1/${each}`);
  const body = await readJson(request);
  if (!operation) {
    apple.violations.push(`${request.method} ${request.url}`);
    return reply(response, 404, '');
  }
  const violation = violationOf(request, body, publicKey, operation);
  if (violation) {
    apple.violations.push(violation);
    return reply(response, 401, 'Unable to verify authorization token');
  }
  await delay(ANSWER_DELAY_MS);
  const fault = faults.get(operation);
  if (fault && 'answer' in fault) return reply(response, fault.answer, fault.text ?? '', fault.headers);

  const device = /^physical:(.+):[^:]+$/.exec(Buffer.from(String(body.device_token), 'base64').toString())?.[1];
  if (device === undefined) return reply(response, 400, 'Bad Device Token');
  if (operation === 'update_two_bits' && (!fault || fault.isApplied)) {
    devices.set(device, { bit0: body.bit0 === true, bit1: body.bit1 === true });
  }
  if (fault) {
    if (fault.ending === 'hang') return void hanging.add(response);
    if (fault.ending === 'cut') return void request.socket.destroy();
    return reply(response, fault.ending, 'Internal Server Error');
  }
  if (operation === 'update_two_bits') return reply(response, 200, '');
  const bits = devices.get(device);
  if (!bits) return reply(response, 200, apple.wording);
  reply(response, 200, JSON.stringify({ ...bits, last_update_time: '2026-11' }), {
    'Content-Type': 'application/json',
  });
}

function reply(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end(text);
}

async function readJson(request: IncomingMessage): Promise<Claims> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

/** What Apple could reject in a call; undefined if the call is valid. */
function violationOf(
  { method, headers }: IncomingMessage,
  body: Claims,
  publicKey: ReturnType<typeof newKey>['publicKey'],
  operation: Operation,
): string | undefined {
  if (method !== 'POST') return `the method ${method}`;
  const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
  if (!token) return 'no bearer token';
  const { header, claims } = readToken(token);
  if (header.alg !== 'ES256' || header.kid !== KEY_ID) return `the header ${JSON.stringify(header)}`;
  if (claims.iss !== TEAM_ID) return `iss ${claims.iss}`;
  const ageSeconds = Date.now() / 1000 - Number(claims.iat);
  if (!(ageSeconds > -5 && ageSeconds < 3600)) return `iat ${claims.iat}`;
  const [head, payload, signature = ''] = token.split('.');
  const verifier = { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
  if (!verify('sha256', Buffer.from(`${head}.${payload}`), verifier, Buffer.from(signature, 'base64url'))) {
    return 'the signature of the bearer token';
  }
  const { device_token, transaction_id, timestamp } = body;
  if (typeof device_token !== 'string' || device_token === '') return 'device_token';
  if (typeof transaction_id !== 'string' || transaction_id === '') return 'transaction_id';
  if (!Number.isInteger(timestamp) || Math.abs(Number(timestamp) - Date.now()) > 60_000)
    return `timestamp ${timestamp}`;
  const areBits = typeof body.bit0 === 'boolean' && typeof body.bit1 === 'boolean';
  return operation === 'update_two_bits' && !areBits ? 'both bits' : undefined;
}
