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

/** An environment and all that is wrong with it. `given`: what it sets, trimmed. */
export type ExaminedEnvironment = {
  given: Given;
  /** What is usable of it, with defaults in place of the rest. A server may be started with it where nothing is complained about. */
  config: Config;
  /** One for each variable, in the table's order, with a valid value to show. */
  complaints: (Complaint & { example: string })[];
  misspelt: Complaint[];
  /** What is accepted, and probably a mistake. */
  doubts: Complaint[];
};

type Reading = { values: Values; complaints: Complaint[] };

/** Where a variable is invalid, the values are those of an environment without it. */
async function readEach(given: Given, manifests: readonly ProviderManifest[]): Promise<Reading> {
  const [own, providers] = await Promise.all([
    variables.safeParseAsync(given),
    providerSchema(manifests).safeParseAsync(given),
  ]);
  if (own.success && providers.success) return { values: { ...own.data, providers: providers.data }, complaints: [] };
  const issues = [...(own.error?.issues ?? []), ...(providers.error?.issues ?? [])];
  const complaints = issues.map(({ path, message }) => ({ name: String(path[0]), problem: message }));
  return { values: (await readEach(without(given, complaints), manifests)).values, complaints };
}

function without(given: Given, complaints: Complaint[]): Given {
  const names = new Set(complaints.map(({ name }) => name));
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.has(name)));
}

/** Reads an environment to the end, whatever is wrong with it. */
export async function examineEnvironment(
  env: Record<string, string | undefined>,
  { manifests = MANIFESTS }: ConfigOptions = {},
): Promise<ExaminedEnvironment> {
  const examples = examplesOf(manifests);
  const given = givenIn(env, examples.keys());
  const environment = variables.shape.ENVIRONMENT.safeParse(given.ENVIRONMENT).data;
  const read = await readEach(given, manifests);
  const complaints = [...read.complaints, ...complaintsAbout(given, environment, manifests)];
  // A value that is refused is not used either: a key is not sent to a URL without https.
  const { values } = complaints.length === 0 ? read : await readEach(without(given, complaints), manifests);
  const misspelt = misspellings(env, examples.keys());
  const doubts = [...shortKeys(given, manifests), ...plainUrls(given, values.ENVIRONMENT)];
  const config: Config = {
    settings: settingsOf(values, manifests),
    secrets: secretsOf(values, manifests),
    appleRoots: values.APPLE_ROOT_CERTS?.certificates ?? null,
    warnings: [...misspelt, ...doubts].map(({ name, problem }) => `${name} ${problem}`),
  };
  return { given, config, complaints: oneForEach(complaints, examples), misspelt, doubts };
}

function oneForEach(complaints: Complaint[], examples: ReadonlyMap<string, string>): ExaminedEnvironment['complaints'] {
  return [...examples].flatMap(([name, example]) => {
    const problems = new Set(complaints.filter((complaint) => complaint.name === name).map(({ problem }) => problem));
    return problems.size === 0 ? [] : [{ name, problem: [...problems].join('; '), example }];
  });
}

/** One line per variable; then those that are misspelt, which may be why one is missing. */
function refusal({ complaints, misspelt }: ExaminedEnvironment): StartupError {
  const lines = [
    ...complaints.map(({ name, problem, example }) => `  ${name} ${problem}. Example: ${name}=${example}`),
    ...misspelt.map(({ name, problem }) => `  ${name} ${problem}.`),
  ];
  return new StartupError(`The environment cannot be used. Set these right and start again:\n${lines.join('\n')}`);
}

/** Reads an environment. Everything missing or unusable is reported at once, by name, in one StartupError. */
export async function readConfig(
  env: Record<string, string | undefined>,
  options: ConfigOptions = {},
): Promise<Config> {
  const examined = await examineEnvironment(env, options);
  if (examined.complaints.length > 0) throw refusal(examined);
  return examined.config;
}
