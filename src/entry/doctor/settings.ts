import { isLoopback } from '../../app/loopback.ts';
import { mayBePublic } from '../../kernel/public-ip.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, warning } from './finding.ts';

/** Values that are allowed and seldom meant, outside development. */
export const settings: Check = {
  title: 'settings',
  variable: 'ENVIRONMENT',
  async run(tools) {
    if (tools.config.settings.environment === 'development') return [];
    return [...corsOrigins(tools), ...mediaHosts(tools), ...inProduction(tools), ...logLevel(tools)];
  },
};

function corsOrigins({ config }: DoctorTools): Finding[] {
  const name = 'CORS_ORIGINS';
  const { corsOrigins: origins } = config.settings.server;
  if (origins === '*')
    return [warning(name, 'lets every website call this server', 'Name the origins of your own pages.')];
  const local = origins.filter((origin) => isLoopback(hostOf(origin)));
  const plain = origins.filter((origin) => origin.startsWith('http:') && !local.includes(origin));
  return [
    ...(local.length > 0 ? [warning(name, `names a developer’s own page: ${local.join(', ')}`, 'Leave it out.')] : []),
    ...(plain.length > 0
      ? [warning(name, `names a page that is plain http: ${plain.join(', ')}`, 'Serve it by https, and name it so.')]
      : []),
  ];
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : '';
}

/** In production files are fetched from public hosts alone. */
function mediaHosts({ config }: DoctorTools): Finding[] {
  if (config.settings.environment !== 'production') return [];
  const inside = config.settings.mediaAllowedHosts.filter((host) => !mayBePublic(hostOf(`https://${host}`)));
  if (inside.length === 0) return [];
  return [
    warning(
      'MEDIA_ALLOWED_HOSTS',
      `names hosts that are not public: ${inside.join(', ')}`,
      'Leave them out: nothing is fetched from there in production.',
    ),
  ];
}

function inProduction({ config }: DoctorTools): Finding[] {
  if (config.settings.environment !== 'production' || config.settings.apple.sandboxPurchases === 'refuse') return [];
  return [
    warning(
      'APPLE_SANDBOX_PURCHASES',
      'gives credits for purchases that cost nothing',
      'Set it to refuse once testers and App Review are done.',
    ),
  ];
}

function logLevel({ config }: DoctorTools): Finding[] {
  const { logLevel: level } = config.settings.server;
  if (level !== 'silent' && level !== 'fatal') return [];
  return [warning('LOG_LEVEL', `is ${level}: a failure leaves no trace`, 'Set info, or warn.')];
}
