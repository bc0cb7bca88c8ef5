/** What a check of `npm run doctor` is. A new one is a file beside this one, and a line in `checks.ts`. */
import type { ExaminedEnvironment } from '../../app/config.ts';
import type { VendorConnections } from '../../app/vendor-connections.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ProviderManifest } from '../../providers/manifest.ts';
import type { Clocks } from './clocks.ts';
import type { Finding } from './finding.ts';
import type { Network } from './network.ts';

/** The databases of both URLs are tried; `variables` are named for each of them. Null: there is none to try. */
export type FoundDatabase = {
  url: string;
  directUrl: string;
  variables: { url: string; directUrl: string };
};

export type DoctorTools = ExaminedEnvironment & {
  env: Record<string, string | undefined>;
  manifests: readonly ProviderManifest[];
  /** The vendors that would be called for real. */
  connections: VendorConnections;
  /** Absolute. */
  dataDir: string;
  /** Every request has a time limit, and its answer's date is compared with this machine's clock. */
  fetch: typeof fetch;
  network: Network;
  clock: Clock;
  clocks: Clocks;
  /** The database of the environment, or the embedded one of a running server. */
  database(): Promise<FoundDatabase | null>;
  /** The id of the key that signs access tokens; null where there is none yet. */
  signingKeyId(): Promise<string | null>;
};

export type Check = {
  /** What it looks at, while it runs. */
  title: string;
  /** Named if the check itself fails, or takes too long. */
  variable: string;
  run(tools: DoctorTools): Promise<Finding[]>;
};
