/** Tests in a real Chromium, against the real server. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.ts';
import { BROWSER_ARGUMENTS, chromiumPath, isBrowserRequired, NO_CHROMIUM } from './chromium.ts';
import { type SharedServer, startServerOnDatabase, useSharedServer } from './server-on-database.ts';

/** A video takes one or two seconds; the rest allows for a very busy machine. */
const TIMEOUT_MS = 60_000;

export type Visit = { page: Page; server: SharedServer };
export type BrowserTest = (name: string, options: BrowserContextOptions, work: (visit: Visit) => Promise<void>) => void;

type Options = {
  env?: Record<string, string>;
  /** The path of the first page; null: the browser's empty page. */
  path?: string | null;
  /** Starts a server for this file alone: for tests that kill it or start another on its data. */
  start?(): Promise<SharedServer>;
};

/** One for all files of a process. */
let launched: Promise<Browser> | undefined;

async function openBrowser(): Promise<Browser> {
  assert.ok(chromiumPath, NO_CHROMIUM);
  await buildWeb();
  const shared = process.env.RENDIO_TEST_BROWSER_URL;
  return shared ? chromium.connect(shared) : chromium.launch({ executablePath: chromiumPath, args: BROWSER_ARGUMENTS });
}
after(async () => {
  await (await launched?.catch(() => null))?.close();
});

/**
 * Each test runs as a first-time visitor (a new browser context) in the run's browser and, without `env` and `start`,
 * on the run's server. Without Chromium there are no tests: test/browser/chromium.test.ts says why, once for all files.
 * A file's server starts with its first test and stops with its last: other files run in the same process.
 */
export function browserTests({ env, path = '/', start }: Options = {}): BrowserTest {
  if (!chromiumPath && !isBrowserRequired) return () => {};
  const begin = start ?? (env ? () => startServerOnDatabase({ env }) : useSharedServer);
  let begun: Promise<SharedServer> | undefined;
  const stop = async () => {
    const ending = begun;
    begun = undefined;
    await (await ending?.catch(() => null))?.stop();
  };
  let testsLeft = 0;
  after(stop);

  return (name, options, work) => {
    testsLeft += 1;
    test(name, async () => {
      try {
        launched ??= openBrowser();
        begun ??= begin();
        await visit(await launched, await begun, { path, options, work });
      } finally {
        testsLeft -= 1;
        if (testsLeft === 0) await stop();
      }
    });
  };
}

type Planned = { path: string | null; options: BrowserContextOptions; work: (visit: Visit) => Promise<void> };

async function visit(browser: Browser, server: SharedServer, { path, options, work }: Planned): Promise<void> {
  await using context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const problems = watchForProblems(page);
  if (path !== null) await page.goto(new URL(path, server.url).href);
  await work({ page, server });
  assert.deepEqual(problems, []);
}

/** Collects script errors and violations of the page's content security policy. Failed requests are not counted. */
function watchForProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    const isFailedRequest = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isFailedRequest) problems.push(message.text());
  });
  return problems;
}
