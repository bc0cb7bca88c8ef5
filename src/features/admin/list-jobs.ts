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
  uuidValue,
} from '../../db/list.ts';
import type { Context } from '../context.ts';

export type JobFilters = {
  user_id?: string | undefined;
  status?: string | undefined;
  model_id?: string | undefined;
  provider?: string | undefined;
  error_code?: string | undefined;
};

export type ListedJob = {
  job_id: string;
  user_id: string;
  model_id: string;
  model_name: string;
  provider: string;
  provider_job_id: string | null;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  credits_used: number;
  error_code: string | null;
  error_reason: string | null;
  created_at: Date;
  submitted_at: Date | null;
  completed_at: Date | null;
  deleted_at: Date | null;
};

/** Of a job, everything but what its owner has written. */
export const JOB_COLUMNS = sql<ListedJob>`t.job_id, t.user_id, t.model_id, t.model_name, t.provider, t.provider_job_id, t.status,
  t.credits_used, t.error_code, t.error_reason, t.created_at, t.submitted_at, t.completed_at, t.deleted_at`;

const JOBS: List<JobFilters, ListedJob> = {
  name: 'jobs',
  table: 'video_jobs',
  time: 'created_at',
  id: { column: 'seq', type: 'bigint' },
  columns: JOB_COLUMNS,
  filters: {
    user_id: leading(sql`t.user_id`, { value: survivorOf }),
    status: leading(sql`t.status`, {
      value: textValue,
      has: (status) => status !== 'completed',
      holds: sql`t.status <> 'completed'`,
    }),
    model_id: leading(sql`t.model_id`, { value: uuidValue }),
    provider: leading(sql`t.provider`, { value: textValue }),
    error_code: compared((code) => sql`t.error_code = ${code}`),
  },
};

/** Lists jobs, deleted ones too, newest first. A merged guest's id stands for the account that has its jobs now. */
export function listJobs({ db }: Pick<Context, 'db'>, request: ListRequest & JobFilters): Promise<Page<ListedJob>> {
  return readPage(db.read, JOBS, request);
}
