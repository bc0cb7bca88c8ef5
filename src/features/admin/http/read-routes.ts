import { shown } from '../../../http/listing.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { overviewDays, readOverview } from '../overview.ts';
import { readHealth } from '../read-health.ts';
import { readJob } from '../read-job.ts';
import { readTimeline } from '../timeline.ts';
import { readUserStats } from '../user-stats.ts';
import { listRoutes } from './list-routes.ts';
import { GET_HEALTH, GET_JOB, GET_OVERVIEW, GET_TIMELINE, GET_USER_STATS } from './read-openapi.ts';

/** What administrators read. */
export function readRoutes(router: Router, ctx: Pick<Context, 'clock' | 'db' | 'providers' | 'simulated'>): void {
  listRoutes(router, ctx);

  router.add(GET_USER_STATS, async (c) => {
    const { user, stats, transactions } = await readUserStats(ctx, c.req.valid('query').user_id);
    return c.json({ user: shown(user), stats, recent_transactions: transactions.map(shown) }, 200);
  });

  router.add(GET_TIMELINE, async (c) => {
    const { user_id: userId, ...page } = c.req.valid('query');
    const { events, nextCursor: next_cursor } = await readTimeline(ctx, { userId, ...page });
    return c.json({ events, next_cursor }, 200);
  });

  router.add(GET_JOB, async (c) => {
    const { job, attempts, events, files } = await readJob(ctx, c.req.valid('query').job_id);
    return c.json({ job: shown(job), attempts: attempts.map(shown), events: events.map(shown), files }, 200);
  });

  router.add(GET_HEALTH, async (c) => {
    const { providers, invariants, ...health } = await readHealth(ctx);
    return c.json({ ...health, providers: providers.map(shown), invariants: invariants.map(shown) }, 200);
  });

  router.add(GET_OVERVIEW, async (c) => c.json(await readOverview(ctx, overviewDays(ctx, c.req.valid('query'))), 200));
}
