/** Codes of a test's database, and calls that redeem them. */
import type { Answer, People, Person } from '../../support/people.ts';

export type NewCode = { credits?: number; usesMax?: number; code?: string | null; expiresAt?: Date | null };

/** Creates a code as an administrator would, and returns it as it is stored. */
export async function newCode(people: People, options: NewCode = {}): Promise<string> {
  const { credits = 5, usesMax = 10, code = null, expiresAt = null } = options;
  const sql = 'select code from create_code(p_credits := $1, p_uses_max := $2, p_code := $3, p_expires_at := $4)';
  const [row] = await people.rows(sql, [credits, usesMax, code, expiresAt]);
  return String(row?.code);
}

export const redeem = (
  people: People,
  { token }: Pick<Person, 'token'>,
  code: unknown,
  headers = {},
): Promise<Answer> => people.call(token, 'redeem-code', { code }, headers);

/** How often a code has been used, and by whom. */
export async function usesOf(people: People, code: string) {
  const [counted] = await people.rows('select uses from codes where code = $1', [code]);
  const users = await people.rows(
    'select user_id from code_uses u join codes c on c.id = u.code_id where c.code = $1 order by u.created_at',
    [code],
  );
  return { uses: Number(counted?.uses), users: users.map(({ user_id: id }) => String(id)) };
}

/** Status, error code and what was added, of answers in any order. */
export function outcomesOf(answers: Answer[]): string[] {
  return answers.map(({ status, body }) => `${status} ${body.error?.code ?? body.credits_added}`).sort();
}

let count = 0;
/** A well-formed code that does not exist. */
export function wrongCode(): string {
  count += 1;
  return `WRONG${count}`;
}
