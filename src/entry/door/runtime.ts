/** The part of Deno, and of Supabase's edge runtime on top of it, that these entries use. */

/** Comes with each request: the remote end of its connection. */
export type ServeInfo = { remoteAddr?: { hostname?: string } };
export type Handler = (request: Request, info: ServeInfo) => Response | Promise<Response>;
export type Served = { addr: { port: number }; finished: Promise<void>; shutdown(): Promise<void> };

export type DenoRuntime = {
  serve(options: { port?: number; hostname?: string; onListen?: () => void }, handler: Handler): Served;
  env: { toObject(): Record<string, string> };
  version: { deno: string };
};

/** The runtime's own object. Throws outside Deno. */
export function deno(): DenoRuntime {
  const found: unknown = Reflect.get(globalThis, 'Deno');
  if (!isRuntime(found)) throw new TypeError('this entry runs under Deno: deno run -A src/entry/deno.ts');
  return found;
}

/** Deno's types are not installed; only the members above are used. */
function isRuntime(found: unknown): found is DenoRuntime {
  return typeof found === 'object' && found !== null && 'serve' in found && 'env' in found;
}

/** The IP address at the remote end of the request's connection, as the runtime passes it to the application. */
export function remoteIpOf(env: unknown): string | undefined {
  const { remoteAddr }: ServeInfo = Object(env);
  return remoteAddr?.hostname;
}
