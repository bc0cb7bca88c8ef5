/** Where a provider can reach this server: for its webhooks, and for the pictures it is to animate. */
import ipaddr from 'ipaddr.js';
import type { ProviderName, VideoProvider } from '../providers/provider.ts';
import type { Settings } from './config/settings.ts';

/** Base URLs without a slash at the end. */
export type CallbackOptions = {
  settings: Pick<Settings, 'server' | 'providers'>;
  /** Those that this process plays itself. */
  simulated: ReadonlySet<ProviderName>;
  /** Where this machine's own processes reach the server; null where it has no port, or not yet. */
  localUrl(): string | null;
};

/** The base URL to give to a provider, or null where it cannot reach this server at any. */
export function callbackUrls(reach: CallbackOptions): (provider: Pick<VideoProvider, 'name'>) => string | null {
  const { server, providers } = reach.settings;
  return ({ name }) => {
    if (name === 'sandbox') return null;
    if (reach.simulated.has(name)) return reach.localUrl() ?? server.publicUrl ?? null;
    const vendorUrl = name === 'runway' ? providers.runwayUrl : providers.falQueueUrl;
    if (server.publicUrl !== undefined) {
      // The real vendors drop what leads nowhere public; a stand-in of theirs may be on any network.
      const isFine = isPublic(server.publicUrl) || !isPublic(vendorUrl);
      return isFine ? server.publicUrl : null;
    }
    return isLoopback(new URL(vendorUrl).hostname) ? reach.localUrl() : null;
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
  if (protocol !== 'https:' || isLoopback(hostname)) return false;
  const address = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(address) ? ipaddr.parse(address).range() === 'unicast' : hostname.includes('.');
}

function isLoopback(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (address === 'localhost' || address.endsWith('.localhost')) return true;
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
