/** How each vendor is reached: with which key, at which address, over the network or inside this process. */
import type { TeamKey } from '../apple/team-token.ts';
import type { ProviderName } from '../providers/provider.ts';
import type { Config } from './config.ts';

/** `baseUrl`s have no slash at the end. */
export type DeviceCheckAccess = { key: TeamKey; baseUrl: string; fetch: typeof fetch };
export type RunwayAccess = { apiKey: string; baseUrl: string; fetch: typeof fetch };
export type FalAccess = { apiKey: string; queueUrl: string; restUrl: string; fetch: typeof fetch };

/** A vendor that is undefined is not there: its feature is switched off. */
export type VendorConnections = {
  deviceCheck?: DeviceCheckAccess | undefined;
  fal?: FalAccess | undefined;
  /** Reached through fal, with a key of its own. */
  pika?: FalAccess | undefined;
  runway?: RunwayAccess | undefined;
  /** The providers that this process plays itself. */
  simulated: ReadonlySet<ProviderName>;
  /** Brings the finished files of those, and of nobody else; it never touches the network. */
  simulatedFetch?: typeof fetch | undefined;
};

/** The vendors that have a key, as they really are; nobody is simulated. */
export function realConnections({ settings, secrets }: Config): VendorConnections {
  const { falQueueUrl: queueUrl, falRestUrl: restUrl, runwayUrl } = settings.providers;
  const { deviceCheck, falKey, pikaKey, runwayKey } = secrets;
  return {
    deviceCheck: deviceCheck && {
      key: { ...deviceCheck, privateKey: deviceCheck.privateKey.reveal() },
      baseUrl: settings.apple.deviceCheckUrl,
      fetch,
    },
    fal: falKey && { apiKey: falKey.reveal(), queueUrl, restUrl, fetch },
    pika: pikaKey && { apiKey: pikaKey.reveal(), queueUrl, restUrl, fetch },
    runway: runwayKey && { apiKey: runwayKey.reveal(), baseUrl: runwayUrl, fetch },
    simulated: new Set(),
  };
}
