import type { Session } from './answers.ts';
import { type CallOptions, call, type Reply } from './api.ts';

export type AuthFailure = {
  code?: string | number;
  message?: string;
  error_code?: string;
  msg?: string;
  error?: string;
  error_description?: string;
};

/** What the official clients send with every call of the auth API. */
export const VERSION = { 'X-Supabase-Api-Version': '2024-01-01' };

export const REFRESH = '/auth/v1/token?grant_type=refresh_token';

export function refresh(
  base: string,
  token: unknown,
  options: CallOptions = {},
): Promise<Reply<Session & AuthFailure>> {
  return call(base, 'POST', REFRESH, { body: { refresh_token: token }, ...options });
}
