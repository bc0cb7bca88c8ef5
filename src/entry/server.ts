import { getConnInfo } from '@hono/node-server/conninfo';
import { localUrlOf } from '../app/callback-url.ts';
import { assemble } from './assemble.ts';
import type { Boot } from './boot.ts';
import { listenOn } from './listen.ts';
import { noteServerUrl } from './server-url.ts';
import type { Work } from './work.ts';

export type HttpServer = {
  /** The URL to show to users. */
  url: string;
  /** Resolves once the port is closed and the requests that had been sent are answered, in bounded time. */
  stop(): Promise<void>;
};

/** Serves the API and the pages on a port. `work` is null if the worker is another process. */
export async function startServer(boot: Boot, work: Work | null): Promise<HttpServer> {
  const { config, log } = boot;
  const { server: settings } = config.settings;
  const api = assemble(boot, {
    socketIpOf: (c) => getConnInfo(c).remote.address,
    isWorking: () => work?.isWorking() ?? null,
  });
  const { port, drain } = await listenOn(api.fetch, {
    port: settings.port,
    host: settings.host,
    variable: 'PORT',
  });
  const host = ['0.0.0.0', '127.0.0.1', '::', '::1'].includes(settings.host) ? 'localhost' : settings.host;
  boot.listening.url = localUrlOf({ host: settings.host, port });
  log.debug({ port }, 'listening');
  const url = settings.publicUrl ?? `http://${host}:${port}`;
  const forgetUrl = await noteServerUrl(settings.dataDir, url, log);
  return {
    url,
    async stop() {
      await forgetUrl();
      await drain();
    },
  };
}
