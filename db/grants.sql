-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata, public.products, public.purchases, public.store_notifications,
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress,
  public.money_violations, public.alerts, public.credit_totals, public.administrators, public.admin_links,
  public.admin_sessions, public.metric_entries, public.metric_totals, public.balance_totals,
  public.webhook_deliveries, public.push_tokens, public.pushes, public.shares, public.reports, public.file_sweeps,
  public.day_figures, public.day_progress
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq, public.purchases_seq_seq,
  public.store_notifications_seq_seq, public.codes_seq_seq, public.credit_lots_seq_seq, public.lot_movements_id_seq,
  public.metric_entries_id_seq, public.webhook_deliveries_seq_seq, public.reports_seq_seq
from public, anon, authenticated, service_role, rendio_server;

-- All our functions. Those that are not granted again below are called only by other procedures, such as add_credits and
-- deduct_credits, which move credits for any reason.
revoke all on function
  public.add_credits, public.admit_to_provider, public.admit_upload, public.adopt_media_store, public.announce_stream,
  public.apply_credits, public.begin_attempt, public.begin_generation, public.begin_upload, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant(uuid), public.claim_initial_grant(uuid, boolean),
  public.cleanup_rate_limit_logs, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.complete_previous_rows, public.confirm_attempt, public.count_jobs, public.create_anonymous_user,
  public.current_user_folders, public.current_user_id, public.deduct_credits, public.delete_account,
  public.delete_generation, public.emit_event, public.end_attempt, public.enqueue, public.erase_account,
  public.expire_uploads, public.fail_attempt, public.fail_generation, public.find_response,
  public.finish_generation, public.finish_upload, public.forget_apple_revocation, public.forget_upload,
  public.forget_uploads, public.generation_price, public.guard_job_state, public.ids_of_account, public.is_made, public.keep_default_price,
  public.link_apple_identity, public.lock_account, public.lock_apple_sub, public.lock_job, public.log_error,
  public.mark_submitted, public.merge_guest, public.move_balance,
  public.note_provider_health, public.notify_access_change, public.onboard_device, public.open_device_session,
  public.open_session, public.prune_logs, public.rate_limit_state, public.redact, public.redact_notes,
  public.record_apple_identity, public.record_apple_notification,
  public.record_progress, public.record_provider_event, public.record_provider_outcome, public.refuse_ledger_change,
  public.remove_uploads, public.requeue_orphans, public.revoke_sessions, public.rotate_session,
  public.schedule_apple_revocation, public.schedule_cleanup, public.schedule_confirm,
  public.schedule_confirmation, public.schedule_poll, public.schedule_settle, public.schedule_stop,
  public.schedule_submit, public.sign_in_with_apple, public.stop_at_provider, public.store_apple_token,
  public.store_response, public.survivor_of, public.take_rate_limit, public.update_profile, public.update_user_metadata,
  public.withdraw_initial_grant, public.check_lots, public.credit_purchase, public.expire_due_lots, public.expire_lots,
  public.finish_store_notification, public.give_to_lots, public.lock_transaction, public.purchase_consumption,
  public.record_store_notification, public.refund_purchase, public.replay_store_notification,
  public.broken_balances, public.broken_by_changes, public.broken_by_jobs, public.broken_by_rows,
  public.broken_by_users, public.broken_generations, public.broken_lots, public.broken_purchases, public.check_changes,
  public.check_range, public.close_violations, public.compare_sums, public.create_code, public.money_rules,
  public.record_violations, public.redeem_code, public.schedule_store_notification, public.suspected_accounts,
  public.take_account_limit, public.take_from_lot, public.take_from_lots, public.alert_violations, public.count_credits,
  public.mark_alert_sent, public.raise_alert,
  public.count_account, public.count_generation, public.count_paying_accounts, public.total_metrics,
  public.admin_refund_credits, public.begin_admin_action, public.create_admin_link, public.create_administrator,
  public.end_admin_session, public.finish_admin_action, public.open_admin_session, public.open_admin_session_by_email,
  public.revoke_administrator, public.admin_pause, public.log_errors, public.spending_state,
  public.admin_adjust_credits, public.admin_ban_user, public.admin_cancel_job, public.admin_create_code,
  public.admin_toggle_model, public.admin_unban_user, public.admin_update_model, public.admin_update_product,
  public.administrator_state, public.answer_admin_action, public.changed_values, public.iso_time,
  public.model_of_admin, public.owner_replays_notification, public.product_of_admin, public.record_owner_action,
  public.admin_replay_delivery, public.claim_webhooks, public.record_webhook_attempt, public.resume_webhooks,
  public.schedule_webhook, public.finish_push, public.forget_push_token, public.forget_tokens_of_session,
  public.move_push_tokens, public.register_push_token, public.replay_push, public.schedule_push,
  public.schedule_pushes, public.trim_push_tokens, public.admin_handle_report, public.empty_deleted_jobs,
  public.expire_videos, public.find_share, public.note_file_sweep, public.prune_rows, public.report_video,
  public.retention_kinds, public.retentions, public.share_video, public.unshare_video, public.add_figures,
  public.count_days, public.day_bounds, public.seconds_of, public.uncounted_figures
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server may read everything, and write only through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata, public.products, public.purchases, public.store_notifications,
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress,
  public.money_violations, public.alerts, public.credit_totals, public.administrators, public.admin_links,
  public.admin_sessions, public.metric_entries, public.metric_totals, public.balance_totals,
  public.webhook_deliveries, public.push_tokens, public.pushes, public.shares, public.reports, public.file_sweeps,
  public.day_figures, public.day_progress
to rendio_server;
grant execute on function
  public.admit_upload, public.adopt_media_store, public.announce_stream, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant(uuid),
  public.claim_initial_grant(uuid, boolean), public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.confirm_attempt, public.create_anonymous_user, public.current_user_id, public.delete_account,
  public.delete_generation, public.end_attempt, public.erase_account, public.expire_uploads, public.fail_attempt, public.fail_generation, public.finish_generation,
  public.finish_upload, public.forget_apple_revocation, public.forget_upload, public.forget_uploads,
  public.link_apple_identity, public.mark_submitted, public.note_provider_health,
  public.onboard_device, public.open_device_session, public.open_session, public.prune_logs, public.record_progress,
  public.record_apple_notification, public.record_provider_event, public.record_provider_outcome, public.remove_uploads,
  public.requeue_orphans, public.revoke_sessions, public.rotate_session, public.schedule_cleanup, public.schedule_confirm, public.schedule_confirmation,
  public.schedule_poll, public.schedule_settle, public.schedule_stop, public.schedule_submit, public.sign_in_with_apple,
  public.store_apple_token, public.survivor_of, public.take_rate_limit, public.update_profile,
  public.update_user_metadata, public.withdraw_initial_grant, public.credit_purchase, public.expire_due_lots,
  public.broken_balances, public.broken_generations, public.broken_lots, public.broken_purchases, public.check_changes,
  public.check_range, public.close_violations, public.compare_sums, public.finish_store_notification,
  public.money_rules, public.purchase_consumption, public.record_store_notification, public.redeem_code,
  public.refund_purchase, public.replay_store_notification, public.suspected_accounts, public.take_account_limit,
  public.raise_alert, public.mark_alert_sent, public.total_metrics, public.admin_refund_credits,
  public.end_admin_session, public.open_admin_session, public.admin_pause, public.log_errors,
  public.admin_adjust_credits, public.admin_ban_user, public.admin_cancel_job, public.admin_create_code,
  public.admin_toggle_model, public.admin_unban_user, public.admin_update_model, public.admin_update_product,
  public.admin_replay_delivery, public.claim_webhooks, public.record_webhook_attempt, public.finish_push,
  public.forget_push_token, public.move_push_tokens, public.register_push_token, public.schedule_push,
  public.admin_handle_report, public.empty_deleted_jobs, public.expire_videos, public.find_share,
  public.note_file_sweep, public.prune_rows, public.report_video, public.retention_kinds, public.share_video,
  public.unshare_video, public.count_days, public.day_bounds, public.uncounted_figures
to rendio_server;

-- Users may read their own rows and the available models, by the row policies.
grant execute on function public.current_user_folders, public.current_user_id to anon, authenticated;
grant select on table public.models to anon, authenticated;
grant select on table public.users, public.video_jobs, public.quota_log to authenticated;

-- The server logs in as the owner and acts as rendio_server from its first statement on.
do $$
begin
  if not pg_has_role(
    'rendio_server',
    case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end
  ) then
    grant rendio_server to current_user;
  end if;
end
$$;
