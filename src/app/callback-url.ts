/** The callback URL of each provider: where it can reach this server, for its webhooks and for images. */
import { mayBePublic } from '../kernel/public-ip.ts';
import type { ProviderName, VideoProvider } from '../providers/provider.ts';
import { isLoopback } from './loopback.ts';
import type { ProviderAccess } from './vendor-connections.ts';

/** Base URLs without a slash at the end. */
export type CallbackOptions = {
  publicUrl: string | undefined;
  providers: ReadonlyMap<ProviderName, ProviderAccess>;
  /** Where this machine's own processes reach the server; null where it has no port, or not yet. */
  localUrl(): string | null;
};

/** The base URL to give to a provider, or null where it cannot reach this server at any. */
export function callbackUrls(options: CallbackOptions): (provider: Pick<VideoProvider, 'name'>) => string | null {
  const { publicUrl, providers, localUrl } = options;
  return ({ name }) => {
    const access = providers.get(name);
    if (!access) return null;
    const { manifest, connection, isSimulated } = access;
    const vendorUrl = manifest.callbacksFrom === null ? undefined : connection.urls[manifest.callbacksFrom];
    if (vendorUrl === undefined) return null;
    if (isSimulated) return localUrl() ?? publicUrl ?? null;
    if (publicUrl !== undefined) {
      // The real vendors drop URLs that are not public; a stand-in of theirs may be on any network.
      return isPublic(publicUrl) || !isPublic(vendorUrl) ? publicUrl : null;
    }
    return isLoopback(new URL(vendorUrl).hostname) ? localUrl() : null;
  };
}

/** Where processes of this machine reach a server that listens there. */
export function localUrlOf({ host, port }: { host: string; port: number }): string | null {
  if (port === 0) return null;
  if (host === '0.0.0.0' || host === 'localhost') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isPublic(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' && mayBePublic(hostname);
}
