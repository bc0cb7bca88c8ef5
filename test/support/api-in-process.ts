/** Supabase's client in front of an API in this process, without a port. */
import { randomUUID } from 'node:crypto';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';

type Api = { fetch(request: Request): Response | Promise<Response> };

export function clientOf(api: Api): SupabaseClient {
  return createClient('http://rendio.test', 'sb_publishable_of_some_app', {
    auth: { autoRefreshToken: false, persistSession: false, storageKey: randomUUID() },
    global: { fetch: async (input, init) => api.fetch(new Request(input, init)) },
  });
}
