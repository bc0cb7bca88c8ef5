/** The simulated push service's page for developers. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ApnsSimulator } from '../apns.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { addFiles, sameOrigin } from '../page/serve-page.ts';
import { planShape } from './plans.ts';

const FILES = {
  '/pushes': new URL('page/pushes.html', import.meta.url),
  '/store.css': new URL('../app-store/page/store.css', import.meta.url),
  '/pushes.js': new URL('page/pushes.js', import.meta.url),
};

/** The pages below `/dev/apple`; `/dev/apple/pushes/received` has what devices got, newest first, for scripts. */
export function apnsPages({ controls }: Pick<ApnsSimulator, 'controls'>): Hono<SimulatorEnv> {
  const pages = new Hono<SimulatorEnv>().basePath('/dev/apple');
  addFiles(pages, FILES);
  pages.use('/pushes/*', sameOrigin);
  pages.get('/pushes/received', async (c) => {
    const pushes = (await controls.pushes()).reverse().map(({ receivedAtMs, collapseId, ...push }) => ({
      ...push,
      collapse_id: collapseId,
      received_at: new Date(receivedAtMs).toISOString(),
    }));
    return c.json({ pushes });
  });
  pages.post('/pushes/plans', async (c) => {
    controls.plan(planShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  pages.delete('/pushes/plans', (c) => {
    controls.clearPlans();
    return c.body(null, 204);
  });
  pages.post('/pushes/go-away', (c) => {
    controls.goAway();
    return c.body(null, 204);
  });
  pages.onError((error) => {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
    return Response.json({ error: reason }, { status: 400 });
  });
  return pages;
}
