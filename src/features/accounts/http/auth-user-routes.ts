/** The part of Supabase's auth API that needs a user, and what it says about itself. */

import { authError } from '../../../http/auth-dialect.ts';
import { callerId, callerSessionId } from '../../../http/caller.ts';
import { NoAccess } from '../../../http/no-access.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { readAuthUser } from '../auth-user.ts';
import { updateMetadata } from '../metadata.ts';
import { signOut } from '../sessions.ts';
import { presentUser, UserChange } from './auth-schemas.ts';
import { GET_AUTH_HEALTH, GET_AUTH_SETTINGS, GET_AUTH_USER, SIGN_OUT, UPDATE_AUTH_USER } from './auth-user-openapi.ts';

const SCOPES = ['global', 'local', 'others'] as const;

/** The pages that stand for Apple's in development; null where people sign in, and buy, at Apple. */
export type AuthUserRouteOptions = { appleAuthorizePath: string | null; appStorePath: string | null };

export function authUserRoutes(router: Router, ctx: Context, pages: AuthUserRouteOptions): void {
  router.add(GET_AUTH_USER, async (c) => {
    const user = await readAuthUser(ctx, callerId(c));
    if (!user) throw new NoAccess('gone');
    return c.json(presentUser(user), 200);
  });

  router.add(UPDATE_AUTH_USER, async (c) => {
    const parsed = UserChange.safeParse(await c.req.json());
    if (!parsed.success)
      return authError(c, 400, 'bad_json', 'Could not parse request body as JSON: data must be an object');
    const { data, email, phone, password, app_metadata: appData } = parsed.data;
    if (appData) return authError(c, 403, 'not_admin', 'Updating app_metadata requires admin privileges');
    if (email) return authError(c, 422, 'email_provider_disabled', 'Email addresses come from Sign in with Apple');
    if (phone) return authError(c, 422, 'phone_provider_disabled', 'Phone numbers are not supported');
    if (password) return authError(c, 422, 'email_provider_disabled', 'Passwords are not supported');
    const user = data ? await updateMetadata(ctx, callerId(c), data) : await readAuthUser(ctx, callerId(c));
    if (!user) throw new NoAccess('gone');
    return c.json(presentUser(user), 200);
  });

  router.add(SIGN_OUT, async (c) => {
    const scope = SCOPES.find((name) => name === (c.req.query('scope') || 'global'));
    if (!scope) return authError(c, 400, 'validation_failed', `Unsupported logout scope "${c.req.query('scope')}"`);
    await signOut(ctx, { userId: callerId(c), sessionId: callerSessionId(c), scope });
    return c.body(null, 204);
  });

  router.add(GET_AUTH_HEALTH, (c) =>
    c.json({ version: 'v2', name: 'GoTrue', description: 'The part of Supabase Auth that this server speaks' }, 200),
  );

  router.add(GET_AUTH_SETTINGS, (c) =>
    c.json(
      {
        external: { anonymous_users: true, apple: ctx.appleIdentity !== null, email: false, phone: false },
        disable_signup: false,
        mailer_autoconfirm: false,
        phone_autoconfirm: false,
        sms_provider: '',
        saml_enabled: false,
        apple_authorize_url: pages.appleAuthorizePath,
        app_store_url: pages.appStorePath,
      },
      200,
    ),
  );
}
