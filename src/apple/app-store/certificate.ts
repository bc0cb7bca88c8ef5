/** X.509 certificates on every runtime: the parts that decide whom a signature is to be believed. */
import { Buffer } from 'node:buffer';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AuthorityInfoAccessSyntax,
  BasicConstraints,
  Certificate as CertificateSchema,
  ExtendedKeyUsage,
  type Extension,
  id_ad_ocsp,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_kp_OCSPSigning,
  id_pe_authorityInfoAccess,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509';

export type Certificate = {
  schema: CertificateSchema;
  /** In DER. */
  subject: Uint8Array;
  issuer: Uint8Array;
  publicKey: Uint8Array<ArrayBuffer>;
  /** Of the whole certificate, in hex. */
  sha256: string;
};

/** The hash of each signature algorithm that is accepted: ECDSA and RSA; nothing older than SHA-2. */
const HASHES: Record<string, string> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};
/** Clocks differ; Apple's library allows as much. */
const SKEW_MS = 60_000;

/** Throws if it is no certificate. */
export function parseCertificate(der: Uint8Array): Certificate {
  return certificateOf(AsnConvert.parse(der, CertificateSchema), der);
}

/** A certificate that has been parsed as a part of something else. */
export function certificateOf(
  schema: CertificateSchema,
  der: Uint8Array = new Uint8Array(AsnConvert.serialize(schema)),
): Certificate {
  const { subject, issuer, subjectPublicKeyInfo } = schema.tbsCertificate;
  const [subjectDer, issuerDer, publicKey] = [subject, issuer, subjectPublicKeyInfo].map(
    (part) => new Uint8Array(AsnConvert.serialize(part)),
  );
  if (!subjectDer || !issuerDer || !publicKey) throw new TypeError('no certificate');
  return {
    schema,
    subject: subjectDer,
    issuer: issuerDer,
    publicKey,
    sha256: createHash('sha256').update(der).digest('hex'),
  };
}

/** Whether it names the issuer and the issuer has signed it. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { tbsCertificateRaw, signatureAlgorithm, signatureValue } = certificate.schema;
  if (!isSame(certificate.issuer, issuer.subject) || !tbsCertificateRaw) return false;
  return isSignedBy(issuer, signatureAlgorithm.algorithm, tbsCertificateRaw, signatureValue);
}

/** Whether the holder of a certificate has signed the bytes. `algorithm`: the OID that the signature names. */
export function isSignedBy(
  { publicKey }: Certificate,
  algorithm: string,
  bytes: ArrayBuffer,
  signature: ArrayBuffer,
): boolean {
  const hash = Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
  if (hash === undefined) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    return verify(hash, new Uint8Array(bytes), key, new Uint8Array(signature));
  } catch {
    // A key of another kind than the signature.
    return false;
  }
}

/** Whether the date is within its validity. */
export function isValidAt({ schema }: Certificate, date: Date): boolean {
  const { notBefore, notAfter } = schema.tbsCertificate.validity;
  const ms = date.getTime();
  return notBefore.getTime().getTime() <= ms + SKEW_MS && notAfter.getTime().getTime() >= ms - SKEW_MS;
}

export function hasExtension(certificate: Certificate, oid: string): boolean {
  return extensionOf(certificate, oid) !== undefined;
}

/** Whether it may issue certificates. */
export function isAuthority(certificate: Certificate): boolean {
  const constraints = extensionOf(certificate, id_ce_basicConstraints);
  const usage = extensionOf(certificate, id_ce_keyUsage);
  const maySign = !usage || (AsnConvert.parse(usage.extnValue, KeyUsage).toNumber() & KeyUsageFlags.keyCertSign) !== 0;
  return constraints !== undefined && maySign && AsnConvert.parse(constraints.extnValue, BasicConstraints).cA;
}

export function maySignOcsp(certificate: Certificate): boolean {
  const usage = extensionOf(certificate, id_ce_extKeyUsage);
  return usage !== undefined && AsnConvert.parse(usage.extnValue, ExtendedKeyUsage).includes(id_kp_OCSPSigning);
}

/** The URL of the OCSP responder that it names. */
export function ocspUrlOf(certificate: Certificate): string | null {
  const access = extensionOf(certificate, id_pe_authorityInfoAccess);
  if (!access) return null;
  const found = AsnConvert.parse(access.extnValue, AuthorityInfoAccessSyntax).find(
    ({ accessMethod }) => accessMethod === id_ad_ocsp,
  );
  return found?.accessLocation.uniformResourceIdentifier ?? null;
}

export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, at) => byte === other[at]);
}

function extensionOf({ schema }: Certificate, oid: string): Extension | undefined {
  return schema.tbsCertificate.extensions?.find(({ extnID }) => extnID === oid);
}
