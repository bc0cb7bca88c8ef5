/**
 * Runs under Deno: every edge function behind one port, as Supabase's gateway has them. A request to
 * /functions/v1/<name>/… reaches that function alone, which sees /<name>/….
 */
import process from 'node:process';
import { type DenoRuntime, deno, type Handler } from '../../../src/entry/door/runtime.ts';

const PREFIX = '/functions/v1';
const runtime = deno();
const { serve } = runtime;
const handlers = new Map<string, Handler>();

/** Loads a function and keeps its handler under its name, instead of opening a port for it. */
async function load(name: string): Promise<void> {
  const capture: DenoRuntime['serve'] = (_options, handler) => {
    handlers.set(name, handler);
    return { addr: { port: 0 }, finished: Promise.resolve(), shutdown: async () => {} };
  };
  Object.assign(runtime, { serve: capture });
  await import(new URL(`../../../supabase/functions/${name}/index.ts`, import.meta.url).href);
  Object.assign(runtime, { serve });
}

for (const name of (process.env.FUNCTIONS ?? '').split(',')) await load(name);

const served = serve(
  { port: Number(process.env.PORT ?? 0), hostname: '127.0.0.1', onListen: () => {} },
  (request, info) => {
    const url = new URL(request.url);
    const name = url.pathname.startsWith(`${PREFIX}/`) ? (url.pathname.slice(PREFIX.length).split('/')[1] ?? '') : '';
    const handler = handlers.get(name);
    if (!handler) return new Response('Function not found', { status: 404 });
    url.pathname = url.pathname.slice(PREFIX.length);
    return handler(new Request(url, request), info);
  },
);
console.log(`http://127.0.0.1:${served.addr.port}${PREFIX}`);
