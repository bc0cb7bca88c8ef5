/** What Apple says about the form of a request. */
import type { IncomingHttpHeaders } from 'node:http2';
import { z } from 'zod';

/** `token`: the device's, in lower case. */
export type PushRequest = {
  id: string;
  environment: 'production' | 'sandbox';
  token: string;
  topic: string;
  type: string;
  priority: number;
  /** Unix seconds. */
  expiration: number;
  collapseId: string | null;
  payload: Record<string, unknown>;
};
export type Refusal = { status: number; reason: string };

const PATH = /^(?:\/(production|sandbox))?\/3\/device\/([^/?]*)$/;
const TOKEN = /^[0-9a-f]{64,200}$/i;
const TYPES = [
  'alert',
  'background',
  'complication',
  'fileprovider',
  'liveactivity',
  'location',
  'mdm',
  'voip',
  'widgets',
];
const COLLAPSE_BYTES_MAX = 64;
const PAYLOAD_BYTES_MAX = 4096;

const payloadShape = z.looseObject({ aps: z.looseObject({}) });

const refuse = (status: number, reason: string): Refusal => ({ status, reason });

/** The request, or why Apple refuses it, whoever sends it. `body`: null, if it was longer than any payload may be. */
export function judge(headers: IncomingHttpHeaders, body: string | null, bundleId: string): PushRequest | Refusal {
  const [, environment, token = ''] = PATH.exec(String(headers[':path'])) ?? [];
  if (!PATH.test(String(headers[':path']))) return refuse(404, 'BadPath');
  if (headers[':method'] !== 'POST') return refuse(405, 'MethodNotAllowed');
  if (token === '') return refuse(400, 'MissingDeviceToken');
  if (!TOKEN.test(token)) return refuse(400, 'BadDeviceToken');
  return (
    badHeader(headers, bundleId) ??
    withPayload(headers, body, {
      environment: environment === 'sandbox' ? 'sandbox' : 'production',
      token: token.toLowerCase(),
    })
  );
}

function badHeader(headers: IncomingHttpHeaders, bundleId: string): Refusal | undefined {
  const one = (name: string) => headers[name]?.toString();
  const collapseId = one('apns-collapse-id') ?? '';
  const checks: [boolean, string][] = [
    [one('apns-topic') !== undefined, 'MissingTopic'],
    [one('apns-topic') === bundleId, 'TopicDisallowed'],
    [TYPES.includes(one('apns-push-type') ?? 'alert'), 'InvalidPushType'],
    [['1', '5', '10'].includes(one('apns-priority') ?? '10'), 'BadPriority'],
    [/^\d{1,10}$/.test(one('apns-expiration') ?? '0'), 'BadExpirationDate'],
    [z.uuid().safeParse(one('apns-id') ?? crypto.randomUUID()).success, 'BadMessageId'],
    [Buffer.byteLength(collapseId) <= COLLAPSE_BYTES_MAX, 'BadCollapseId'],
  ];
  const failed = checks.find(([isGood]) => !isGood);
  return failed && refuse(400, failed[1]);
}

function withPayload(
  headers: IncomingHttpHeaders,
  body: string | null,
  device: Pick<PushRequest, 'environment' | 'token'>,
): PushRequest | Refusal {
  if (body === null || Buffer.byteLength(body) > PAYLOAD_BYTES_MAX) return refuse(413, 'PayloadTooLarge');
  const payload = payloadShape.safeParse(parse(body));
  if (!payload.success) return refuse(400, 'PayloadEmpty');
  return {
    ...device,
    id: headers['apns-id']?.toString() ?? crypto.randomUUID(),
    topic: String(headers['apns-topic']),
    type: headers['apns-push-type']?.toString() ?? 'alert',
    priority: Number(headers['apns-priority'] ?? 10),
    expiration: Number(headers['apns-expiration'] ?? 0),
    collapseId: headers['apns-collapse-id']?.toString() ?? null,
    payload: payload.data,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
