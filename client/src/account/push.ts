/** Which devices get pushes about the account's videos. */
import { withRetry } from '../http/retry.ts';
import type { Api } from '../session/api.ts';
import type { PushEnvironment } from '../types.ts';

/** Registers the device (`POST`) or forgets it (`DELETE`). */
export async function changePushToken(
  api: Api,
  method: 'POST' | 'DELETE',
  device: { token: string; environment: PushEnvironment },
  signal: AbortSignal | undefined,
): Promise<void> {
  await withRetry(() => api.request('register-push-token', { method, body: device, signal }), signal);
}
