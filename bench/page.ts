/** How many bytes the page at `/` transfers, and how long it takes until its button works. */
import { chromium, type Page } from 'playwright-core';
import { BROWSER_ARGUMENTS, chromiumPath, NO_CHROMIUM } from '../test/support/chromium.ts';
import { startTestServer } from '../test/support/server.ts';
import { type Bench, quantile } from './report.ts';

const VISITS = 9;
const WEIGHT_MAX_KB = 250;
const INTERACTIVE_MAX_MS = 1_000;

export const page: Bench = async () => {
  if (!chromiumPath) throw new Error(NO_CHROMIUM);
  await using server = await startTestServer();
  await using browser = await chromium.launch({ executablePath: chromiumPath, args: BROWSER_ARGUMENTS });
  const firstMs: number[] = [];
  const nextMs: number[] = [];
  let weightKb = 0;
  for (let count = 0; count < VISITS; count += 1) {
    await using context = await browser.newContext();
    const visitor = await context.newPage();
    await visitor.goto(server.url);
    firstMs.push(await interactiveMs(visitor));
    weightKb = await weightOf(visitor);
    await visitor.reload();
    nextMs.push(await interactiveMs(visitor));
  }
  return [
    { name: 'the page before the video, compressed', value: weightKb, unit: 'kB', promise: WEIGHT_MAX_KB },
    {
      name: 'first visit until the button works, the median',
      value: quantile(firstMs, 0.5),
      unit: 'ms',
      promise: INTERACTIVE_MAX_MS,
    },
    {
      name: 'first visit until the button works, the longest',
      value: Math.max(...firstMs),
      unit: 'ms',
      promise: INTERACTIVE_MAX_MS,
    },
    {
      name: 'next visit until the button works, the median',
      value: quantile(nextMs, 0.5),
      unit: 'ms',
      promise: INTERACTIVE_MAX_MS,
    },
  ];
};

/** From the start of the navigation until an idea can be picked and sent: the price and the balance are known. */
export async function interactiveMs(visitor: Page): Promise<number> {
  await visitor.waitForFunction(() => document.querySelector('#balance') && document.querySelector('#generate .price'));
  return visitor.evaluate(() => performance.getEntriesByName('rendio:interactive')[0]?.startTime ?? Number.NaN);
}

/** The size of everything transferred so far, bodies and headers, in kilobytes. */
export function weightOf(visitor: Page): Promise<number> {
  return visitor.evaluate(() => {
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return (entries as PerformanceResourceTiming[]).reduce((sum, entry) => sum + entry.transferSize, 0) / 1_000;
  });
}
