import { sql } from 'kysely';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** An account, deleted or not, and the ids of the guests that were merged into it. */
export type AccountOfId = { id: string; guestIds: string[] };

/** The account that an id addresses: of a merged guest its survivor. Throws ERR_4007. */
export async function findAccountOf({ db }: Pick<Context, 'db'>, userId: string): Promise<AccountOfId> {
  const { rows } = await sql<{ id: string; guest_ids: string[] }>`
    select u.id, array(select m.user_id from merged_users m where m.survivor_id = u.id order by m.merged_at, m.user_id) as guest_ids
    from users u
    where u.id = coalesce((select survivor_id from merged_users where user_id = ${userId}::uuid), ${userId}::uuid)`.execute(
    db.read,
  );
  const [found] = rows;
  if (!found) throw new Problem('ERR_4007', { details: { field: 'user_id' } });
  return { id: found.id, guestIds: found.guest_ids };
}
