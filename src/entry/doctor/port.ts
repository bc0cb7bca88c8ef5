import { once } from 'node:events';
import { createServer } from 'node:net';
import { localUrlOf } from '../../app/callback-url.ts';
import { errorCodeOf, errorLabel } from '../../kernel/error-code.ts';
import type { Check } from './check.ts';
import { fine, wrong } from './finding.ts';
import { lookAtServer } from './server.ts';

/** Whether a start could listen; a server that runs already may hold the port. */
export const port: Check = {
  title: 'the port',
  variable: 'PORT',
  async run(tools) {
    const { port: number, host } = tools.config.settings.server;
    const error = await listenError(number, host);
    if (error === null) return [fine('PORT', 'is free')];
    const code = errorCodeOf(error);
    if (code === 'EACCES') return [wrong('PORT', `${number} may not be used by this user`, 'Choose one above 1023.')];
    if (code !== 'EADDRINUSE')
      return [
        wrong('HOST', `is no address of this machine (${errorLabel(error)})`, 'Set one that it has, or 0.0.0.0.'),
      ];
    const url = localUrlOf({ host, port: number });
    const found = url && (await lookAtServer(url, tools));
    if (found && found.is === 'own') return [fine('PORT', 'is in use by this server')];
    const whom = found && found.is === 'other' ? 'another Rendio' : 'another program';
    return [
      wrong('PORT', `${number} is taken by ${whom}`, `Stop that, or choose another, such as PORT=${number + 1}.`),
    ];
  },
};

async function listenError(number: number, host: string): Promise<unknown> {
  const server = createServer();
  try {
    server.listen(number, host);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return null;
  } catch (error) {
    return error;
  }
}
