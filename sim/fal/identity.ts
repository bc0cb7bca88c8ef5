/** The simulated fal's own data: the API key it accepts, and the keys it signs its webhooks with. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { z } from 'zod';
import { writeOnce } from '../write-once.ts';

const identityShape = z.object({ apiKey: z.string(), userId: z.string(), signingKeys: z.array(z.string()).min(1) });

/** `signingKeys` are PKCS #8 PEMs; the last of them signs. */
export type Identity = z.infer<typeof identityShape>;

export function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** One identity for all processes that share the folder: the server accepts webhooks about a worker's job. */
export function readIdentity(file: string): Promise<Identity> {
  return writeOnce(file, identityShape, {
    apiKey: `${randomUUID()}:simulated`,
    userId: `user-${randomUUID()}`,
    signingKeys: [newSigningKey()],
  });
}

/** The public halves, as fal publishes them. */
export function jwksOf(signingKeys: readonly string[]): object {
  const keys = signingKeys.map((pem, index) => {
    const { kty, crv, x } = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' });
    return { kty, crv, x, kid: `key-${index + 1}`, use: 'sig', alg: 'EdDSA' };
  });
  return { keys };
}

/** The four headers of a signed event. */
export function signedHeaders(options: {
  signingKey: string;
  requestId: string;
  userId: string;
  timestampSeconds: number;
  body: string;
}): Record<string, string> {
  const { signingKey, requestId, userId, timestampSeconds, body } = options;
  const digest = createHash('sha256').update(body).digest('hex');
  const message = Buffer.from([requestId, userId, timestampSeconds, digest].join('\n'));
  return {
    'x-fal-webhook-request-id': requestId,
    'x-fal-webhook-user-id': userId,
    'x-fal-webhook-timestamp': String(timestampSeconds),
    'x-fal-webhook-signature': sign(null, message, createPrivateKey(signingKey)).toString('hex'),
  };
}
