import { exportPKCS8, exportSPKI, generateKeyPair } from 'jose';
import type { TrustedKey } from './authorize.ts';

/** What a team needs to call DeviceCheck; `privateKeyPem` is PKCS #8. */
export type DeviceCheckCredentials = { teamId: string; keyId: string; privateKeyPem: string };

/** Each process has its own team; its simulator trusts the holder of these credentials. */
export async function newIdentity(): Promise<{ credentials: DeviceCheckCredentials; trusted: TrustedKey }> {
  const names = { teamId: 'SIMULATED0', keyId: 'SIMULATED1' };
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    credentials: { ...names, privateKeyPem: await exportPKCS8(privateKey) },
    trusted: { ...names, publicKeyPem: await exportSPKI(publicKey) },
  };
}
