/** A responder for the tests' own certificates. The path of the URL says how it behaves. */
import { createHash, KeyObject, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BasicOCSPResponse,
  CertStatus,
  id_pkix_ocsp_basic,
  KeyHash,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  ResponderID,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  SingleResponse,
} from '@peculiar/asn1-ocsp';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Certificate, Name } from '@peculiar/asn1-x509';
import { makeCertificate, type TestCertificate } from '../../support/apple-chain.ts';

export type Responder = AsyncDisposable & {
  url(behaviour: Behaviour): string;
  /** Certificates that it answers for: those that this one issues. */
  serve(issuer: TestCertificate): Promise<void>;
  /** How often it was asked. */
  asked(): number;
};

const HOUR_MS = 3_600_000;
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';

type Answer = {
  data: Partial<ResponseData>;
  single: Partial<SingleResponse>;
  signer: TestCertificate;
  serialNumber: ArrayBuffer;
};
type Signers = Record<'delegated' | 'unmarked' | 'expired' | 'foreign' | 'issuer', TestCertificate>;

/** What each answer has in place of that of a good one. */
const ANSWERS = {
  good: () => ({}),
  'by-name': ({ delegated }: Signers) => ({
    data: { responderID: new ResponderID({ byName: AsnConvert.parse(subjectOf(delegated), Name) }) },
  }),
  revoked: () => ({ single: { certStatus: new CertStatus({ revoked: new RevokedInfo() }) } }),
  unknown: () => ({ single: { certStatus: new CertStatus({ unknown: null }) } }),
  stale: () => ({ single: { thisUpdate: ago(2), nextUpdate: ago(1) } }),
  early: () => ({ single: { thisUpdate: ago(-1), nextUpdate: ago(-2) } }),
  'about-another': () => ({ serialNumber: bytesOf(randomBytes(8)) }),
  'by-an-unmarked': ({ unmarked: signer }: Signers) => ({ signer }),
  'by-an-expired': ({ expired: signer }: Signers) => ({ signer }),
  'by-a-stranger': ({ foreign: signer }: Signers) => ({ signer }),
  'by-the-issuer': ({ issuer: signer }: Signers) => ({ signer }),
  'by-nobody': () => ({ data: { responderID: new ResponderID({ byKey: new KeyHash(randomBytes(20)) }) } }),
} satisfies Record<string, (signers: Signers) => Partial<Answer>>;

/** What is no answer of a responder. */
const BROKEN = ['forged', 'busy', 'page', 'failing', 'cut', 'hang', 'huge', 'empty'] as const;

export type Behaviour = keyof typeof ANSWERS | (typeof BROKEN)[number];

export async function startResponder(): Promise<Responder> {
  const signers = new Map<string, Signers>();
  let asked = 0;
  const server = createServer(async (request, response) => {
    asked += 1;
    const behaviour = (request.url ?? '').slice(1);
    const body = Buffer.concat(await request.toArray());
    if (behaviour === 'hang') return;
    if (behaviour === 'cut') return void response.destroy();
    response.writeHead(behaviour === 'failing' ? 503 : 200, { 'content-type': 'application/ocsp-response' });
    if (behaviour === 'page') return void response.end('<html>a proxy</html>');
    if (behaviour === 'huge') return void response.end(Buffer.alloc(3_000_000));
    if (behaviour === 'empty') return void response.end();
    response.end(Buffer.from(AsnConvert.serialize(answerTo(body, behaviour, signers))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (behaviour) => `http://127.0.0.1:${port}/${behaviour}`,
    asked: () => asked,
    async serve(issuer) {
      const common = { subject: 'CN=Test Responder', issuer, signsOcsp: true };
      const [delegated, unmarked, expired, foreign] = await Promise.all([
        makeCertificate(common),
        makeCertificate({ ...common, signsOcsp: false }),
        makeCertificate({ ...common, until: new Date('2025-01-01') }),
        makeCertificate({ ...common, issuer: await makeCertificate() }),
      ]);
      signers.set(keyHashOf(issuer, 'sha256').toString('hex'), { delegated, unmarked, expired, foreign, issuer });
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answerTo(body: Buffer, behaviour: string, known: Map<string, Signers>): OCSPResponse {
  if (behaviour === 'busy') return new OCSPResponse({ responseStatus: OCSPResponseStatus.tryLater });
  const request = AsnConvert.parse(body, OCSPRequest).tbsRequest.requestList[0];
  const signers = known.get(Buffer.from(request?.reqCert.issuerKeyHash.buffer ?? new ArrayBuffer()).toString('hex'));
  if (!request || !signers) return new OCSPResponse({ responseStatus: OCSPResponseStatus.unauthorized });
  const make: (signers: Signers) => Partial<Answer> = Object(ANSWERS)[behaviour] ?? ANSWERS.good;
  const { data = {}, single = {}, signer = signers.delegated, serialNumber } = make(signers);
  const usual = { certStatus: new CertStatus({ good: null }), thisUpdate: ago(1), nextUpdate: ago(-1) };
  const certID = request.reqCert;
  certID.serialNumber = serialNumber ?? certID.serialNumber;
  const tbsResponseData = new ResponseData({
    responderID: new ResponderID({ byKey: new KeyHash(keyHashOf(signer, 'sha1')) }),
    producedAt: ago(1),
    responses: [new SingleResponse({ ...usual, ...single, certID })],
    ...data,
  });
  const bytes = Buffer.from(AsnConvert.serialize(tbsResponseData));
  const signature = sign('sha256', bytes, KeyObject.from(signer.keys.privateKey));
  if (behaviour === 'forged') signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  const basic = new BasicOCSPResponse({
    ...{ tbsResponseData, tbsResponseDataRaw: bytesOf(bytes), signature: bytesOf(signature) },
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 }),
    certs: [AsnConvert.parse(signer.der, Certificate)],
  });
  const response = new OctetString(AsnConvert.serialize(basic));
  const responseBytes = new ResponseBytes({ responseType: id_pkix_ocsp_basic, response });
  return new OCSPResponse({ responseStatus: OCSPResponseStatus.successful, responseBytes });
}

function keyHashOf({ der }: TestCertificate, algorithm: 'sha1' | 'sha256'): Buffer {
  const { subjectPublicKey } = AsnConvert.parse(der, Certificate).tbsCertificate.subjectPublicKeyInfo;
  return createHash(algorithm).update(new Uint8Array(subjectPublicKey)).digest();
}

function subjectOf({ der }: TestCertificate): ArrayBuffer {
  return AsnConvert.serialize(AsnConvert.parse(der, Certificate).tbsCertificate.subject);
}

function ago(hours: number): Date {
  return new Date(Math.floor(Date.now() / 1000) * 1000 - hours * HOUR_MS);
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
