/** Written by `npm run generate` from the database's catalogue and db/procedures. */
import type { Json } from './generated.ts';

export type UploadRow = {
  id: string;
  user_id: string;
  path: string;
  file: string;
  content_type: string;
  bytes: number;
  width: number;
  height: number;
  sha256: string;
  created_at: string;
  updated_at: string;
  stored_at: string | null;
  metadata: unknown;
};
/** By name: the arguments without their `p_`, and the result. */
export type Procedures = {
  admin_adjust_credits: {
    args: {
      by: object;
      user_id: string;
      amount: number;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' | 'invalid_amount' }
      | { outcome: 'below_zero'; credits_remaining: number };
  };
  admin_ban_user: {
    args: {
      by: object;
      user_id: string;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' };
  };
  admin_cancel_job: {
    args: {
      by: object;
      job_id: string;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' }
      | { outcome: 'final'; status: string };
  };
  admin_create_code: {
    args: {
      by: object;
      credits: number;
      uses_max: number;
      reason: string;
      code?: string | null | undefined;
      expires_at?: Date | null | undefined;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'exists' | 'past' };
  };
  admin_handle_report: {
    args: {
      by: object;
      report_id: string;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' };
  };
  admin_pause: {
    args: {
      by: object;
      is_paused: boolean;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' };
  };
  admin_refund_credits: {
    args: {
      by: object;
      user_id: string;
      amount: number;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' | 'invalid_amount' };
  };
  admin_replay_delivery: {
    args: {
      by: object;
      delivery_id: string;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' | 'off' };
  };
  admin_toggle_model: {
    args: {
      by: object;
      model_id: string;
      is_available: boolean;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' };
  };
  admin_unban_user: {
    args: {
      by: object;
      user_id: string;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' };
  };
  admin_update_model: {
    args: {
      by: object;
      model_id: string;
      changes: object;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' | 'no_duration' };
  };
  admin_update_product: {
    args: {
      by: object;
      product_id: string;
      changes: object;
      reason: string;
    };
    result:
      | { outcome: 'done' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'session_ended' | 'key_reused' | 'not_found' };
  };
  admit_upload: {
    args: {
      user_id: string;
      path: string;
      bytes: number;
      upsert: boolean;
      pictures_max: number;
      bytes_max: number;
      bytes_max_unproven: number;
    };
    result:
      | { outcome: 'admitted' }
      | { outcome: 'exists' | 'user_not_found' | 'banned' }
      | { outcome: 'full'; pictures_max: number; bytes_max: number };
  };
  adopt_media_store: {
    args: {
      id: string;
    };
    result: string;
  };
  announce_stream: {
    args: {
      user_id: string;
      server_id: string;
    };
    result: unknown;
  };
  begin_attempt: {
    args: {
      job_id: string;
    };
    result:
      | { outcome: 'claimed' | 'resumed'; attempt_id: string; attempt: number }
      | { outcome: 'unknown' | 'declined' | 'submitted' | 'final' | 'not_found' };
  };
  begin_generation: {
    args: {
      user_id: string;
      idempotency_key: string;
      request_hash: string;
      model_id: string;
      prompt: string;
      settings: object;
      limit_account: number;
      limit_address: number;
      limit_in_flight: number;
      deadline_seconds: number;
      image_url?: string | null | undefined;
      address?: string | null | undefined;
      request_id?: string | null | undefined;
      limit_spending?: number | null | undefined;
      trace_parent?: string | null | undefined;
    };
    result:
      | {
          outcome: 'created';
          status_code: number;
          response: Json;
          limit: number;
          remaining: number;
          reset_seconds: number;
        }
      | { outcome: 'replayed'; status_code: number; response: Json }
      | { outcome: 'key_reused' | 'user_not_found' | 'banned' | 'paused' | 'model_unavailable' }
      | { outcome: 'provider_unavailable'; retry_seconds: number }
      | { outcome: 'rate_limited'; scope: 'in_flight'; limit: number }
      | {
          outcome: 'rate_limited';
          scope: 'account' | 'address' | 'spending';
          limit: number;
          window_seconds: number;
          remaining: number;
          reset_seconds: number;
          allowed: boolean;
        }
      | { outcome: 'insufficient_credits'; required: number; available: number };
  };
  begin_upload: {
    args: {
      user_id: string;
      path: string;
      content_type: string;
      bytes: number;
      width: number;
      height: number;
      sha256: string;
      upsert: boolean;
      pictures_max: number;
      bytes_max: number;
      bytes_max_unproven?: number | null | undefined;
      metadata?: object | null | undefined;
    };
    result:
      | { outcome: 'begun'; id: string; file: string }
      | { outcome: 'exists' | 'user_not_found' | 'banned' }
      | { outcome: 'full'; pictures_max: number; bytes_max: number };
  };
  cancel_generation: {
    args: {
      user_id: string;
      job_id: string;
      idempotency_key?: string | null | undefined;
      request_hash?: string | null | undefined;
      limit_refunded?: number | null | undefined;
      is_begun?: boolean | undefined;
    };
    result:
      | { outcome: 'cancelled' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'key_reused' | 'not_found' }
      | { outcome: 'final'; status: string }
      | {
          outcome: 'rate_limited';
          limit: number;
          window_seconds: number;
          remaining: number;
          reset_seconds: number;
          allowed: boolean;
        };
  };
  check_changes: {
    args: {
      limit?: number | undefined;
    };
    result: {
      rows: number;
      jobs: number;
      new: { invariant: string; subject: string; details: Json }[];
      is_limited: boolean;
      has_advanced: boolean;
    } | null;
  };
  check_range: {
    args: {
      after?: string | null | undefined;
      until?: string | null | undefined;
    };
    result: { invariant: string; subject: string; details: Json }[];
  };
  claim_initial_grant: {
    args: {
      user_id: string;
    };
    result: boolean;
  };
  close_attempt: {
    args: {
      attempt_id: string;
      state: string;
      error: string;
    };
    result: boolean;
  };
  close_violations: {
    args: {
      before: Date;
    };
    result: number;
  };
  complete_initial_grant: {
    args: {
      user_id: string;
    };
    result: number | null;
  };
  confirm_attempt: {
    args: {
      job_id: string;
      provider_job_id: string;
    };
    result: { outcome: 'none' | 'submitted' | 'already' | 'superseded' | 'final' | 'taken' | 'not_found' };
  };
  count_days: {
    args: {
      limit?: number | undefined;
    };
    result: { is_limited: boolean; has_advanced: boolean } | null;
  };
  create_anonymous_user: {
    args: {
      language: string;
      data?: object | undefined;
    };
    result: string | null;
  };
  credit_purchase: {
    args: {
      store: string;
      environment: string;
      transaction_id: string;
      product_id: string;
      quantity: number;
      caller_id?: string | null | undefined;
      token?: string | null | undefined;
      purchased_at?: Date | null | undefined;
      price_milliunits?: number | null | undefined;
      currency?: string | null | undefined;
      idempotency_key?: string | null | undefined;
      request_hash?: string | null | undefined;
    };
    result:
      | {
          outcome: 'credited';
          user_id: string;
          credits_added: number;
          credits_remaining: number;
          status_code: number;
          response: Json;
        }
      | { outcome: 'repeated'; credits_remaining: number }
      | { outcome: 'replayed'; status_code: number; response: Json }
      | {
          outcome:
            | 'foreign'
            | 'no_owner'
            | 'refunded'
            | 'unknown_product'
            | 'too_many'
            | 'user_not_found'
            | 'key_reused';
        };
  };
  current_user_id: {
    args: Record<string, never>;
    result: string;
  };
  delete_account: {
    args: {
      user_id: string;
    };
    result: string | null;
  };
  delete_generation: {
    args: {
      user_id: string;
      job_id: string;
    };
    result: 'deleted' | 'running' | 'not_found';
  };
  empty_deleted_jobs: {
    args: {
      limit?: number | undefined;
      after?: Date | null | undefined;
    };
    result: { rows: number; next: string | null };
  };
  end_admin_session: {
    args: {
      session_id: string;
    };
    result: boolean;
  };
  end_attempt: {
    args: {
      job_id: string;
      result: string;
      error?: string | null | undefined;
      cost_usd?: number | null | undefined;
    };
    result: boolean;
  };
  erase_account: {
    args: {
      user_id: string;
      limit?: number | undefined;
    };
    result: number;
  };
  expire_due_lots: {
    args: {
      limit?: number | undefined;
    };
    result: number;
  };
  expire_uploads: {
    args: {
      unused_days: number;
      limit: number;
    };
    result: number;
  };
  expire_videos: {
    args: {
      days: number;
      limit?: number | undefined;
    };
    result: { video: string; thumbnail: string | null }[];
  };
  fail_attempt: {
    args: {
      attempt_id: string;
      state: string;
      error_code: string;
      cause: string;
      reason?: string | null | undefined;
    };
    result: { outcome: 'failed' | 'final' | 'closed' };
  };
  fail_generation: {
    args: {
      job_id: string;
      error_code: string;
      cause?: string | null | undefined;
      reason?: string | null | undefined;
    };
    result: boolean;
  };
  finish_generation: {
    args: {
      job_id: string;
      video_path: string;
      video_bytes: number;
      video_sha256: string;
      video_seconds: number;
      thumbnail_path?: string | null | undefined;
    };
    result: boolean;
  };
  finish_push: {
    args: {
      push_id: string;
      outcome: string;
      reason?: string | null | undefined;
      retry_ms?: number | null | undefined;
      registered_at?: Date | null | undefined;
      gone_at?: Date | null | undefined;
    };
    result: unknown;
  };
  finish_store_notification: {
    args: {
      store: string;
      notification_id: string;
      outcome: string;
    };
    result: unknown;
  };
  finish_upload: {
    args: {
      id: string;
      path: string;
      upsert: boolean;
    };
    result: { outcome: 'stored'; replaced: UploadRow | null } | { outcome: 'exists' | 'gone' };
  };
  forget_apple_revocation: {
    args: {
      id: string;
    };
    result: unknown;
  };
  forget_push_token: {
    args: {
      user_id: string;
      token: string;
    };
    result: unknown;
  };
  forget_uploads: {
    args: {
      ids: object;
    };
    result: number;
  };
  link_apple_identity: {
    args: {
      user_id: string;
      apple_sub: string;
      is_email_verified: boolean;
      is_private_email: boolean;
      token_hash: Uint8Array;
      token_expires_at: Date;
      may_merge: boolean;
      email?: string | null | undefined;
    };
    result:
      | { outcome: 'became' | 'merged' | 'linked_before'; user_id: string }
      | { outcome: 'user_not_found' | 'banned' | 'token_used' | 'other_account' | 'identity_exists' };
  };
  log_errors: {
    args: {
      entries: object;
    };
    result: number;
  };
  mark_alert_sent: {
    args: {
      alert_id: string;
      receiver: string;
    };
    result: unknown;
  };
  mark_submitted: {
    args: {
      job_id: string;
      attempt_id: string;
      provider_job_id: string;
      vendor_request_id?: string | null | undefined;
    };
    result: { outcome: 'submitted' | 'already' | 'superseded' | 'final' | 'taken' | 'not_found' };
  };
  move_push_tokens: {
    args: {
      user_id: string;
      from_session_id: string;
      to_session_id: string;
    };
    result: unknown;
  };
  note_file_sweep: {
    args: {
      bucket: string;
      after?: string | null | undefined;
    };
    result: unknown;
  };
  onboard_device: {
    args: {
      device_id: string;
      language?: string | undefined;
      is_proven?: boolean | undefined;
    };
    result: {
      user_id: string;
      is_new: boolean;
      credits_remaining: number;
      initial_grant_claimed: boolean;
      has_open_claim: boolean;
    };
  };
  open_admin_session: {
    args: {
      session_id: string;
      token_hash: Uint8Array;
    };
    result: { admin_user_id: string; email: string; expires_at: string } | null;
  };
  open_device_session: {
    args: {
      user_id: string;
      device_id: string;
      session_id: string;
      token_hash: Uint8Array;
      nonce: Uint8Array;
      lifetime_seconds: number;
    };
    result: boolean;
  };
  open_session: {
    args: {
      user_id: string;
      session_id: string;
      token_hash: Uint8Array;
      nonce: Uint8Array;
      lifetime_seconds: number;
    };
    result: unknown;
  };
  prune_rows: {
    args: {
      kind: string;
      limit?: number | undefined;
      after?: Date | null | undefined;
      error_log_days?: number | undefined;
      job_archive_days?: number | null | undefined;
    };
    result: { rows: number; next: string | null };
  };
  purchase_consumption: {
    args: {
      store: string;
      transaction_id: string;
    };
    result: { credits: number; consumed: number } | null;
  };
  raise_alert: {
    args: {
      kind: string;
      subject?: string | undefined;
      details?: object | undefined;
    };
    result: boolean;
  };
  record_apple_notification: {
    args: {
      notification_id: string;
      type: string;
      apple_sub: string;
      event_at: Date;
      email?: string | null | undefined;
      is_private_email?: boolean | null | undefined;
    };
    result: { outcome: 'done' | 'duplicate' | 'without_effect'; deleted_id: string | null };
  };
  record_progress: {
    args: {
      job_id: string;
      progress?: number | null | undefined;
      queue_position?: number | null | undefined;
    };
    result: boolean;
  };
  record_provider_event: {
    args: {
      sender: string;
      event_key: string;
      providers: object;
      job_id?: string | null | undefined;
      provider_job_id?: string | null | undefined;
    };
    result: { outcome: 'recorded'; effect: 'woke' | 'unconfirmed' | 'ignored' } | { outcome: 'repeated' | 'foreign' };
  };
  record_provider_outcome: {
    args: {
      provider: string;
      job_id: string;
      outcome: string;
    };
    result: 'opened' | 'closed' | null;
  };
  record_store_notification: {
    args: {
      store: string;
      notification_id: string;
      type: string;
      signed_at: Date;
      payload: string;
      subtype?: string | null | undefined;
      environment?: string | null | undefined;
      transaction_id?: string | null | undefined;
      outcome?: string | null | undefined;
    };
    result: boolean;
  };
  record_webhook_attempt: {
    args: {
      delivery_id: string;
      attempts: number;
      status?: number | null | undefined;
      error?: string | null | undefined;
      retry_after_seconds?: number | null | undefined;
    };
    result: 'delivered' | 'retried' | 'failed' | 'outdated';
  };
  redeem_code: {
    args: {
      user_id: string;
      code: string;
      limit_account: number;
      limit_address: number;
      address?: string | null | undefined;
      idempotency_key?: string | null | undefined;
      request_hash?: string | null | undefined;
    };
    result:
      | { outcome: 'redeemed'; status_code: number; response: Json; code_id: string; credits: number }
      | { outcome: 'repeated' | 'replayed'; status_code: number; response: Json }
      | { outcome: 'key_reused' | 'user_not_found' }
      | {
          outcome: 'unusable';
          limit: number;
          window_seconds: number;
          remaining: number;
          reset_seconds: number;
          allowed: boolean;
        }
      | {
          outcome: 'rate_limited';
          scope: 'account' | 'address';
          limit: number;
          window_seconds: number;
          remaining: number;
          reset_seconds: number;
          allowed: boolean;
        };
  };
  refund_purchase: {
    args: {
      store: string;
      environment: string;
      transaction_id: string;
      decided_at: Date;
      is_refund: boolean;
      percentage?: number | null | undefined;
      is_total?: boolean | undefined;
    };
    result:
      | { outcome: 'taken_back' | 'given_back'; user_id: string; credits: number; credits_remaining: number }
      | { outcome: 'unchanged' | 'outdated' | 'not_credited' };
  };
  register_push_token: {
    args: {
      user_id: string;
      token: string;
      environment: string;
      session_id?: string | null | undefined;
    };
    result: 'registered' | 'signed_out';
  };
  remove_uploads: {
    args: {
      user_id: string;
      paths: object;
    };
    result: UploadRow[];
  };
  replay_store_notification: {
    args: {
      store: string;
      notification_id: string;
    };
    result: boolean;
  };
  report_video: {
    args: {
      user_id: string;
      reason: string;
      limit: number;
      job_id?: string | null | undefined;
      share_token?: string | null | undefined;
    };
    result:
      | { outcome: 'reported'; report_id: string; job_id: string }
      | { outcome: 'repeated' | 'not_found' | 'user_not_found' }
      | {
          outcome: 'rate_limited';
          limit: number;
          window_seconds: number;
          remaining: number;
          reset_seconds: number;
          allowed: boolean;
        };
  };
  requeue_orphans: {
    args: {
      limit?: number | undefined;
    };
    result: number;
  };
  retention_kinds: {
    args: Record<string, never>;
    result: string[];
  };
  revoke_sessions: {
    args: {
      user_id: string;
      scope: string;
      session_id?: string | null | undefined;
    };
    result: number;
  };
  rotate_session: {
    args: {
      token_hash: Uint8Array;
      next_token_hash: Uint8Array;
      next_nonce: Uint8Array;
      lifetime_seconds: number;
    };
    result:
      | { outcome: 'rotated'; user_id: string; session_id: string }
      | { outcome: 'active'; user_id: string; session_id: string; nonce: string }
      | { outcome: 'reused'; user_id: string; session_id: string }
      | { outcome: 'not_found' | 'session_expired' | 'session_revoked' | 'banned' };
  };
  schedule_cleanup: {
    args: {
      job_id: string;
      delay_ms?: number | undefined;
    };
    result: unknown;
  };
  schedule_confirmation: {
    args: {
      job_id: string;
      provider_job_id: string;
      delay_ms: number;
      try?: number | undefined;
    };
    result: unknown;
  };
  schedule_poll: {
    args: {
      job_id: string;
      delay_ms: number;
    };
    result: unknown;
  };
  schedule_push: {
    args: {
      push_id: string;
      delay_ms?: number | undefined;
    };
    result: unknown;
  };
  schedule_submit: {
    args: {
      job_id: string;
      delay_ms: number;
    };
    result: unknown;
  };
  share_video: {
    args: {
      user_id: string;
      job_id: string;
      token: string;
      with_prompt?: boolean | undefined;
    };
    result: { outcome: 'shared'; token: string } | { outcome: 'not_found' | 'running' | 'no_video' };
  };
  sign_in_with_apple: {
    args: {
      apple_sub: string;
      is_email_verified: boolean;
      is_private_email: boolean;
      language: string;
      email?: string | null | undefined;
    };
    result: { outcome: 'signed_in'; user_id: string; is_new: boolean } | { outcome: 'banned' };
  };
  store_apple_token: {
    args: {
      user_id: string;
      client_id: string;
      sealed_token: Uint8Array;
    };
    result: boolean;
  };
  survivor_of: {
    args: {
      user_id: string;
    };
    result: string;
  };
  take_account_limit: {
    args: {
      action: string;
      user_id: string;
      limit: number;
      window_seconds: number;
    };
    result: {
      allowed: boolean;
      limit: number;
      window_seconds: number;
      remaining: number;
      reset_seconds: number;
    } | null;
  };
  take_rate_limit: {
    args: {
      action: string;
      address: string;
      limit: number;
      window_seconds: number;
    };
    result: { allowed: boolean; limit: number; window_seconds: number; remaining: number; reset_seconds: number };
  };
  total_metrics: {
    args: {
      limit?: number | undefined;
    };
    result: number;
  };
  unshare_video: {
    args: {
      user_id: string;
      job_id: string;
    };
    result: boolean;
  };
  update_profile: {
    args: {
      user_id: string;
      language?: string | null | undefined;
      theme_preference?: string | null | undefined;
    };
    result: boolean;
  };
  update_user_metadata: {
    args: {
      user_id: string;
      data: object;
    };
    result: 'updated' | 'too_large' | 'user_not_found';
  };
  withdraw_initial_grant: {
    args: {
      user_id: string;
    };
    result: unknown;
  };
};
/** Those that only the owner of the tables may call. */
export type OwnerProcedures = {
  administrator_state: {
    args: {
      email: string;
    };
    result: 'active' | 'revoked' | null;
  };
  create_admin_link: {
    args: {
      email: string;
      token_hash: Uint8Array;
    };
    result: boolean;
  };
  create_administrator: {
    args: {
      email: string;
    };
    result: string;
  };
  open_admin_session_by_email: {
    args: {
      session_id: string;
      email: string;
    };
    result: { admin_user_id: string; email: string; expires_at: string } | null;
  };
  owner_replays_notification: {
    args: {
      notification_id: string;
    };
    result: 'replayed' | 'erased' | 'not_found';
  };
  resume_webhooks: {
    args: Record<string, never>;
    result: unknown;
  };
  revoke_administrator: {
    args: {
      email: string;
    };
    result: boolean;
  };
};
/** Procedures that return rows. */
export type SetProcedures = {
  broken_balances: {
    args: {
      after: string;
      until: string;
    };
    row: { invariant: string; subject: string; details: Json };
  };
  broken_generations: {
    args: {
      after: string;
      until: string;
    };
    row: { invariant: string; subject: string; details: Json };
  };
  broken_invariants: {
    args: {
      after?: string | null | undefined;
      until?: string | null | undefined;
    };
    row: { invariant: string; subject: string; details: Json };
  };
  broken_lots: {
    args: {
      after: string;
      until: string;
    };
    row: { invariant: string; subject: string; details: Json };
  };
  broken_purchases: {
    args: {
      after: string;
      until: string;
    };
    row: { invariant: string; subject: string; details: Json };
  };
  claim_webhooks: {
    args: {
      limit: number;
    };
    row: { id: string; type: string; payload: Json; attempts: number; created_at: Date };
  };
  compare_sums: {
    args: Record<string, never>;
    row: { part: string; is_proven: boolean; rows: number };
  };
  day_bounds: {
    args: {
      limit: number;
      ledger_seq: number;
      error_id: number;
      time: Date;
    };
    row: { ledger_seq: number; error_id: number; jobs_at: Date; attempts_at: Date; is_limited: boolean };
  };
  find_share: {
    args: {
      token: string;
    };
    row: {
      job_id: string;
      user_id: string;
      model_name: string;
      prompt: string;
      video_url: string;
      thumbnail_url: string;
      completed_at: Date;
    };
  };
  money_rules: {
    args: Record<string, never>;
    row: { rule: string };
  };
  suspected_accounts: {
    args: {
      part: string;
    };
    row: { user_id: string };
  };
  uncounted_figures: {
    args: {
      ledger_seq: number;
      error_id: number;
      jobs_at: Date;
      attempts_at: Date;
    };
    row: { day: Date; figure: string; subject: string; amount: number };
  };
};
