/** The providers' own variables, as their manifests declare them, and what their values mean. */
import { z } from 'zod';
import type { CredentialVariable, ProviderManifest } from '../../providers/manifest.ts';
import type { ProviderName } from '../../providers/provider.ts';
import { Secret } from './secret.ts';

type Manifests = readonly ProviderManifest[];

/** The values of the providers' variables, by their names. */
export type ProviderValues = Readonly<Record<string, string | undefined>>;

/** By provider, and by the name that its manifest gives to each of them. */
export type ProviderUrls = Readonly<Record<ProviderName, Readonly<Record<string, string>>>>;
/** A provider whose credentials are not all set is absent. */
export type ProviderSecrets = Readonly<Record<ProviderName, Readonly<Record<string, Secret>>>>;

export function credentialVariables(manifests: Manifests) {
  return manifests.flatMap(({ credentials }) => Object.values(credentials));
}

/** Several providers of one vendor may have the same one. */
export function urlVariables(manifests: Manifests) {
  return manifests.flatMap(({ urls }) => Object.values(urls));
}

export function providerSchema(manifests: Manifests) {
  const all = [...credentialVariables(manifests), ...urlVariables(manifests)];
  return z.object(Object.fromEntries(all.map(({ name, schema }) => [name, schema])));
}

export function urlsOf(values: ProviderValues, manifests: Manifests): ProviderUrls {
  return Object.fromEntries(
    manifests.map(({ name, urls }) => {
      const entries = Object.entries(urls).map(([role, variable]) => [role, values[variable.name] ?? '']);
      return [name, Object.fromEntries(entries)];
    }),
  );
}

export function credentialsOf(values: ProviderValues, manifests: Manifests): ProviderSecrets {
  const found: Record<ProviderName, Record<string, Secret>> = {};
  for (const { name, credentials } of manifests) {
    const secrets = Object.entries(credentials).flatMap(([role, variable]) => {
      const value = readVariable(variable, values);
      return value === undefined ? [] : [[role, new Secret(value)] as const];
    });
    if (secrets.length === Object.keys(credentials).length) found[name] = Object.fromEntries(secrets);
  }
  return found;
}

/** Whether none of the provider's credentials is set: then the real vendor cannot be called. */
export function lacksCredentials({ credentials }: ProviderManifest, values: ProviderValues): boolean {
  return Object.values(credentials).every((variable) => readVariable(variable, values) === undefined);
}

function readVariable({ name, fallback }: CredentialVariable, values: ProviderValues): string | undefined {
  return values[name] ?? (fallback === undefined ? undefined : values[fallback]);
}
