/** Asks the responder of a certificate's issuer whether the certificate has been revoked (RFC 6960). */

import { createHash } from 'node:crypto';
import {
  BasicOCSPResponse,
  CertID,
  id_pkix_ocsp_basic,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  Request as RequestSchema,
  type SingleResponse,
  TBSRequest,
} from '@peculiar/asn1-ocsp';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import type { Clock } from '../../kernel/clock.ts';
import { readBytes } from '../read-bytes.ts';
import { untilAborted } from '../until-aborted.ts';
import {
  type Certificate,
  certificateOf,
  isIssuedBy,
  isSame,
  isSignedBy,
  isValidAt,
  maySignOcsp,
  ocspUrlOf,
} from './certificate.ts';
import type { Decoded } from './signed-data.ts';

export type OcspTools = { fetch: typeof fetch; clock: Clock; signal: AbortSignal };
type Failure = Exclude<Decoded, { outcome: 'valid' }>;

const SHA256 = '2.16.840.1.101.3.4.2.1';
/** A response has about 2 kB, most of it a certificate. */
const BYTES_MAX = 100_000;
/** Clocks differ; Apple's library allows as much. */
const SKEW_MS = 60_000;

/** Null: the responder vouches for the certificate now. Never throws. */
export async function checkRevocation(
  certificate: Certificate,
  issuer: Certificate,
  tools: OcspTools,
): Promise<Failure | null> {
  const url = ocspUrlOf(certificate);
  if (url === null) return { outcome: 'invalid', cause: 'INVALID_CERTIFICATE' };
  const id = idOf(certificate, issuer);
  try {
    return judge(await ask(url, id, tools), id, issuer, tools.clock.now());
  } catch (error) {
    const cause = tools.signal.aborted ? 'no answer in time' : error instanceof Error ? error.message : 'no answer';
    return { outcome: 'unreachable', cause: `OCSP: ${cause}` };
  }
}

function idOf({ schema }: Certificate, issuer: Certificate): CertID {
  const sha256 = (bytes: Uint8Array) => new OctetString(createHash('sha256').update(bytes).digest());
  return new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA256, parameters: null }),
    issuerNameHash: sha256(issuer.subject),
    issuerKeyHash: sha256(keyBits(issuer)),
    serialNumber: schema.tbsCertificate.serialNumber,
  });
}

/** The key without its algorithm, which is what is hashed. */
function keyBits({ schema }: Certificate): Uint8Array {
  return new Uint8Array(schema.tbsCertificate.subjectPublicKeyInfo.subjectPublicKey);
}

/** Throws if there is no answer, or none of a responder. */
async function ask(url: string, id: CertID, { fetch, signal }: OcspTools): Promise<BasicOCSPResponse> {
  const tbsRequest = new TBSRequest({ requestList: [new RequestSchema({ reqCert: id })] });
  const sent = fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/ocsp-request' },
    body: AsnConvert.serialize(new OCSPRequest({ tbsRequest })),
    signal,
  });
  const response = await untilAborted(sent, signal);
  const bytes = await readBytes(response, BYTES_MAX, signal);
  if (!response.ok || !bytes) throw new Error(`answered ${response.status}`);
  const { responseStatus, responseBytes } = AsnConvert.parse(bytes, OCSPResponse);
  if (responseStatus !== OCSPResponseStatus.successful) throw new Error(`answered with status ${responseStatus}`);
  if (responseBytes?.responseType !== id_pkix_ocsp_basic) throw new Error('answered in an unknown form');
  return AsnConvert.parse(responseBytes.response.buffer, BasicOCSPResponse);
}

function judge(response: BasicOCSPResponse, id: CertID, issuer: Certificate, now: Date): Failure | null {
  const signer = signerOf(response, issuer);
  if (!signer) return { outcome: 'invalid', cause: 'FAILURE' };
  // A responder has a certificate of its own: Apple's library, too, refuses answers that the issuer has signed itself.
  if (!isIssuedBy(signer, issuer) || !maySignOcsp(signer) || !isValidAt(signer, now))
    return { outcome: 'invalid', cause: 'INVALID_CERTIFICATE' };
  const { tbsResponseData, tbsResponseDataRaw, signatureAlgorithm, signature } = response;
  const isSigned =
    tbsResponseDataRaw !== undefined && isSignedBy(signer, signatureAlgorithm.algorithm, tbsResponseDataRaw, signature);
  const about = tbsResponseData.responses.find(({ certID }) => isSameId(certID, id));
  return isSigned && about && isGood(about, now.getTime()) ? null : { outcome: 'invalid', cause: 'FAILURE' };
}

function signerOf({ tbsResponseData, certs = [] }: BasicOCSPResponse, issuer: Certificate): Certificate | undefined {
  const { byKey, byName } = tbsResponseData.responderID;
  const candidates = [issuer, ...certs.map((schema) => certificateOf(schema))];
  if (byKey) {
    const wanted = new Uint8Array(byKey.buffer);
    return candidates.find((candidate) => isSame(createHash('sha1').update(keyBits(candidate)).digest(), wanted));
  }
  const wanted = byName && new Uint8Array(AsnConvert.serialize(byName));
  return wanted && candidates.find(({ subject }) => isSame(subject, wanted));
}

function isSameId(one: CertID, other: CertID): boolean {
  return (
    one.hashAlgorithm.algorithm === other.hashAlgorithm.algorithm &&
    isSame(new Uint8Array(one.issuerNameHash.buffer), new Uint8Array(other.issuerNameHash.buffer)) &&
    isSame(new Uint8Array(one.issuerKeyHash.buffer), new Uint8Array(other.issuerKeyHash.buffer)) &&
    isSame(new Uint8Array(one.serialNumber), new Uint8Array(other.serialNumber))
  );
}

function isGood({ certStatus, thisUpdate, nextUpdate }: SingleResponse, nowMs: number): boolean {
  if (certStatus.good === undefined || !nextUpdate) return false;
  return thisUpdate.getTime() <= nowMs + SKEW_MS && nextUpdate.getTime() >= nowMs - SKEW_MS;
}
