import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import { encodeCursor } from '../../../kernel/cursor.ts';
import type { Context } from '../../context.ts';
import { handleReport, listReports } from '../reports.ts';
import { adminCallOf } from './admin-call.ts';
import { HANDLE_REPORT, LIST_REPORTS } from './report-openapi.ts';

export function reportRoutes(router: Router, ctx: Pick<Context, 'db'>): void {
  router.add(LIST_REPORTS, async (c) => {
    const query = c.req.valid('query');
    const page = await listReports(ctx, {
      limit: query.limit,
      afterSeq: query.cursor,
      jobId: query.job_id,
      userId: query.user_id,
      reporterUserId: query.reporter_user_id,
      isHandled: query.is_handled,
    });
    const reports = page.reports.map(({ seq: _, created_at, handled_at, ...report }) => ({
      ...report,
      created_at: created_at.toISOString(),
      handled_at: handled_at?.toISOString() ?? null,
    }));
    return c.json({ reports, next_cursor: page.nextSeq === null ? null : encodeCursor(page.nextSeq) }, 200);
  });

  router.add(HANDLE_REPORT, async (c) => replayable(c, await handleReport(ctx, adminCallOf(c), c.req.valid('json'))));
}
