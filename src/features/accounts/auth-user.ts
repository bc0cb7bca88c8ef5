import type { Context } from '../context.ts';

/** How the person of an account signs in with Apple. */
export type AppleLink = {
  id: string;
  isEmailVerified: boolean;
  isPrivateEmail: boolean;
  createdAt: Date;
  signedInAt: Date;
};

/** An account as Supabase's auth clients see it. */
export type AuthUser = {
  id: string;
  email: string | null;
  isGuest: boolean;
  appleSub: string | null;
  appleLink: AppleLink | null;
  /** What the app keeps with the account. */
  metadata: Record<string, unknown>;
  createdAt: Date;
  updatedAt: Date;
};

/** Returns the account, null if it is deleted. */
export async function readAuthUser(ctx: Pick<Context, 'db'>, userId: string): Promise<AuthUser | null> {
  const row = await ctx.db.read
    .selectFrom('users')
    .leftJoin('apple_identities as apple', 'apple.user_id', 'users.id')
    .leftJoin('user_metadata', 'user_metadata.user_id', 'users.id')
    .select(['users.id', 'users.email', 'users.is_guest', 'users.apple_sub', 'users.created_at', 'users.updated_at'])
    .select(['apple.id as link_id', 'apple.is_email_verified', 'apple.is_private_email'])
    .select(['apple.created_at as linked_at', 'apple.signed_in_at', 'user_metadata.data'])
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  const { id, email, is_guest: isGuest, apple_sub: appleSub, created_at: createdAt, updated_at: updatedAt } = row;
  const appleLink = row.link_id && {
    id: row.link_id,
    isEmailVerified: row.is_email_verified ?? false,
    isPrivateEmail: row.is_private_email ?? false,
    createdAt: row.linked_at ?? createdAt,
    signedInAt: row.signed_in_at ?? createdAt,
  };
  // A check on the column allows only objects.
  const metadata = (row.data ?? {}) as Record<string, unknown>;
  return { id, email, isGuest, appleSub, appleLink: appleLink || null, metadata, createdAt, updatedAt };
}
