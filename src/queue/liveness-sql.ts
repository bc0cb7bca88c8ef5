/** The statements behind the liveness lock and behind the recovery of jobs that no worker runs. */

/** Two-part advisory locks: this number first, so that no other lock of ours is mistaken for a worker's. */
const LIVENESS_LOCK_CLASS = 736_194;

// Shared: a session of ours that the database has not missed yet must not keep us from the lock.
export const TAKE_LOCK = `select pg_advisory_lock_shared(${LIVENESS_LOCK_CLASS}, ('x' || substr(md5($1), 1, 8))::bit(32)::int)`;

/** Workers that have jobs or queues locked without holding their liveness lock. */
export const FIND_MISSING_WORKERS = `
  with holding as (
    select locked_by as worker from graphile_worker._private_jobs where locked_by is not null
    union
    select locked_by from graphile_worker._private_job_queues where locked_by is not null
  )
  select h.worker as name
  from holding h
  where not exists (
    select from pg_locks l
    where l.locktype = 'advisory'
      and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = ${LIVENESS_LOCK_CLASS}
      and l.objid = (('x' || substr(md5(h.worker), 1, 8))::bit(32)::int::bigint & 4294967295)::oid
      and l.granted
  )`;
export const UNLOCK_WORKERS = 'select graphile_worker.force_unlock_workers($1::text[])';

export const FIND_JOBS_OF_WORKER = 'select id::text as name from graphile_worker._private_jobs where locked_by = $1';
export const RELEASE_JOBS = `
  update graphile_worker._private_jobs set locked_by = null, locked_at = null
  where id = any($1::bigint[]) and locked_by = $2`;
