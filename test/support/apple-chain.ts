/** Chains of certificates like those of the App Store, with keys of the tests' own; and chains with one thing wrong. */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import {
  AuthorityInfoAccessExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { base64url, CompactSign } from 'jose';

export const LEAF_MARKER = '1.2.840.113635.100.6.11.1';
export const INTERMEDIATE_MARKER = '1.2.840.113635.100.6.2.1';

export type TestCertificate = { certificate: X509Certificate; der: Uint8Array; keys: CryptoKeyPair };

export type CertificateOptions = {
  subject?: string;
  /** The issuer that it names; default: the one that signs. */
  issuerName?: string;
  /** Null: self-signed. */
  issuer?: TestCertificate | null;
  keys?: CryptoKeyPair;
  curve?: 'P-256' | 'P-384';
  hash?: 'SHA-256' | 'SHA-384';
  from?: Date;
  until?: Date;
  /** Null: nothing is said about it. */
  isCa?: boolean | null;
  /** The OID of a marker of Apple's. */
  marker?: string | null;
  /** The purpose of OCSP signing. */
  signsOcsp?: boolean;
  /** Where its OCSP responder is. */
  ocspUrl?: string | null;
};

/** DER's NULL, as in Apple's. */
const MARKER_VALUE = new Uint8Array([5, 0]);
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';

export async function makeCertificate(options: CertificateOptions = {}): Promise<TestCertificate> {
  const { subject = 'CN=Test', issuer = null, curve = 'P-256', hash = 'SHA-256' } = options;
  const keys = options.keys ?? (await makeKeys(curve));
  const { isCa = false, marker = null, ocspUrl = null } = options;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(7).toString('hex')}`,
    subject,
    issuer: options.issuerName ?? issuer?.certificate.subject ?? subject,
    notBefore: options.from ?? new Date('2020-01-01T00:00:00Z'),
    notAfter: options.until ?? new Date('2040-01-01T00:00:00Z'),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { name: 'ECDSA', hash },
    extensions: [
      ...(isCa === null ? [] : [new BasicConstraintsExtension(isCa, isCa ? 0 : undefined, true)]),
      ...(marker === null ? [] : [new Extension(marker, false, MARKER_VALUE)]),
      ...(options.signsOcsp ? [new ExtendedKeyUsageExtension([OCSP_SIGNING])] : []),
      ...(ocspUrl === null ? [] : [new AuthorityInfoAccessExtension({ ocsp: ocspUrl })]),
    ],
  });
  return { certificate, der: new Uint8Array(certificate.rawData), keys };
}

export function makeKeys(namedCurve: 'P-256' | 'P-384' = 'P-256'): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
}

export type TestChain = { root: TestCertificate; intermediate: TestCertificate; leaf: TestCertificate };
export type ChainOptions = {
  root?: TestCertificate | CertificateOptions;
  intermediate?: TestCertificate | CertificateOptions;
  leaf?: TestCertificate | CertificateOptions;
};

/** Root, intermediate and leaf as the App Store has them; what is given replaces a certificate or single properties of it. */
export async function makeChain(options: ChainOptions = {}): Promise<TestChain> {
  const root = await made(options.root, { subject: 'CN=Test Root CA', isCa: true });
  const intermediate = await made(options.intermediate, {
    ...{ subject: 'CN=Test Intermediate', issuer: root, isCa: true, marker: INTERMEDIATE_MARKER },
  });
  const leaf = await made(options.leaf, { subject: 'CN=Test Leaf', issuer: intermediate, marker: LEAF_MARKER });
  return { root, intermediate, leaf };
}

function made(given: TestCertificate | CertificateOptions | undefined, usual: CertificateOptions) {
  return given && 'der' in given ? given : makeCertificate({ ...usual, ...given });
}

/** The certificates as a header has them: base64 of DER. */
export function x5cOf(...certificates: { der: Uint8Array }[]): string[] {
  return certificates.map(({ der }) => Buffer.from(der).toString('base64'));
}

/** Signs as the App Store does; `header` replaces parts of the usual one. */
export async function signWith(
  { root, intermediate, leaf }: TestChain,
  payload: object,
  header: Record<string, unknown> = {},
): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  const usual = { alg: 'ES256', x5c: x5cOf(leaf, intermediate, root) };
  return new CompactSign(bytes).setProtectedHeader({ ...usual, ...header }).sign(leaf.keys.privateKey);
}

/** A JWS that `text` stands in for the signature of. */
export function assembled(header: object, payload: object, signature = ''): string {
  const part = (value: object) => base64url.encode(JSON.stringify(value));
  return `${part(header)}.${part(payload)}.${signature}`;
}
