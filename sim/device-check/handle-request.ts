import type { Clock } from '../../src/kernel/clock.ts';
import type { Authority } from './authorize.ts';
import { type InvalidRequest, type ParsedRequest, parseRequest } from './parse-request.ts';
import type { BitStore, StoredBits } from './store.ts';

export type OperationName = 'query' | 'update' | 'validate';

/** The wording for a device whose bits were never set; Apple has been seen with both. */
export type NeverSetText = 'Failed to find bit state' | 'Bit State Not Found';

/** Apple's reply: `bits` as JSON, else `text`. `request` is null when it was refused. */
export type Handled = {
  status: 200 | 400 | 401;
  text: string;
  bits?: Omit<StoredBits, 'device'>;
  request: ParsedRequest | null;
};

type Apple = { authority: Authority; store: BitStore; clock: Clock; neverSetText: () => NeverSetText };

async function readBits(request: ParsedRequest, { store, neverSetText }: Apple): Promise<Handled> {
  const stored = await store.read(request.device);
  if (!stored) return { status: 200, text: neverSetText(), request };
  const { device: _, ...bits } = stored;
  return { status: 200, text: '', bits, request };
}

function isRefused(request: ParsedRequest | InvalidRequest): request is InvalidRequest {
  return 'text' in request;
}

/** Checks the authorization, then the body, then carries the request out. */
export async function handleRequest(
  { operation, authorization, body }: { operation: OperationName; authorization: string | undefined; body: unknown },
  apple: Apple,
): Promise<Handled> {
  const refusal = await apple.authority.refusalOf(authorization);
  if (refusal) return { ...refusal, request: null };
  const request = parseRequest(body, apple.clock);
  if (isRefused(request)) return { status: 400, text: request.text, request: null };
  if (operation === 'query') return readBits(request, apple);
  if (operation === 'update') await apple.store.write(request.device, request.bits);
  return { status: 200, text: '', request };
}
