import { isPublicIp } from '../../kernel/public-ip.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, untried, warning, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';

const ALERTS = 'ALERT_WEBHOOK_URL';
const OUTGOING = 'OUTGOING_WEBHOOK_URL';

/** Receivers of alerts and of outgoing webhooks: a connection is opened, and nothing is sent that they might act on. */
export const receivers: Check = {
  title: 'receivers of alerts and webhooks',
  variable: ALERTS,
  async run(tools) {
    const urls = [ALERTS, OUTGOING].filter((name) => settingOf(tools, name) !== undefined);
    const found = await Promise.all(urls.map((name) => tryReceiver(name, settingOf(tools, name) ?? '', tools)));
    return [...found.flat(), ...traceCollector(tools)];
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

function traceCollector(tools: DoctorTools): Finding[] {
  return ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
    .filter((name) => {
      const url = settingOf(tools, name);
      return url !== undefined && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '');
    })
    .map((name) => wrong(name, 'is no http(s) URL', `Example: ${name}=http://localhost:4318`));
}
