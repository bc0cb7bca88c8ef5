/** The simulated Runway's own data: the API key it accepts, and the secret it signs URLs and forms with. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { writeOnce } from '../write-once.ts';

const identityShape = z.object({ apiKey: z.string(), signingKey: z.string() });
export type Identity = z.infer<typeof identityShape>;

/** One identity for all processes that share the folder. */
export function readIdentity(file: string): Promise<Identity> {
  const made = { apiKey: `key_${randomBytes(32).toString('hex')}`, signingKey: randomBytes(32).toString('hex') };
  return writeOnce(file, identityShape, made);
}

/** Sixteen hex digits that identify a file or a form. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
