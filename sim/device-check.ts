import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import type { Clock } from '../src/kernel/clock.ts';
import type { Log } from '../src/kernel/log.ts';
import { createAuthority, type TrustedKey } from './device-check/authorize.ts';
import { type Handled, handleRequest, type NeverSetText, type OperationName } from './device-check/handle-request.ts';
import { type DeviceCheckCredentials, newIdentity } from './device-check/identity.ts';
import { openBitStore, type StoredBits } from './device-check/store.ts';
import type { SimulatorEnv } from './drop-connection.ts';
import { createFaults, type FaultInput } from './faults.ts';

/** `device`, `transactionId` and `timestamp` are null where the request was refused before they mattered. */
export type DeviceCheckCall = {
  operation: OperationName;
  status: number;
  device: string | null;
  transactionId: string | null;
  timestamp: number | null;
};

export type DeviceCheckControls = {
  /** A fault of the next requests; `on` is `query`, `update`, `validate` or `any`. */
  plan(fault: FaultInput): void;
  clearFaults(): void;
  setBits(device: string, bits: { bit0: boolean; bit1: boolean }): Promise<void>;
  /** As if the device's bits had never been set. */
  forget(device: string): Promise<void>;
  devices(): Promise<StoredBits[]>;
  /** Oldest first; the last thousand. */
  calls(): DeviceCheckCall[];
  setNeverSetText(text: NeverSetText): void;
  trust(key: TrustedKey): Promise<void>;
};

export type DeviceCheckSimulator = {
  /** Apple's own, which the adapter calls. */
  baseUrl: string;
  hosts: string[];
  app: Hono<SimulatorEnv>;
  credentials: DeviceCheckCredentials;
  controls: DeviceCheckControls;
  /** Closes the connections that a fault keeps waiting. */
  close(): Promise<void>;
};

const DEVELOPMENT_HOST = 'api.development.devicecheck.apple.com';
const HOSTS = [DEVELOPMENT_HOST, 'api.devicecheck.apple.com'];
const CALLS_KEPT = 1000;

type Handler = (operation: OperationName, c: Context<SimulatorEnv>) => Promise<Response>;

function respond(c: Context, { status, text, bits }: Handled): Response {
  if (bits) return c.json(bits);
  return text === '' ? c.body(null, status) : c.text(text, status);
}

function appleApp(answer: Handler, log: Log): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  app.post('/v1/query_two_bits', (c) => answer('query', c));
  app.post('/v1/update_two_bits', (c) => answer('update', c));
  app.post('/v1/validate_device_token', (c) => answer('validate', c));
  app.onError((error, c) => {
    log.error({ cause: error.message }, 'the DeviceCheck simulator failed');
    return c.text('Internal Server Error', 500);
  });
  return app;
}

function createCallLog() {
  const calls: DeviceCheckCall[] = [];
  return {
    add(operation: OperationName): DeviceCheckCall {
      const call = { operation, status: 0, device: null, transactionId: null, timestamp: null };
      calls.push(call);
      if (calls.length > CALLS_KEPT) calls.shift();
      return call;
    },
    all: () => structuredClone(calls),
  };
}

/** Apple's DeviceCheck over HTTP. The bits are files in `dataDir` and survive a restart. */
export async function createDeviceCheckSimulator(options: {
  dataDir: string;
  clock: Clock;
  log: Log;
}): Promise<DeviceCheckSimulator> {
  const { dataDir, clock, log } = options;
  const store = await openBitStore(join(dataDir, 'simulators', 'device-check'), clock);
  const authority = createAuthority(clock);
  const faults = createFaults();
  const calls = createCallLog();
  const { credentials, trusted } = await newIdentity();
  await authority.trust(trusted);
  let neverSet: NeverSetText = 'Failed to find bit state';
  const apple = { authority, store, clock, neverSetText: () => neverSet };

  const answer: Handler = async (operation, c) => {
    const call = calls.add(operation);
    const response = await faults.answer(c, operation, async () => {
      const body: unknown = await c.req.json().catch(() => undefined);
      const handled = await handleRequest({ operation, authorization: c.req.header('authorization'), body }, apple);
      if (handled.request) {
        const { device, transactionId, timestamp } = handled.request;
        Object.assign(call, { device, transactionId, timestamp });
      }
      return respond(c, handled);
    });
    call.status = response.status;
    return response;
  };

  const controls: DeviceCheckControls = {
    plan: faults.plan,
    clearFaults: faults.clear,
    setBits: store.write,
    forget: store.forget,
    devices: store.list,
    calls: calls.all,
    setNeverSetText: (text) => {
      neverSet = text;
    },
    trust: authority.trust,
  };
  const baseUrl = `https://${DEVELOPMENT_HOST}`;
  const close = async () => faults.close();
  return { baseUrl, hosts: HOSTS, app: appleApp(answer, log), credentials, controls, close };
}
