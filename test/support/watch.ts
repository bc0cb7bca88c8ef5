/**
 * Loaded into a server before its own code (`NODE_OPTIONS=--import=…`): blocks the network, and writes a line to
 * WATCH_FILE for each host that the server tried to reach, and for each simulator file that it loaded.
 */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { Socket } from 'node:net';

/** The checkout itself may be in a folder of this name. */
const SIMULATORS = new URL('../../sim/', import.meta.url).href;
const LOOPBACK = /^(?:localhost|127\..*|::1)$/;

function note(line: string): void {
  const { WATCH_FILE } = process.env;
  if (WATCH_FILE) appendFileSync(WATCH_FILE, `${line}\n`);
}

registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith(SIMULATORS)) note(`loads sim/${url.slice(SIMULATORS.length)}`);
    return nextLoad(url, context);
  },
});

const connect = Socket.prototype.connect;
// Its overloads come down to options, a port and a host, or a path; options may come in an array.
Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  const { host, path } = first instanceof Object ? Object(first) : { host: args[1], path: undefined };
  if (path || host === undefined || LOOPBACK.test(String(host))) return Reflect.apply(connect, this, args);
  note(`reaches ${host}`);
  return this.destroy(Object.assign(new Error('no network in this test'), { code: 'ENETUNREACH' }));
};

note('watches');
