import type { Database } from '../db/database.ts';
import type { HttpContext } from './env.ts';
import { rateLimited, tellRateLimit } from './rate-limit.ts';

export type AddressLimit = {
  policy: 'onboarding' | 'auth';
  /** As `clientAddress` makes it. */
  address: string;
  limit: number;
  windowSeconds: number;
};

/** Counts a call of an IP address in the database, across all servers; throws the 429 when the window is full. */
export async function takeAddressSlot(c: HttpContext, db: Database, request: AddressLimit): Promise<void> {
  const { policy, address, limit, windowSeconds } = request;
  const slot = await db.call('take_rate_limit', { action: policy, address, limit, window_seconds: windowSeconds });
  const state = { policy, limit, windowSeconds, remaining: slot.remaining, resetSeconds: slot.reset_seconds };
  if (!slot.allowed) throw rateLimited(state);
  tellRateLimit(c, state);
}
