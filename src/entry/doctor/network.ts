/** How servers are reached, and in which words they are not. */
import { lookup as lookUp } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { errorCodeInChain, errorLabel } from '../../kernel/error-code.ts';
import { type Finding, wrong } from './finding.ts';

export type Network = {
  /** Opens a connection to the URL's host, with TLS for https, and sends nothing. Returns when the certificate ends. */
  connect(url: string): Promise<{ certificateEndsAt: Date | null }>;
  /** The IP addresses of a host. */
  lookup(host: string): Promise<string[]>;
};

const CONNECT_TIMEOUT_MS = 8_000;

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection is cut',
  ENOTFOUND: 'its host name does not exist',
  EAI_AGAIN: 'its host name cannot be resolved',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_SOCKET: 'the connection is cut',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes without the intermediate ones',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes without the intermediate ones',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no authority that this machine knows has issued its certificate',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it speaks http, not https',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it speaks http, not https',
  EPROTO: 'it does not speak TLS',
};

/** Why there was no answer. The code is kept: it is what one searches for. */
export function describeFailure(error: unknown): string {
  const label = errorCodeInChain(error) ?? errorLabel(error);
  if (label === 'TimeoutError' || label === 'AbortError') return 'it does not answer in time';
  return inWords(label) ?? `the request fails (${label})`;
}

/** A gateway's own cause, such as `no connection (ENOTFOUND)`, in the same words. */
export function describeCause(cause: string): string {
  const code = /\(([A-Z][A-Z0-9_]+)\)$/.exec(cause)?.[1];
  return (code && inWords(code)) ?? cause;
}

function inWords(code: string): string | undefined {
  const words = WORDS[code];
  return words && `${words} (${code})`;
}

const CERTIFICATE_MEND =
  'Renew or complete the certificate there. An authority of your own has to be named in NODE_EXTRA_CA_CERTS before Node.js starts.';

/** `url` without what is secret in it. */
export function unreachable(name: string, url: string, why: string): Finding {
  return wrong(
    name,
    `leads to ${new URL(url).origin}, which cannot be used: ${why}`,
    /certificate/.test(why)
      ? CERTIFICATE_MEND
      : 'Correct the URL, or let this machine reach it (DNS, firewall, proxy).',
  );
}

export const systemNetwork: Network = {
  async connect(url) {
    const { protocol, hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const isTls = protocol === 'https:';
    const options = { host, port: Number(port) || (isTls ? 443 : 80), timeout: CONNECT_TIMEOUT_MS };
    const socket = isTls
      ? connectTls({ ...options, ...(isIP(host) ? {} : { servername: host }) })
      : connectTcp(options);
    try {
      socket.on('timeout', () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
      await once(socket, isTls ? 'secureConnect' : 'connect');
      return { certificateEndsAt: isTls ? endOfCertificate(socket as TLSSocket) : null };
    } finally {
      socket.destroy();
    }
  },
  async lookup(host) {
    return (await lookUp(host, { all: true })).map(({ address }) => address);
  },
};

function endOfCertificate(socket: TLSSocket): Date | null {
  const end = new Date(socket.getPeerCertificate().valid_to);
  return Number.isNaN(end.getTime()) ? null : end;
}
