/** The apps and websites that use Sign in with Apple, and how they prove to be these. */
import { type CryptoKey, importSPKI, jwtVerify } from 'jose';
import type { Clock } from '../../src/kernel/clock.ts';

/** A key as a team registers it with Apple; `publicKeyPem` is its SPKI. */
export type TrustedKey = { teamId: string; keyId: string; publicKeyPem: string };

/** `isAuthorized` false: Sign in with Apple is not switched on for it. */
export type Client = { clientId: string; teamId: string; isAuthorized: boolean };

export type ClientRefusal = 'invalid_client' | 'unauthorized_client';

const AUDIENCE = 'https://appleid.apple.com';
/** Six months, the longest that a client secret may be valid. */
const SECRET_SECONDS_MAX = 15_777_000;

export function createClients(clock: Clock) {
  const keys = new Map<string, { teamId: string; key: CryptoKey }>();
  const clients = new Map<string, Client>();

  /** Whether the secret is a JWT that the client's team has signed, as Apple wants it. */
  async function isTheirs({ clientId, teamId }: Client, secret: string): Promise<boolean> {
    const nowSeconds = Math.floor(clock.now().getTime() / 1000);
    try {
      const { payload } = await jwtVerify(
        secret,
        ({ kid }) => {
          const known = keys.get(kid ?? '');
          if (known?.teamId !== teamId) throw new Error('not a key of this team');
          return known.key;
        },
        {
          algorithms: ['ES256'],
          issuer: teamId,
          subject: clientId,
          audience: AUDIENCE,
          requiredClaims: ['iat', 'exp'],
          currentDate: clock.now(),
        },
      );
      const { iat = 0, exp = 0 } = payload;
      return iat <= nowSeconds && exp - nowSeconds <= SECRET_SECONDS_MAX;
    } catch {
      return false;
    }
  }

  return {
    async trust({ teamId, keyId, publicKeyPem }: TrustedKey): Promise<void> {
      keys.set(keyId, { teamId, key: await importSPKI(publicKeyPem, 'ES256') });
    },
    register(client: Client): void {
      clients.set(client.clientId, client);
    },
    get: (clientId: string): Client | undefined => clients.get(clientId),
    all: (): Client[] => [...clients.values()],
    async refusalOf(clientId: string, secret: string): Promise<ClientRefusal | undefined> {
      const client = clients.get(clientId);
      if (!client || !(await isTheirs(client, secret))) return 'invalid_client';
      return client.isAuthorized ? undefined : 'unauthorized_client';
    },
  };
}

export type Clients = ReturnType<typeof createClients>;
