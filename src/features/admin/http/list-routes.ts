import { answerOfList } from '../../../http/listing.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { findUsers } from '../find-users.ts';
import { listActions } from '../list-actions.ts';
import { listCodes } from '../list-codes.ts';
import { listErrors } from '../list-errors.ts';
import { listJobs } from '../list-jobs.ts';
import { listModels } from '../list-models.ts';
import { listNotifications } from '../list-notifications.ts';
import { listProducts } from '../list-products.ts';
import { listPurchases } from '../list-purchases.ts';
import { listTransactions } from '../list-transactions.ts';
import { LIST_CODES, LIST_MODELS, LIST_PRODUCTS } from './catalogue-openapi.ts';
import {
  FIND_USERS,
  LIST_ACTIONS,
  LIST_ERRORS,
  LIST_JOBS,
  LIST_NOTIFICATIONS,
  LIST_PURCHASES,
  LIST_TRANSACTIONS,
} from './list-openapi.ts';

export function listRoutes(router: Router, ctx: Pick<Context, 'db'>): void {
  router.add(FIND_USERS, async (c) => c.json(answerOfList('users', await findUsers(ctx, c.req.valid('query'))), 200));
  router.add(LIST_JOBS, async (c) => c.json(answerOfList('jobs', await listJobs(ctx, c.req.valid('query'))), 200));
  router.add(LIST_TRANSACTIONS, async (c) =>
    c.json(answerOfList('transactions', await listTransactions(ctx, c.req.valid('query'))), 200),
  );
  router.add(LIST_PURCHASES, async (c) =>
    c.json(answerOfList('purchases', await listPurchases(ctx, c.req.valid('query'))), 200),
  );
  router.add(LIST_NOTIFICATIONS, async (c) =>
    c.json(answerOfList('notifications', await listNotifications(ctx, c.req.valid('query'))), 200),
  );
  router.add(LIST_ERRORS, async (c) =>
    c.json(answerOfList('errors', await listErrors(ctx, c.req.valid('query'))), 200),
  );
  router.add(LIST_ACTIONS, async (c) =>
    c.json(answerOfList('actions', await listActions(ctx, c.req.valid('query'))), 200),
  );
  router.add(LIST_MODELS, async (c) =>
    c.json(answerOfList('models', await listModels(ctx, c.req.valid('query'))), 200),
  );
  router.add(LIST_PRODUCTS, async (c) =>
    c.json(answerOfList('products', await listProducts(ctx, c.req.valid('query'))), 200),
  );
  router.add(LIST_CODES, async (c) => c.json(answerOfList('codes', await listCodes(ctx, c.req.valid('query'))), 200));
}
