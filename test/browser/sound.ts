import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { Page } from 'playwright-core';

type Finding = { id: string; impact?: string | null; nodes: { target: unknown; failureSummary?: string }[] };

/** Fails if axe finds a serious or critical problem in the current state of the page. */
export async function assertAccessible(page: Page, state: string): Promise<void> {
  // Wait until changed colours are drawn.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  // Not by a script element: the page's content security policy would refuse it.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const findings = await page.evaluate(async (): Promise<Finding[]> => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Finding[] }> } };
    return (await axe.run({ resultTypes: ['violations'] })).violations;
  });
  const bad = findings.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const messages = bad.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('\n')}`,
  );
  assert.deepEqual(messages, [], state);
}
