/** Unmodified clients of Supabase, each as on a device of its own, in front of the server under test. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type AuthError, createClient, type Session, type SupabaseClient } from '@supabase/supabase-js';
import type { TestApple } from '../../../support/apple-id.ts';

/** The server under test. The suites know it by its URL alone, and by the Apple that it believes. */
export type Door = { readonly url: string; readonly apple: TestApple };

export type Device = { supabase: SupabaseClient; stored(): Session; store(session: Session): void };

/** Whatever an app has configured: the server has no such key. */
export const ANON_KEY = 'sb_publishable_of_some_app';

type Options = { autoRefreshToken?: boolean; session?: Session; fetch?: typeof fetch };

/** A device of which the app keeps its session. */
export function newDevice(door: Pick<Door, 'url'>, options: Options = {}): Device {
  const storageKey = `device-${randomUUID()}`;
  const items = new Map<string, string>();
  const store = (session: Session) => items.set(storageKey, JSON.stringify(session));
  if (options.session) store(options.session);
  const supabase = createClient(door.url, ANON_KEY, {
    auth: {
      autoRefreshToken: options.autoRefreshToken ?? false,
      storageKey,
      storage: {
        getItem: (key) => items.get(key) ?? null,
        setItem: (key, value) => void items.set(key, value),
        removeItem: (key) => void items.delete(key),
      },
    },
    ...(options.fetch && { global: { fetch: options.fetch } }),
  });
  return { supabase, store, stored: () => JSON.parse(items.get(storageKey) ?? 'null') };
}

type Answer = { data: unknown; error: unknown };
type Succeeded<A extends Answer> = NonNullable<Extract<A, { error: null }>['data']>;

/** The data of a call that must succeed. */
export function dataOf<A extends Answer>(answer: A): Succeeded<A> {
  const { data, error } = answer;
  assert.equal(error, null, error instanceof Error ? error.message : JSON.stringify(error));
  assert.ok(data);
  return data as Succeeded<A>;
}

/** Signs a guest in on a new device. */
export async function newGuestDevice(door: Pick<Door, 'url'>): Promise<Device & { id: string; session: Session }> {
  const device = newDevice(door);
  const { user, session } = dataOf(await device.supabase.auth.signInAnonymously());
  assert.ok(user && session);
  return { ...device, id: user.id, session };
}

/** Signs an Apple user in on a new device. */
export async function newAppleDevice(door: Door, sub: string): Promise<Device & { id: string; session: Session }> {
  const device = newDevice(door);
  const token = await door.apple.identityToken({ sub });
  const { user, session } = dataOf(await device.supabase.auth.signInWithIdToken({ provider: 'apple', token }));
  return { ...device, id: user.id, session };
}

export const newSub = () => `001.${randomUUID()}`;

/** Asserts how a call failed, as an app sees it. */
export function assertFailed({ error }: { error: AuthError | null }, status: number, code: string | undefined): void {
  assert.ok(error, 'the call succeeded');
  assert.deepEqual([error.status, error.code], [status, code], error.message);
}
