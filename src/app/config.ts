import { StartupError } from '../kernel/startup-error.ts';
import { type Complaint, complaintsAbout } from './config/rules.ts';
import { type Secrets, secretsOf } from './config/secrets.ts';
import { type Settings, settingsOf } from './config/settings.ts';
import { exampleOf, type Given, givenIn, VARIABLE_NAMES, type Values, variables } from './config/variables.ts';

/** The whole configuration: what may be shown, apart from what may not. */
export type Config = { settings: Settings; secrets: Secrets };

type Reading = { values: Values; complaints: [] } | { values: undefined; complaints: Complaint[] };

async function readEach(given: Given): Promise<Reading> {
  const read = await variables.safeParseAsync(given);
  if (read.success) return { values: read.data, complaints: [] };
  const complaints = read.error.issues.flatMap(({ path, message }) => {
    const name = VARIABLE_NAMES.find((known) => known === path[0]);
    return name ? [{ name, problem: message }] : [];
  });
  return { values: undefined, complaints };
}

/** One line per variable, in the table's order. */
function refusal(complaints: Complaint[]): StartupError {
  const lines = VARIABLE_NAMES.flatMap((name) => {
    const problems = new Set(complaints.filter((complaint) => complaint.name === name).map(({ problem }) => problem));
    return problems.size === 0 ? [] : [`  ${name} ${[...problems].join('; ')}. Example: ${name}=${exampleOf(name)}`];
  });
  return new StartupError(`The environment cannot be used. Set these right and start again:\n${lines.join('\n')}`);
}

/** Reads an environment. Everything missing or unusable is reported at once, by name, in one StartupError. */
export async function readConfig(env: Record<string, string | undefined>): Promise<Config> {
  const given = givenIn(env);
  const environment = variables.shape.ENVIRONMENT.safeParse(given.ENVIRONMENT).data;
  const { values, complaints } = await readEach(given);
  const all = [...complaints, ...complaintsAbout(given, environment)];
  if (!values || all.length > 0) throw refusal(all);
  return { settings: settingsOf(values), secrets: secretsOf(values) };
}
