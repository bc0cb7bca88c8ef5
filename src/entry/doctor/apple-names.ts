import { isAuthority, isValidAt, parseCertificate } from '../../apple/app-store/certificate.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, untried, warning, wrong } from './finding.ts';

const TEN = /^[A-Z0-9]{10}$/;
const SHAPES: [names: string[], shape: RegExp, mend: string][] = [
  [['APPLE_TEAM_ID'], TEN, 'It has ten capital letters and digits, shown under Membership of the developer account.'],
  [
    ['APPLE_KEY_ID', 'APPLE_DEVICECHECK_KEY_ID', 'APPLE_SIGNIN_KEY_ID', 'APPLE_APNS_KEY_ID'],
    TEN,
    'It has ten capital letters and digits, as in the name of the key’s file.',
  ],
  [
    ['APPLE_ISSUER_ID'],
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    'It is a UUID, shown above the In-App Purchase keys in App Store Connect.',
  ],
];

/** What of Apple's names and certificates can be judged without Apple. */
export const appleNames: Check = {
  title: 'Apple’s names and certificates',
  variable: 'APPLE_BUNDLE_ID',
  async run(tools) {
    const { given } = tools;
    const value = (name: string) => given[name as keyof typeof given];
    const shapes = SHAPES.flatMap(([names, shape, mend]) =>
      names
        .filter((name) => value(name) !== undefined && !shape.test(value(name) ?? ''))
        .map((name) => warning(name, 'does not look like one of Apple’s', mend)),
    );
    const push = given.APPLE_APNS_PRIVATE_KEY
      ? [untried('APPLE_APNS_PRIVATE_KEY', 'is not tried: Apple looks at it with the first push')]
      : [];
    return [...shapes, ...bundleId(tools), ...rootCertificates(tools), ...push];
  },
};

function bundleId({ given }: DoctorTools): Finding[] {
  const { APPLE_BUNDLE_ID: id, APPLE_TEAM_ID: team } = given;
  if (!id || !team || !id.startsWith(`${team}.`)) return [];
  return [
    wrong(
      'APPLE_BUNDLE_ID',
      'begins with the team’s id',
      `Leave ${team}. out: tokens and purchases name the bundle id alone.`,
    ),
  ];
}

function rootCertificates({ config, clock }: DoctorTools): Finding[] {
  if (!config.appleRoots) return [];
  const certificates = config.appleRoots.map(parseCertificate);
  const name = 'APPLE_ROOT_CERTS';
  const mend = 'Unset it to trust Apple’s own root, or name the root certificates themselves.';
  if (!certificates.every((certificate) => isValidAt(certificate, clock.now())))
    return [wrong(name, 'holds a certificate that is not valid today', mend)];
  if (!certificates.every(isAuthority)) return [wrong(name, 'holds a certificate that may not issue others', mend)];
  if (config.settings.environment !== 'production') return [];
  return [warning(name, 'replaces Apple’s root: who has its key makes purchases', mend)];
}
