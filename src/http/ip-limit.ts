import type { Database } from '../db/database.ts';
import type { HttpContext } from './env.ts';
import { rateLimited, setRateLimitHeaders } from './rate-limit.ts';

export type IpLimit = {
  policy: 'onboarding' | 'auth';
  /** In the form that `clientIp` returns. */
  ip: string;
  limit: number;
  windowSeconds: number;
};

/** Counts a request of an IP address in the database, across all servers. Throws ERR_4004 (429) at the limit. */
export async function takeIpSlot(c: HttpContext, db: Database, request: IpLimit): Promise<void> {
  const { policy, ip, limit, windowSeconds } = request;
  const slot = await db.call('take_rate_limit', { action: policy, address: ip, limit, window_seconds: windowSeconds });
  const state = { policy, limit, windowSeconds, remaining: slot.remaining, resetSeconds: slot.reset_seconds };
  if (!slot.allowed) throw rateLimited(state);
  setRateLimitHeaders(c, state);
}
