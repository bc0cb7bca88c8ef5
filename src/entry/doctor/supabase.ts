import { z } from 'zod';
import { BUCKETS } from '../../media/object-path.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, untried, warning, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';

const URL_NAME = 'SUPABASE_URL';
const ANON = 'SUPABASE_ANON_KEY';
const SERVICE = 'SUPABASE_SERVICE_ROLE_KEY';
const COPY = 'Copy it from Project Settings → API keys of the project that SUPABASE_URL names.';

const Claims = z.object({ role: z.string().optional(), ref: z.string().optional() });
const Settings = z.object({ disable_signup: z.boolean().optional() });
const Buckets = z.array(z.object({ id: z.string(), public: z.boolean().optional() }));
const Keys = z.object({ keys: z.array(z.object({ kid: z.string().optional() })) });

type Project = { url: string; anonKey: string; serviceRoleKey: string };

export const supabase: Check = {
  title: 'Supabase',
  variable: URL_NAME,
  async run(tools) {
    const found = tools.config.secrets.supabase;
    if (!found) return [];
    const project: Project = {
      url: found.url,
      anonKey: found.anonKey.reveal(),
      serviceRoleKey: found.serviceRoleKey.reveal(),
    };
    const forms = [
      ...keyForm(ANON, project.anonKey, 'anon', project),
      ...keyForm(SERVICE, project.serviceRoleKey, 'service_role', project),
      ...databaseOf(project, tools),
    ];
    if (forms.some(({ name }) => name === ANON || name === SERVICE)) return forms;
    try {
      const asked = [tryAnonKey(project, tools), tryServiceKey(project, tools), trySigningKey(project, tools)];
      return [...forms, ...(await Promise.all(asked)).flat()];
    } catch (error) {
      return [...forms, unreachable(URL_NAME, project.url, describeFailure(error))];
    }
  },
};

function refIn(host: string): string | undefined {
  return /^([a-z]{16,})\.supabase\.(?:co|in|red)$/.exec(host)?.[1];
}

/** The older keys are tokens that say whose they are; the newer ones begin with what they are. */
function keyForm(name: string, key: string, role: 'anon' | 'service_role', { url }: Project): Finding[] {
  const newer = role === 'anon' ? 'sb_publishable_' : 'sb_secret_';
  if (key.startsWith('sb_'))
    return key.startsWith(newer) ? [] : [wrong(name, `is no key that begins with ${newer}`, COPY)];
  const claims = claimsOf(key);
  if (!claims) return [];
  if (claims.role !== undefined && claims.role !== role)
    return [wrong(name, `is the key of the role ${claims.role}, not of ${role}`, COPY)];
  const ref = refIn(new URL(url).hostname);
  if (ref && claims.ref !== undefined && claims.ref !== ref)
    return [wrong(name, 'is the key of another project', COPY)];
  return [];
}

function claimsOf(key: string): z.infer<typeof Claims> | null {
  const [, payload = ''] = key.split('.');
  try {
    return Claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  } catch {
    return null;
  }
}

function databaseOf({ url }: Project, { given }: DoctorTools): Finding[] {
  const ref = refIn(new URL(url).hostname);
  return (['DATABASE_URL', 'DATABASE_DIRECT_URL'] as const).flatMap((name) => {
    const text = given[name];
    if (!ref || !text || !URL.canParse(text)) return [];
    const { hostname, username } = new URL(text);
    const other = /^db\.([a-z]+)\.supabase\./.exec(hostname)?.[1] ?? /^\w+\.([a-z]{16,})$/.exec(username)?.[1];
    if (other === undefined || other === ref) return [];
    return [wrong(name, 'is of another project than SUPABASE_URL', 'Copy it from Connect of the same project.')];
  });
}

async function ask({ url }: Project, path: string, key: string | null, { fetch }: DoctorTools) {
  // As Supabase's own clients send it, be it a token or one of the newer keys.
  const headers = key === null ? {} : { apikey: key, Authorization: `Bearer ${key}` };
  const response = await fetch(`${url}${path}`, { headers, redirect: 'manual' });
  return { status: response.status, body: (await response.json().catch(() => null)) as unknown };
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

async function tryAnonKey(project: Project, tools: DoctorTools): Promise<Finding[]> {
  const { status, body } = await ask(project, '/auth/v1/settings', project.anonKey, tools);
  if (isRefusal(status)) return [wrong(ANON, `is refused by Supabase (answered ${status})`, COPY)];
  const settings = status === 200 ? Settings.safeParse(body).data : undefined;
  if (!settings) return [unreachable(URL_NAME, project.url, `it answers ${status} and not as Supabase does`)];
  if (settings.disable_signup !== false) return [fine(ANON, 'is accepted by Supabase')];
  return [
    warning(
      URL_NAME,
      'names a project with sign-ups of its own, whose users Rendio does not know',
      'Run: npx supabase config push',
    ),
  ];
}

async function tryServiceKey(project: Project, tools: DoctorTools): Promise<Finding[]> {
  const { status, body } = await ask(project, '/storage/v1/bucket', project.serviceRoleKey, tools);
  // Storage has answered newer keys so, where the gateway before it did not know them.
  if (status === 400 && project.serviceRoleKey.startsWith('sb_'))
    return [untried(SERVICE, 'is not tried: Storage takes no newer key directly here')];
  if (isRefusal(status) || status === 400) return [wrong(SERVICE, `is refused by Supabase (answered ${status})`, COPY)];
  const buckets = status === 200 ? Buckets.safeParse(body).data : undefined;
  if (!buckets) return [unreachable(URL_NAME, project.url, `it answers ${status} and not as Supabase does`)];
  const findings = BUCKETS.flatMap((name) => {
    const bucket = buckets.find(({ id }) => id === name);
    if (!bucket) return [wrong(URL_NAME, `names a project without the bucket ${name}`, 'Run: npx supabase db push')];
    if (bucket.public !== true) return [];
    return [
      wrong(
        URL_NAME,
        `names a project whose bucket ${name} is public: everyone may read it`,
        'Make it private in the dashboard (Storage).',
      ),
    ];
  });
  return findings.length > 0 ? findings : [fine(SERVICE, 'is accepted by Supabase, and its buckets are private')];
}

/** Without it, Supabase's own doors do not believe the tokens that Rendio signs. */
async function trySigningKey(project: Project, tools: DoctorTools): Promise<Finding[]> {
  const kid = await tools.signingKeyId();
  const { status, body } = await ask(project, '/auth/v1/.well-known/jwks.json', null, tools);
  const keys = status === 200 ? Keys.safeParse(body).data?.keys : undefined;
  if (kid === null || !keys) return [];
  if (keys.some((key) => key.kid === kid)) return [fine('JWT_PRIVATE_KEY', 'is known to Supabase')];
  return [
    wrong(
      'JWT_PRIVATE_KEY',
      'is not known to Supabase, whose Storage and Realtime refuse the tokens that it signs',
      'Import it in Project Settings → JWT Keys, and rotate to it (docs/supabase.md, step 3).',
    ),
  ];
}
