import { StartupError } from '../kernel/startup-error.ts';
import type { ProviderManifest } from '../providers/manifest.ts';
import { MANIFESTS } from '../providers/manifests.ts';
import { providerSchema } from './config/providers.ts';
import { complaintsAbout } from './config/rules.ts';
import { type Secrets, secretsOf } from './config/secrets.ts';
import { type Settings, settingsOf } from './config/settings.ts';
import { type Complaint, examplesOf, type Given, givenIn, type Values, variables } from './config/variables.ts';
import { misspellings, plainUrls, shortKeys } from './config/warnings.ts';

/**
 * The whole configuration: what may be shown, apart from what may not. `appleRoots`: certificates in DER that replace Apple's own;
 * null: none do. `warnings`: sentences for the log.
 */
export type Config = {
  settings: Settings;
  secrets: Secrets;
  appleRoots: readonly Uint8Array[] | null;
  warnings: string[];
};

export type ConfigOptions = {
  /** The providers that there may be. */
  manifests?: readonly ProviderManifest[];
};

type Reading = { values: Values; complaints: [] } | { values: undefined; complaints: Complaint[] };

async function readEach(given: Given, manifests: readonly ProviderManifest[]): Promise<Reading> {
  const [own, providers] = await Promise.all([
    variables.safeParseAsync(given),
    providerSchema(manifests).safeParseAsync(given),
  ]);
  if (own.success && providers.success) return { values: { ...own.data, providers: providers.data }, complaints: [] };
  const issues = [...(own.error?.issues ?? []), ...(providers.error?.issues ?? [])];
  return {
    values: undefined,
    complaints: issues.map(({ path, message }) => ({ name: String(path[0]), problem: message })),
  };
}

/** One line per variable, in the table's order; then those that are misspelt, which may be why one is missing. */
function refusal(complaints: Complaint[], examples: ReadonlyMap<string, string>, misspelt: string[]): StartupError {
  const lines = [...examples].flatMap(([name, example]) => {
    const problems = new Set(complaints.filter((complaint) => complaint.name === name).map(({ problem }) => problem));
    return problems.size === 0 ? [] : [`  ${name} ${[...problems].join('; ')}. Example: ${name}=${example}`];
  });
  const all = [...lines, ...misspelt.map((sentence) => `  ${sentence}.`)];
  return new StartupError(`The environment cannot be used. Set these right and start again:\n${all.join('\n')}`);
}

/** Reads an environment. Everything missing or unusable is reported at once, by name, in one StartupError. */
export async function readConfig(
  env: Record<string, string | undefined>,
  { manifests = MANIFESTS }: ConfigOptions = {},
): Promise<Config> {
  const examples = examplesOf(manifests);
  const given = givenIn(env, examples.keys());
  const environment = variables.shape.ENVIRONMENT.safeParse(given.ENVIRONMENT).data;
  const { values, complaints } = await readEach(given, manifests);
  const all = [...complaints, ...complaintsAbout(given, environment, manifests)];
  const misspelt = misspellings(env, examples.keys());
  if (!values || all.length > 0) throw refusal(all, examples, misspelt);
  const warnings = [...misspelt, ...shortKeys(given, manifests), ...plainUrls(given, values.ENVIRONMENT)];
  const appleRoots = values.APPLE_ROOT_CERTS?.certificates ?? null;
  return { settings: settingsOf(values, manifests), secrets: secretsOf(values, manifests), appleRoots, warnings };
}
