/** Who answers at a base URL: this server, another one, or something else. */
import { z } from 'zod';
import type { DoctorTools } from './check.ts';

export type Answering =
  | { is: 'own' | 'other' }
  | { is: 'silent'; error: unknown }
  | { is: 'redirect'; to: string }
  | { is: 'foreign'; answer: string };

const Health = z.object({ status: z.literal('ok') });
const Keys = z.object({ keys: z.array(z.object({ kid: z.string() })) });

/** Told apart by the public keys, which two servers share where they share their users. */
export async function lookAtServer(
  url: string,
  { fetch, signingKeyId }: Pick<DoctorTools, 'fetch' | 'signingKeyId'>,
): Promise<Answering> {
  const get = (path: string) => fetch(`${url}${path}`, { redirect: 'manual' });
  try {
    const health = await get('/healthz');
    const to = health.headers.get('location');
    if (to !== null && health.status >= 300) return { is: 'redirect', to: new URL(to, url).origin };
    const body: unknown = await health.json().catch(() => null);
    if (health.status !== 200 || !Health.safeParse(body).success)
      return { is: 'foreign', answer: `/healthz answers ${health.status}` };
    const keys = Keys.safeParse(await (await get('/auth/v1/.well-known/jwks.json')).json().catch(() => null));
    const kid = await signingKeyId();
    return { is: keys.data?.keys.some((key) => key.kid === kid) ? 'own' : 'other' };
  } catch (error) {
    return { is: 'silent', error };
  }
}
