/**
 * How an account is found by what a support person is given. Each lookup is a statement over one index that selects the ids of
 * accounts; a further kind of id is one more line.
 */
import { type RawBuilder, sql } from 'kysely';
import { parseUuid } from '../../kernel/ids.ts';

/** More accounts than a text can belong to, unless it is one that clients choose themselves. */
const FOUND_MAX = 1_000;

type Lookup = RawBuilder<unknown>;

/** Ids that are UUIDs, by table. */
const BY_UUID: ((id: string) => Lookup)[] = [
  (id) => sql`select id from users where id = ${id}::uuid`,
  (id) => sql`select user_id from video_jobs where job_id = ${id}::uuid`,
  (id) => sql`select user_id from sessions where id = ${id}::uuid`,
  (id) => sql`select user_id from quota_log where id = ${id}::uuid`,
  (id) => sql`select user_id from purchases where id = ${id}::uuid`,
  (id) => sql`select user_id from credit_lots where id = ${id}::uuid`,
  (id) => sql`select user_id from uploads where id = ${id}::uuid`,
  (id) => sql`select user_id from provider_attempts where id = ${id}::uuid`,
];

const BY_TEXT: ((text: string) => Lookup)[] = [
  (text) => sql`select id from users where lower(email) = lower(${text}) and email is not null`,
  (text) => sql`select id from users where apple_sub = ${text}`,
  (text) => sql`select user_id from purchases where store in ('apple', 'stripe') and transaction_id = ${text}`,
  (text) => sql`select user_id from quota_log where transaction_id = ${text}`,
  (text) => sql`select user_id from store_notifications where notification_id = ${text}`,
  (text) => sql`select j.user_id from (select distinct provider from models) p
    join video_jobs j on j.provider = p.provider and j.provider_job_id = ${text}`,
  // Clients may choose it, and the same one for every request: a range, so that only the newest rows are read.
  (text) => sql`select user_id from error_log
    where error_details ->> 'request_id' between (select ${text}::text) and (select ${text}::text)
    order by error_details ->> 'request_id' desc, created_at desc, id desc`,
];

/** The ids of the accounts that this is an id, an e-mail address or an Apple sub of; a merged guest's is its survivor's. */
export function accountsOf(query: string): RawBuilder<unknown> {
  const uuid = parseUuid(query);
  const lookups = [...(uuid === null ? [] : BY_UUID.map((by) => by(uuid))), ...BY_TEXT.map((by) => by(query))];
  const found = lookups.map((lookup) => sql`(select * from (${lookup} limit ${FOUND_MAX}) l)`);
  return sql`select coalesce(m.survivor_id, f.id)
    from (${sql.join(found, sql` union `)}) f (id)
    left join merged_users m on m.user_id = f.id
    where f.id is not null`;
}
