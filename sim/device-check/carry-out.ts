import type { Clock } from '../../src/kernel/clock.ts';
import type { Authority } from './authorize.ts';
import { type Misunderstood, type Understood, understand } from './request.ts';
import type { BitStore, StoredBits } from './store.ts';

export type OperationName = 'query' | 'update' | 'validate';

/** The wording for a device whose bits were never set; Apple has been seen with both. */
export type NeverSetText = 'Failed to find bit state' | 'Bit State Not Found';

/** What Apple would answer: `bits` as JSON, else `text` as it is. `request` is null when it was refused. */
export type Carried = {
  status: 200 | 400 | 401;
  text: string;
  bits?: Omit<StoredBits, 'device'>;
  request: Understood | null;
};

type Apple = { authority: Authority; store: BitStore; clock: Clock; neverSetText: () => NeverSetText };

async function queried(request: Understood, { store, neverSetText }: Apple): Promise<Carried> {
  const stored = await store.read(request.device);
  if (!stored) return { status: 200, text: neverSetText(), request };
  const { device: _, ...bits } = stored;
  return { status: 200, text: '', bits, request };
}

function isRefused(request: Understood | Misunderstood): request is Misunderstood {
  return 'text' in request;
}

/** Checks who asks, then what is asked, then does it. */
export async function carryOut(
  { operation, authorization, body }: { operation: OperationName; authorization: string | undefined; body: unknown },
  apple: Apple,
): Promise<Carried> {
  const refusal = await apple.authority.refusalOf(authorization);
  if (refusal) return { ...refusal, request: null };
  const request = understand(body, apple.clock);
  if (isRefused(request)) return { status: 400, text: request.text, request: null };
  if (operation === 'query') return queried(request, apple);
  if (operation === 'update') await apple.store.write(request.device, request.bits);
  return { status: 200, text: '', request };
}
