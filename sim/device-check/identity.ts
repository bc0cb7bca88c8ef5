import { exportPKCS8, exportSPKI, generateKeyPair } from 'jose';
import type { TrustedKey } from './authorize.ts';

/** What a team needs to ask DeviceCheck; `privateKeyPem` is PKCS #8. */
export type DeviceCheckCredentials = { teamId: string; keyId: string; privateKeyPem: string };

/** A team of its own for each process: whoever holds the credentials is trusted by the simulator beside it. */
export async function newIdentity(): Promise<{ credentials: DeviceCheckCredentials; trusted: TrustedKey }> {
  const names = { teamId: 'SIMULATED0', keyId: 'SIMULATED1' };
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    credentials: { ...names, privateKeyPem: await exportPKCS8(privateKey) },
    trusted: { ...names, publicKeyPem: await exportSPKI(publicKey) },
  };
}
