import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { handleReport, listReports } from '../reports.ts';
import { adminCallOf } from './admin-call.ts';
import { HANDLE_REPORT, LIST_REPORTS } from './report-openapi.ts';
import { afterSeqOf, nextCursorOf } from './seq-cursor.ts';

export function reportRoutes(router: Router, ctx: Pick<Context, 'db'>): void {
  router.add(LIST_REPORTS, async (c) => {
    const { limit, cursor, ...filters } = c.req.valid('query');
    const page = await listReports(ctx, {
      limit,
      afterSeq: await afterSeqOf('reports', filters, cursor),
      jobId: filters.job_id,
      userId: filters.user_id,
      reporterUserId: filters.reporter_user_id,
      isHandled: filters.is_handled,
    });
    const reports = page.reports.map(({ seq: _, created_at, handled_at, ...report }) => ({
      ...report,
      created_at: created_at.toISOString(),
      handled_at: handled_at?.toISOString() ?? null,
    }));
    return c.json({ reports, next_cursor: await nextCursorOf('reports', filters, page.nextSeq) }, 200);
  });

  router.add(HANDLE_REPORT, async (c) => replayable(c, await handleReport(ctx, adminCallOf(c), c.req.valid('json'))));
}
