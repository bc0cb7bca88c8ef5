import { sql } from 'kysely';
import {
  compared,
  type List,
  type ListRequest,
  leading,
  type Page,
  readPage,
  survivorOf,
  textValue,
} from '../../db/list.ts';
import type { Context } from '../context.ts';
import { maskPromptIn } from './mask-prompt.ts';

export type ErrorFilters = {
  request_id?: string | undefined;
  user_id?: string | undefined;
  error_code?: string | undefined;
  endpoint?: string | undefined;
};

export type ListedError = {
  id: number;
  user_id: string | null;
  error_code: string;
  endpoint: string | null;
  request_id: string | null;
  job_id: string | null;
  details: unknown;
  created_at: Date;
};

/** The job that a failed generation's row names. */
export const JOB_OF_ERROR = sql<string | null>`case
  when t.request_data ->> 'job_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (t.request_data ->> 'job_id')::uuid
end`;

const ERRORS: List<ErrorFilters, ListedError & { prompt: string | null }> = {
  name: 'errors',
  table: 'error_log',
  time: 'created_at',
  id: { column: 'id', type: 'bigint' },
  columns: sql`t.id, t.user_id, t.error_code, t.endpoint, t.error_details ->> 'request_id' as request_id, j.job_id,
    t.error_details as details, t.created_at, j.prompt`,
  joins: sql`left join video_jobs j on j.job_id = ${JOB_OF_ERROR}`,
  filters: {
    // Clients may choose it, and the same one for every request.
    request_id: leading(sql`(t.error_details ->> 'request_id')`, {
      value: textValue,
      holds: sql`t.error_details ->> 'request_id' is not null`,
    }),
    user_id: leading(sql`t.user_id`, { value: survivorOf, holds: sql`t.user_id is not null` }),
    error_code: leading(sql`t.error_code`, { value: textValue }),
    endpoint: compared((endpoint) => sql`t.endpoint = ${endpoint}`),
  },
};

/** Lists errors, newest first. What a vendor has said is without the words of the prompt. */
export async function listErrors(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & ErrorFilters,
): Promise<Page<ListedError>> {
  const { rows, nextCursor } = await readPage(db.read, ERRORS, request);
  return {
    rows: rows.map(({ prompt, ...row }) => ({ ...row, details: maskPromptIn(row.details, prompt) })),
    nextCursor,
  };
}
