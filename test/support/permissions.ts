/** Which role may do what in a Rendio database, read from its catalogue. */
import type pg from 'pg';

/** All procedures that the server's role may call. A new one that is missing here fails the scan. */
const SERVER_PROCEDURES = [
  'admin_adjust_credits',
  'admin_ban_user',
  'admin_cancel_job',
  'admin_create_code',
  'admin_handle_report',
  'admin_pause',
  'admin_refund_credits',
  'admin_replay_delivery',
  'admin_toggle_model',
  'admin_unban_user',
  'admin_update_model',
  'admin_update_product',
  'admit_upload',
  'adopt_media_store',
  'announce_stream',
  'begin_attempt',
  'begin_generation',
  'begin_upload',
  'broken_balances',
  'broken_generations',
  'broken_invariants',
  'broken_lots',
  'broken_purchases',
  'cancel_generation',
  'check_changes',
  'check_range',
  'claim_initial_grant',
  'claim_webhooks',
  'close_attempt',
  'close_violations',
  'compare_sums',
  'complete_initial_grant',
  'confirm_attempt',
  'count_days',
  'create_anonymous_user',
  'credit_purchase',
  'current_user_id',
  'day_bounds',
  'delete_account',
  'delete_generation',
  'empty_deleted_jobs',
  'end_admin_session',
  'end_attempt',
  'erase_account',
  'expire_due_lots',
  'expire_uploads',
  'expire_videos',
  'fail_attempt',
  'fail_generation',
  'find_share',
  'finish_generation',
  'finish_push',
  'finish_store_notification',
  'finish_upload',
  'forget_apple_revocation',
  'forget_push_token',
  'forget_upload',
  'forget_uploads',
  'link_apple_identity',
  'log_errors',
  'mark_alert_sent',
  'mark_submitted',
  'money_rules',
  'move_push_tokens',
  'note_file_sweep',
  'note_provider_health',
  'onboard_device',
  'open_admin_session',
  'open_device_session',
  'open_session',
  'prune_logs',
  'prune_rows',
  'purchase_consumption',
  'raise_alert',
  'record_apple_notification',
  'record_progress',
  'record_provider_event',
  'record_provider_outcome',
  'record_store_notification',
  'record_webhook_attempt',
  'redeem_code',
  'refund_purchase',
  'register_push_token',
  'remove_uploads',
  'replay_store_notification',
  'report_video',
  'requeue_orphans',
  'retention_kinds',
  'revoke_sessions',
  'rotate_session',
  'schedule_cleanup',
  'schedule_confirm',
  'schedule_confirmation',
  'schedule_poll',
  'schedule_push',
  'schedule_settle',
  'schedule_stop',
  'schedule_submit',
  'share_video',
  'sign_in_with_apple',
  'store_apple_token',
  'survivor_of',
  'suspected_accounts',
  'take_account_limit',
  'take_rate_limit',
  'total_metrics',
  'uncounted_figures',
  'unshare_video',
  'update_profile',
  'update_user_metadata',
  'withdraw_initial_grant',
];

type Client = Pick<pg.ClientBase, 'query'>;

/** Everything that a role other than the owner may do, and every object that lacks a protection. */
export async function scanPermissions(client: Client) {
  const list = async (sql: string): Promise<string[]> => (await client.query(sql)).rows.map((row) => row.finding);
  const roles = `unnest(array['anon', 'authenticated', 'rendio_server', 'service_role']) as role`;
  return {
    unsecured: await list(
      `select c.relname as finding from pg_class c
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relrowsecurity order by 1`,
    ),
    unreadableByServer: await list(
      `select c.relname as finding from pg_class c
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
         and not (has_table_privilege('rendio_server', c.oid, 'SELECT')
           and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'server_reads'))
       order by 1`,
    ),
    writes: await list(
      `select role || ' may ' || p || ' ' || c.relname as finding
       from pg_class c, ${roles}, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
         and (has_table_privilege(role, c.oid, p)
           or (p in ('INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege(role, c.oid, p)))
       union all
       select role || ' may use ' || c.relname from pg_class c, ${roles}
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'S'
         and (has_sequence_privilege(role, c.oid, 'USAGE') or has_sequence_privilege(role, c.oid, 'UPDATE'))
       order by 1`,
    ),
    readsOfClients: await list(
      `select role || ' reads ' || c.relname as finding from pg_class c, ${roles}
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and role <> 'rendio_server'
         and (has_table_privilege(role, c.oid, 'SELECT') or has_any_column_privilege(role, c.oid, 'SELECT'))
       order by 1`,
    ),
    callsOfClients: await list(
      `select distinct role || ' calls ' || p.proname as finding from pg_proc p, ${roles}
       where p.pronamespace = 'public'::regnamespace and role <> 'rendio_server'
         and has_function_privilege(role, p.oid, 'EXECUTE') order by 1`,
    ),
    callsOfServer: await list(
      `select distinct p.proname as finding from pg_proc p
       where p.pronamespace = 'public'::regnamespace and has_function_privilege('rendio_server', p.oid, 'EXECUTE')
       order by 1`,
    ),
    policiesForClients: await list(
      `select r || ': ' || tablename || ' ' || cmd || ' ' || qual as finding
       from pg_policies cross join unnest(roles) r
       where schemaname = 'public' and policyname <> 'server_reads' order by 1`,
    ),
    createsIn: await list(
      `select role || ' creates in ' || nspname as finding from pg_namespace, ${roles}
       where nspname in ('public', 'graphile_worker') and has_schema_privilege(role, oid, 'CREATE') order by 1`,
    ),
    clientsInTheQueue: await list(
      `select role as finding from pg_namespace, ${roles}
       where nspname = 'graphile_worker' and role <> 'rendio_server' and has_schema_privilege(role, oid, 'USAGE')`,
    ),
    unfixedSearchPath: await list(
      `select proname as finding from pg_proc
       where pronamespace = 'public'::regnamespace and prosecdef
         and not coalesce(proconfig @> array['search_path=""'], false) order by 1`,
    ),
  };
}

const OWN_ROWS = '(user_id = ( SELECT current_user_id() AS current_user_id))';

/** What the scan finds when the permissions match the contract. */
export const EXPECTED_PERMISSIONS = {
  unsecured: [],
  unreadableByServer: [],
  writes: [],
  readsOfClients: [
    'anon reads models',
    'authenticated reads models',
    'authenticated reads quota_log',
    'authenticated reads users',
    'authenticated reads video_jobs',
  ],
  callsOfClients: [
    'anon calls current_user_folders',
    'anon calls current_user_id',
    'authenticated calls current_user_folders',
    'authenticated calls current_user_id',
  ],
  callsOfServer: SERVER_PROCEDURES,
  policiesForClients: [
    'anon: models SELECT is_available',
    'authenticated: models SELECT is_available',
    `authenticated: quota_log SELECT ${OWN_ROWS}`,
    'authenticated: users SELECT ((id = ( SELECT current_user_id() AS current_user_id)) AND (deleted_at IS NULL))',
    `authenticated: video_jobs SELECT (${OWN_ROWS} AND (deleted_at IS NULL))`,
  ],
  createsIn: [],
  clientsInTheQueue: [],
  unfixedSearchPath: [],
};
