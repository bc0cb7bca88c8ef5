import { isLoopback } from '../../app/loopback.ts';
import { isPublicIp, mayBePublic } from '../../kernel/public-ip.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';
import { lookAtServer } from './server.ts';

const NAME = 'PUBLIC_URL';
const DAY_MS = 86_400_000;
/** Certificates are renewed a month before their end: this one was not. */
const CERTIFICATE_DAYS_MIN = 14;

/** Whether vendors reach this server there: by its own health check, its key and its certificate. */
export const publicUrl: Check = {
  title: 'PUBLIC_URL',
  variable: NAME,
  async run(tools) {
    const { publicUrl: url } = tools.config.settings.server;
    if (url === undefined) return [];
    const { hostname } = new URL(url);
    const isDevelopment = tools.config.settings.environment === 'development';
    if (isLoopback(hostname)) return isDevelopment ? [] : [isPrivate('leads to this machine alone')];
    if (!isDevelopment && !mayBePublic(hostname)) return [isPrivate('leads to a private address')];
    const answer = await answerOf(url, tools);
    if (answer.some(({ level }) => level === 'wrong')) return answer;
    const [names, certificate] = await Promise.all([resolved(hostname, tools), certificateOf(url, tools)]);
    const all = [...answer, ...names, ...certificate, ...proxiesBefore(url, tools)];
    return all.length > 0 ? all : [fine(NAME, 'leads to this server')];
  },
};

function isPrivate(problem: string): Finding {
  return wrong(
    NAME,
    `${problem}: neither vendors nor phones reach it`,
    'Set the URL that the internet has for this server.',
  );
}

async function answerOf(url: string, tools: DoctorTools): Promise<Finding[]> {
  const found = await lookAtServer(url, tools);
  switch (found.is) {
    case 'silent':
      return [
        {
          ...unreachable(NAME, url, describeFailure(found.error)),
          mend: 'Start the server, correct the URL, or mend its name, certificate or proxy.',
        },
      ];
    case 'redirect':
      return [
        wrong(NAME, `is redirected to ${found.to}`, 'Set the URL that answers by itself: vendors follow no redirect.'),
      ];
    case 'foreign':
      return [
        wrong(
          NAME,
          `leads to something that is not Rendio (${found.answer})`,
          'Start the server, or correct the URL, its path, or the proxy before it.',
        ),
      ];
    case 'other':
      return [
        wrong(
          NAME,
          'leads to another server: its keys are not those of JWT_PRIVATE_KEY',
          'Correct the URL, or restart the server there with this environment.',
        ),
      ];
    case 'own':
      return [];
  }
}

/** From inside a network its names may lead to private addresses: the vendors' view is not known here. */
async function resolved(hostname: string, { network, config }: DoctorTools): Promise<Finding[]> {
  if (config.settings.environment === 'development') return [];
  const addresses = await network.lookup(hostname).catch(() => []);
  if (addresses.length === 0 || addresses.some(isPublicIp)) return [];
  return [
    warning(
      NAME,
      'leads to a private address from here',
      'Make sure that its name leads to a public one outside your network.',
    ),
  ];
}

async function certificateOf(url: string, { network, clock }: DoctorTools): Promise<Finding[]> {
  if (!url.startsWith('https:')) return [];
  const { certificateEndsAt } = await network.connect(url).catch(() => ({ certificateEndsAt: null }));
  const days = certificateEndsAt && Math.floor((certificateEndsAt.getTime() - clock.now().getTime()) / DAY_MS);
  if (days === null || days >= CERTIFICATE_DAYS_MIN) return [];
  return [
    warning(
      NAME,
      `has a certificate that ends in ${days} days`,
      'Renew it, and see why that does not happen by itself.',
    ),
  ];
}

/** This server speaks plain http: what answers with TLS is a proxy. */
function proxiesBefore(url: string, { config }: DoctorTools): Finding[] {
  const { environment, server } = config.settings;
  const isBehindProxy = url.startsWith('https:');
  if (isBehindProxy && server.trustedProxyHops === 0 && environment !== 'development')
    return [
      warning(
        'TRUSTED_PROXY_HOPS',
        'is 0, and a proxy speaks TLS before this server: all users then share its IP address, and the limits per address',
        'Set how many proxies of your own add to X-Forwarded-For (not needed on edge functions).',
      ),
    ];
  if (!isBehindProxy && server.trustedProxyHops > 0 && new URL(url).port === String(server.port))
    return [
      warning(
        'TRUSTED_PROXY_HOPS',
        'trusts a proxy, and PUBLIC_URL names this server’s own port: callers then choose their IP address',
        'Set it to 0, or PUBLIC_URL to the proxy.',
      ),
    ];
  return [];
}
