import { sql } from 'kysely';
import { compared, type List, type ListRequest, lookup, type Page, readPage } from '../../db/list.ts';
import type { Context } from '../context.ts';

/** `code`: in the form in which codes are stored. */
export type CodeFilters = { code?: string | undefined; credits?: number | undefined };

export type ListedCode = {
  id: string;
  code: string;
  credits: number;
  uses: number;
  uses_max: number;
  expires_at: Date | null;
  created_at: Date;
};

const CODES: List<CodeFilters, ListedCode> = {
  name: 'codes',
  table: 'codes',
  time: 'created_at',
  id: { column: 'seq', type: 'bigint' },
  columns: sql`t.id, t.code, t.credits, t.uses, t.uses_max, t.expires_at, t.created_at`,
  filters: {
    code: lookup((code) => sql`t.code = ${code}`),
    credits: compared((credits) => sql`t.credits = ${credits}`),
  },
};

/** Lists the codes for credits, newest first. */
export function listCodes({ db }: Pick<Context, 'db'>, request: ListRequest & CodeFilters): Promise<Page<ListedCode>> {
  return readPage(db.read, CODES, request);
}
