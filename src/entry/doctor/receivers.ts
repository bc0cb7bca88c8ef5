import { isPublicIp } from '../../kernel/public-ip.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, untried, warning, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';

const ALERTS = 'ALERT_WEBHOOK_URL';
const OUTGOING = 'OUTGOING_WEBHOOK_URL';
const SECRET = 'OUTGOING_WEBHOOK_SECRET';
/** Standard Webhooks: 24 to 64 bytes in base64. */
const SECRET_BYTES = { min: 24, max: 64 };

/** Receivers of alerts and of outgoing webhooks: a connection is opened, and nothing is sent that they might act on. */
export const receivers: Check = {
  title: 'receivers of alerts and webhooks',
  variable: ALERTS,
  async run(tools) {
    const urls = [ALERTS, OUTGOING].filter((name) => settingOf(tools, name) !== undefined);
    const found = await Promise.all(urls.map((name) => tryReceiver(name, settingOf(tools, name) ?? '', tools)));
    return [...found.flat(), ...secretFindings(tools), ...traceCollector(tools)];
  },
};

function settingOf({ env, complaints }: DoctorTools, name: string): string | undefined {
  return complaints.some((complaint) => complaint.name === name) ? undefined : env[name]?.trim() || undefined;
}

async function tryReceiver(name: string, url: string, { network, config, env }: DoctorTools): Promise<Finding[]> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return [wrong(name, 'is no http(s) URL', `Example: ${name}=https://hooks.example.com/…`)];
  const { hostname, protocol } = new URL(url);
  const { environment } = config.settings;
  // The connection would lead past the proxy.
  if (env.NODE_USE_ENV_PROXY && (env.HTTPS_PROXY || env.https_proxy))
    return [untried(name, 'is not tried: it is reached through the proxy of HTTPS_PROXY')];
  try {
    await network.connect(url);
  } catch (error) {
    return [unreachable(name, url, describeFailure(error))];
  }
  const addresses = await network.lookup(hostname.replace(/^\[|\]$/g, '')).catch(() => []);
  const isInside = addresses.length > 0 && !addresses.some(isPublicIp);
  if (name === OUTGOING && environment === 'production' && isInside)
    return [
      wrong(name, 'leads to a private address, to which no webhook is sent', 'Set a URL that the internet reaches.'),
    ];
  if (name === OUTGOING && environment !== 'development' && protocol === 'http:')
    return [warning(name, 'is plain http: what is sent there can be read on the way', 'Use https.')];
  return [untried(name, 'is reachable; nothing was sent, so whether it takes messages shows with the first one')];
}

function secretFindings(tools: DoctorTools): Finding[] {
  const [url, secret] = [settingOf(tools, OUTGOING), settingOf(tools, SECRET)];
  const example = 'Make one with: echo whsec_$(openssl rand -base64 32)';
  if (url && !secret) return [wrong(SECRET, `is missing: ${OUTGOING} cannot be used without it`, example)];
  if (!secret) return [];
  if (!url)
    return [
      wrong(
        OUTGOING,
        `is missing: ${SECRET} cannot be used without it`,
        'Set the receiver’s URL, or remove the secret.',
      ),
    ];
  const [, encoded = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const { length } = Buffer.from(encoded, 'base64');
  if (length >= SECRET_BYTES.min && length <= SECRET_BYTES.max) return [fine(SECRET, 'has the right form')];
  return [wrong(SECRET, 'is no secret of Standard Webhooks (whsec_ and 24 to 64 bytes in base64)', example)];
}

function traceCollector(tools: DoctorTools): Finding[] {
  return ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
    .filter((name) => {
      const url = settingOf(tools, name);
      return url !== undefined && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '');
    })
    .map((name) => wrong(name, 'is no http(s) URL', `Example: ${name}=http://localhost:4318`));
}
