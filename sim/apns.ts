import type { Clock } from '../src/kernel/clock.ts';
import type { Log } from '../src/kernel/log.ts';
import { type ApnsCredentials, createAuthority, newIdentity, type TrustedKey } from './apns/authority.ts';
import { openInbox, type ReceivedPush } from './apns/inbox.ts';
import { createPlans, type PlanInput } from './apns/plans.ts';
import { type ApnsCall, type ApnsServer, startServer } from './apns/server.ts';

export type ApnsControls = {
  /** What goes wrong with the next pushes. */
  plan(plan: PlanInput): void;
  clearPlans(): void;
  /** What devices have got, oldest first; a push that came twice is one. */
  pushes(): Promise<ReceivedPush[]>;
  /** Oldest first; the last thousand. */
  calls(): ApnsCall[];
  /** How many connections there have been. */
  connections(): number;
  /** Tells all connections to end. */
  goAway(code?: number): void;
  trust(key: TrustedKey): Promise<void>;
  /** As if the key had been revoked. */
  forgetKey(keyId: string): void;
};

export type ApnsSimulator = {
  /** Where each environment's tokens are known. Both are one server. */
  urls: { production: string; sandbox: string };
  bundleId: string;
  credentials: ApnsCredentials;
  controls: ApnsControls;
  close(): Promise<void>;
};

/** `opensPort`: false where nothing here sends pushes; what other processes on the same `dataDir` have sent is still known. */
export type ApnsOptions = { dataDir: string; clock: Clock; log: Log; bundleId: string; opensPort?: boolean };

const NO_SERVER: ApnsServer = {
  origin: 'http://127.0.0.1:9',
  calls: () => [],
  connections: () => 0,
  goAway: () => {},
  close: async () => {},
};

/** Apple's push service over HTTP/2, without TLS. Every well-formed token is a device. Pushes are files in `dataDir`. */
export async function createApnsSimulator(options: ApnsOptions): Promise<ApnsSimulator> {
  const { dataDir, clock, log, bundleId, opensPort = true } = options;
  const inbox = await openInbox(dataDir, clock);
  const authority = createAuthority(clock);
  const plans = createPlans();
  const { credentials, trusted } = await newIdentity();
  await authority.trust(trusted);
  const server = opensPort ? await startServer({ bundleId, authority, inbox, plans, clock, log }) : NO_SERVER;
  return {
    urls: { production: `${server.origin}/production`, sandbox: `${server.origin}/sandbox` },
    bundleId,
    credentials,
    controls: {
      plan: plans.add,
      clearPlans: plans.clear,
      pushes: inbox.list,
      calls: server.calls,
      connections: server.connections,
      goAway: server.goAway,
      trust: authority.trust,
      forgetKey: authority.forget,
    },
    close: server.close,
  };
}
