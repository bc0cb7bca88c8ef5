import { sql } from 'kysely';
import { compared, type List, type ListRequest, leading, type Page, readPage, uuidValue } from '../../db/list.ts';
import type { Context } from '../context.ts';

export type ActionFilters = {
  target_user_id?: string | undefined;
  admin_user_id?: string | undefined;
  action_type?: string | undefined;
  target_model_id?: string | undefined;
  target_job_id?: string | undefined;
  target?: string | undefined;
};

/** `admin_user_id`: null for what was done on the command line. */
export type ListedAction = {
  id: number;
  admin_user_id: string | null;
  admin_email: string | null;
  action_type: string;
  target_user_id: string | null;
  target_model_id: string | null;
  target_job_id: string | null;
  target: string | null;
  amount: number | null;
  reason: string;
  details: unknown;
  created_at: Date;
};

const ACTIONS: List<ActionFilters, ListedAction> = {
  name: 'actions',
  table: 'admin_actions',
  time: 'created_at',
  id: { column: 'id', type: 'bigint' },
  columns: sql`t.id, t.admin_user_id, a.email as admin_email, t.action_type, t.target_user_id, t.target_model_id, t.target_job_id,
    t.target, t.amount, t.reason, t.details, t.created_at`,
  joins: sql`left join administrators a on a.user_id = t.admin_user_id`,
  filters: {
    target_user_id: leading(sql`t.target_user_id`, { value: uuidValue, holds: sql`t.target_user_id is not null` }),
    admin_user_id: compared((id) => sql`t.admin_user_id = ${id}::uuid`),
    action_type: compared((type) => sql`t.action_type = ${type}`),
    target_model_id: compared((id) => sql`t.target_model_id = ${id}::uuid`),
    target_job_id: compared((id) => sql`t.target_job_id = ${id}::uuid`),
    target: compared((target) => sql`t.target = ${target}`),
  },
};

/** Lists what administrators have changed, newest first. */
export function listActions(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & ActionFilters,
): Promise<Page<ListedAction>> {
  return readPage(db.read, ACTIONS, request);
}
