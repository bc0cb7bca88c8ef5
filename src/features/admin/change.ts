/** What all changes by administrators share: who asks, and what the procedures answer. */
import { Problem } from '../../kernel/errors.ts';
import { canonicalHash } from '../../kernel/hash.ts';
import type { Administrator } from './find-administrator.ts';

/** `p_by` of the procedures. */
export type By = {
  admin_user_id: string;
  session_id: string;
  idempotency_key: string | null;
  request_hash: string;
};

/** A change that was asked for: by whom, and under which key. */
export type AdminCall = { administrator: Pick<Administrator, 'userId' | 'sessionId'>; idempotencyKey: string | null };

export type ChangeAnswer = { status: number; body: unknown; isReplay: boolean };

type Answered = { outcome: 'done' | 'replayed'; status_code: number; response: unknown };
/** The refusals that every change may meet. */
type Usual = 'session_ended' | 'key_reused' | 'not_found';

/** Two requests with one key are the same when their validated fields are. */
export async function byOf({ administrator, idempotencyKey }: AdminCall, fields: object): Promise<By> {
  return {
    admin_user_id: administrator.userId,
    session_id: administrator.sessionId,
    idempotency_key: idempotencyKey,
    request_hash: await canonicalHash(fields),
  };
}

/** Fields of a change, each of which may be left out. */
export type Optional<Fields> = { [Name in keyof Fields]?: Fields[Name] | null | undefined };

/** What is to be changed. Throws ERR_4006 for nothing: a misspelt field must not look like a success. */
export function givenOf(fields: Record<string, unknown>): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) throw new Problem('ERR_4006', { details: { field: 'body', reason: 'no_change' } });
  return Object.fromEntries(given);
}

/** The response of a change, or its refusal: `field` is the one whose row was not found, `own` the change's own refusals. */
export function answerOf<Own extends string = never>(
  result: Answered | { outcome: Usual | Own },
  field: string,
  own: Record<Exclude<Own, Answered['outcome']>, () => Problem> = {} as Record<Own, never>,
): ChangeAnswer {
  if ('response' in result) {
    return { status: result.status_code, body: result.response, isReplay: result.outcome === 'replayed' };
  }
  const refusals: Record<string, () => Problem> = {
    session_ended: () => new Problem('ERR_4005'),
    key_reused: () => new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } }),
    not_found: () => new Problem('ERR_4007', { details: { field } }),
    ...own,
  };
  throw refusals[result.outcome]?.() ?? new TypeError(`no refusal is known for ${result.outcome}`);
}
