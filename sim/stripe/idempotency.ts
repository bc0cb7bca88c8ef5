import { createHash } from 'node:crypto';
import { StripeFault } from './errors.ts';

export type Reply = { status: number; body: object };

const KEY_CHARACTERS_MAX = 255;

/** Answers a repeated POST as the first one with its key. Refused requests use up no key. */
export function createIdempotency() {
  const known = new Map<string, { hash: string; reply: Reply | null }>();

  return async function once(
    key: string | null,
    request: { path: string; body: string },
    run: () => Promise<Reply>,
  ): Promise<Reply & { isReplayed: boolean }> {
    if (key === null) return { ...(await run()), isReplayed: false };
    if (key.length > KEY_CHARACTERS_MAX)
      throw new StripeFault(400, 'Idempotency keys are at most 255 characters long.', { type: 'idempotency_error' });
    const hash = createHash('sha256').update(`${request.path}\n${request.body}`).digest('hex');
    const before = known.get(key);
    if (before && before.hash !== hash)
      throw new StripeFault(
        400,
        'Keys for idempotent requests can only be used with the same parameters they were first used with.',
        { type: 'idempotency_error' },
      );
    if (before?.reply) return { ...before.reply, isReplayed: true };
    if (before)
      throw new StripeFault(409, 'There is currently another in-progress request using this Idempotent Key.', {
        code: 'idempotency_key_in_use',
      });
    const entry: { hash: string; reply: Reply | null } = { hash, reply: null };
    known.set(key, entry);
    try {
      entry.reply = await run();
      return { ...entry.reply, isReplayed: false };
    } catch (error) {
      known.delete(key);
      throw error;
    }
  };
}
