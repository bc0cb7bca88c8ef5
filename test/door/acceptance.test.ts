/**
 * The whole black-box suite against the Deno door, with a Node worker on the same database and folder. The test runner uses
 * only the name of this file: it starts one door itself, and distributes the suite's files over its processes.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { globalSetup, globalTeardown } from '../support/global-setup.ts';
import { startSharedServices } from '../support/shared-services.ts';

after(globalTeardown);
await globalSetup();
await startSharedServices(new Set(['deno-door']));
process.env.ACCEPTANCE_URL = process.env.RENDIO_TEST_DENO_URL;
const folder = join(import.meta.dirname, '..', 'acceptance');
for (const file of globSync('**/*.test.ts', { cwd: folder })) await import(join(folder, file));
