import { Problem } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import type { Context } from '../context.ts';

export type Theme = 'light' | 'dark' | 'system';
/** Null and undefined: not given. */
export type ProfileChange = { language?: Locale | null | undefined; themePreference?: Theme | null | undefined };

/** Returns the fields of an account that its owner may see. Throws ERR_4005 if the account is deleted. */
export async function readProfile(ctx: Pick<Context, 'db'>, userId: string) {
  const row = await ctx.db.read
    .selectFrom('users')
    .select([
      'id',
      'email',
      'device_id',
      'apple_sub',
      'is_guest',
      'tier',
      'credits_remaining',
      'credits_total',
      'initial_grant_claimed',
      'language',
      'theme_preference',
      'created_at',
      'updated_at',
    ])
    .where('id', '=', userId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) throw new Problem('ERR_4005');
  return row;
}

/** Updates the language and the theme of an account; a field that is not given does not change. */
export async function updateProfile(ctx: Pick<Context, 'db'>, userId: string, change: ProfileChange) {
  await ctx.db.call('update_profile', {
    user_id: userId,
    language: change.language ?? null,
    theme_preference: change.themePreference ?? null,
  });
  return readProfile(ctx, userId);
}
