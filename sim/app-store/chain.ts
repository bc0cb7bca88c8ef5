/** The certificates of the simulated App Store, as Apple's: a root, an intermediate, and a leaf whose key signs. */
import { Buffer } from 'node:buffer';
import { z } from 'zod';

/** `x5c`: leaf, intermediate and root, in DER and base64, as they stand in the header of signed data. */
export const chainShape = z.object({ x5c: z.tuple([z.string(), z.string(), z.string()]), leafKeyPem: z.string() });
export type Chain = z.infer<typeof chainShape>;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Apple's marks of certificates for its developers' services, and of those that sign receipts. Each is empty: DER's NULL. */
const INTERMEDIATE_MARK = '1.2.840.113635.100.6.2.1';
const LEAF_MARK = '1.2.840.113635.100.6.11.1';
const DER_NULL = Uint8Array.of(0x05, 0x00);
/** Signed data is judged by its own date, which a test's clock may have chosen. */
const VALIDITY = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2049-12-31T00:00:00Z') };
const PKCS8_LINE = 64;

/** A new chain. The keys of root and intermediate are forgotten: they sign nothing else. */
export async function newChain(): Promise<Chain> {
  // The library of certificates wants this polyfill first, and is loaded for the first chain of a data folder alone.
  await import('reflect-metadata');
  const { X509CertificateGenerator, BasicConstraintsExtension, Extension, KeyUsagesExtension, KeyUsageFlags } =
    await import('@peculiar/x509');
  const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const [rootKeys, intermediateKeys, leafKeys] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  const names = {
    root: 'CN=Simulated Apple Root CA, O=Rendio',
    intermediate: 'CN=Simulated Apple Worldwide Developer Relations CA, O=Rendio',
    leaf: 'CN=Simulated App Store Receipt Signing, O=Rendio',
  };
  const signs = new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true);
  const root = await X509CertificateGenerator.createSelfSigned({
    ...VALIDITY,
    name: names.root,
    keys: rootKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [new BasicConstraintsExtension(true, undefined, true), signs],
  });
  const intermediate = await X509CertificateGenerator.create({
    ...VALIDITY,
    subject: names.intermediate,
    issuer: names.root,
    publicKey: intermediateKeys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      signs,
      new Extension(INTERMEDIATE_MARK, false, DER_NULL),
    ],
  });
  const leaf = await X509CertificateGenerator.create({
    ...VALIDITY,
    subject: names.leaf,
    issuer: names.intermediate,
    publicKey: leafKeys.publicKey,
    signingKey: intermediateKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new Extension(LEAF_MARK, false, DER_NULL),
    ],
  });
  const base64 = ({ rawData }: { rawData: ArrayBuffer }) => Buffer.from(rawData).toString('base64');
  return {
    x5c: [base64(leaf), base64(intermediate), base64(root)],
    leafKeyPem: pemOf(await crypto.subtle.exportKey('pkcs8', leafKeys.privateKey)),
  };
}

function pemOf(pkcs8: ArrayBuffer): string {
  const lines =
    Buffer.from(pkcs8)
      .toString('base64')
      .match(new RegExp(`.{1,${PKCS8_LINE}}`, 'g')) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}
