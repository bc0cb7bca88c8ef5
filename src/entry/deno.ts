/** `deno run -A src/entry/deno.ts`: the API and the pages under Deno, with a Node worker on the same database. */
import process from 'node:process';
import { localUrlOf } from '../app/callback-url.ts';
import { createEdgeRuntime } from '../app/edge-runtime.ts';
import { assemble } from './assemble.ts';
import { boot } from './boot.ts';
import { denoBanner } from './door/banner.ts';
import { deno, remoteIpOf, type Served } from './door/runtime.ts';
import { exitWith } from './run.ts';
import { onShutdown } from './shutdown.ts';

/** Event streams have ended by then; only answers to slow clients still run. */
const ANSWER_GRACE_MS = 7_000;

try {
  const startedAt = performance.now();
  const booted = await boot({ env: process.env, canEmbed: false, createRuntime: createEdgeRuntime });
  const { server } = booted.config.settings;
  const api = assemble(booted, {
    socketIpOf: (c) => remoteIpOf(c.env),
    isWorking: () => null,
  });
  const served = deno().serve({ port: server.port, hostname: server.host, onListen: () => {} }, (request, info) =>
    api.fetch(request, info),
  );
  booted.listening.url = localUrlOf({ host: server.host, port: served.addr.port });
  onShutdown(booted.log, async () => {
    booted.stopping.abort();
    await drain(served);
    await booted.close();
  });
  console.log(denoBanner(booted, served.addr.port, performance.now() - startedAt));
} catch (error) {
  exitWith(error);
}

async function drain(served: Served): Promise<void> {
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, ANSWER_GRACE_MS));
  await Promise.race([served.shutdown(), timeout]);
}
