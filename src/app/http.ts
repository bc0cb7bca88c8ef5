/** Builds the HTTP API of all slices: one app that takes web-standard requests and returns web-standard responses. */
import type { MiddlewareHandler } from 'hono';
import { every } from 'hono/combine';
import { findAccount } from '../features/accounts/find-account.ts';
import { CREATE_SESSION, SIGN_UP } from '../features/accounts/http/auth-openapi.ts';
import { authRoutes } from '../features/accounts/http/auth-routes.ts';
import { authUserRoutes } from '../features/accounts/http/auth-user-routes.ts';
import { DEVICE_CHECK } from '../features/accounts/http/openapi.ts';
import { APPLE_ACCOUNT_NOTIFICATIONS } from '../features/accounts/http/people-openapi.ts';
import { peopleRoutes } from '../features/accounts/http/people-routes.ts';
import { accountRoutes } from '../features/accounts/http/routes.ts';
import { findAdministrator } from '../features/admin/find-administrator.ts';
import { adminRoutes } from '../features/admin/http/routes.ts';
import { catalogueRoutes } from '../features/catalogue/http/routes.ts';
import type { Context } from '../features/context.ts';
import { creditRoutes } from '../features/credits/http/routes.ts';
import { generationRoutes } from '../features/generations/http/routes.ts';
import { sharingRoutes } from '../features/generations/http/sharing-routes.ts';
import { DELIVER_WEBHOOK } from '../features/generations/http/webhook-openapi.ts';
import { webhookRoutes } from '../features/generations/http/webhook-routes.ts';
import type { MetricsAccess } from '../features/maintenance/http/metrics-routes.ts';
import { GET_HEALTH, GET_METRICS, GET_READINESS } from '../features/maintenance/http/openapi.ts';
import { maintenanceRoutes } from '../features/maintenance/http/routes.ts';
import { pushRoutes } from '../features/notifications/http/push-routes.ts';
import { notificationRoutes } from '../features/notifications/http/routes.ts';
import { APP_STORE_NOTIFICATIONS } from '../features/purchases/http/openapi.ts';
import { purchaseRoutes } from '../features/purchases/http/routes.ts';
import { STRIPE_WEBHOOK } from '../features/purchases/http/stripe-openapi.ts';
import { stripeRoutes } from '../features/purchases/http/stripe-routes.ts';
import { storageRoutes } from '../features/storage/http/routes.ts';
import { signedRoutes } from '../features/storage/http/signed-routes.ts';
import { createAccountAliases } from '../http/account-aliases.ts';
import { type Api, createApi } from '../http/api.ts';
import { bearerToken, readCaller, requireCaller } from '../http/auth.ts';
import { administratorOf, callerId, checkQueryUserId, checkUserId } from '../http/caller.ts';
import { busyLine, callsInProgress } from '../http/calls-in-progress.ts';
import type { IpReader } from '../http/client-ip.ts';
import { cors } from '../http/cors.ts';
import { inDialect } from '../http/dialect.ts';
import { createDownloads } from '../http/downloads.ts';
import type { HttpEnv } from '../http/env.ts';
import { failedRequests } from '../http/failed-requests.ts';
import { cancelUnsentBody } from '../http/head.ts';
import { jsonBody } from '../http/json-body.ts';
import { shedLoad } from '../http/load-shedding.ts';
import { NoAccess } from '../http/no-access.ts';
import { requestOrigin } from '../http/origin.ts';
import { asProblem, errorHandler } from '../http/problem.ts';
import { type CallLimiter, createCallLimiter, setRateLimitHeaders } from '../http/rate-limit.ts';
import { requestId } from '../http/request-id.ts';
import { requestLog } from '../http/request-log.ts';
import { createRouter, type Guards } from '../http/route.ts';
import { securityHeaders } from '../http/security-headers.ts';
import { unrouted } from '../http/unrouted.ts';
import { Problem } from '../kernel/errors.ts';
import { describe } from './describe.ts';

export type HttpOptions = {
  /** Undefined: URLs in responses are built from the origin of each request. */
  publicUrl: string | undefined;
  /** How many proxies are trusted to say how they were called. None by default. */
  trustedProxyHops?: number;
  corsOrigins: '*' | string[];
  anonKey: string | undefined;
  /** The page of the simulated Sign in with Apple; null or absent: it is not simulated here. */
  appleAuthorizePath?: string | null;
  /** The page of the simulated App Store; likewise. */
  appStorePath?: string | null;
  ipOf: IpReader;
  /** Returns null if the worker is another process. */
  isWorking: () => boolean | null;
  /** Nobody may read the metrics by default. */
  metrics?: MetricsAccess;
};

const NO_METRICS: MetricsAccess = { token: undefined, isLocal: () => false };

/** An app loads a screen with a handful of calls; more than this only wait for one another. */
const CALLS_OF_ACCOUNT_MAX = 8;
/** The phones behind one IP address. Apple is asked meanwhile, so these calls may last. */
const DEVICE_CHECKS_OF_IP_MAX = 30;
/** The same phones sign in and refresh: they wait, so that hundreds at once are not refused. */
const SESSIONS_OF_IP = { max: CALLS_OF_ACCOUNT_MAX, waitingMax: 400, refusal: busyLine };

/**
 * What callers without an account do at once from one IP address. Bodies have up to a megabyte before a signature is checked. Senders of
 * webhooks repeat what a 503 refuses.
 */
const PUBLIC_CALLS_OF_IP = { max: 60, waitingMax: 400, refusal: busyLine };
/** Health checks and metrics say what is wrong; vendors' events wait outside otherwise, and each is short. */
const NEVER_SHED = new Set(
  [
    GET_HEALTH,
    GET_READINESS,
    GET_METRICS,
    DELIVER_WEBHOOK,
    APP_STORE_NOTIFICATIONS,
    APPLE_ACCOUNT_NOTIFICATIONS,
    STRIPE_WEBHOOK,
  ].map(({ checked }): string => checked.path),
);

export function createHttp(ctx: Context, options: HttpOptions): Api {
  const api = createApi();
  const { publicUrl, trustedProxyHops = 0 } = options;
  api.use(requestId(ctx.newUuid));
  api.use(requestLog({ ...ctx, problemOf: asProblem }));
  api.use(failedRequests(ctx.errorLog));
  api.use(cancelUnsentBody);
  api.use(cors(options.corsOrigins));
  api.use(securityHeaders({ isHttpsOnly: publicUrl?.startsWith('https:') ?? false }));
  api.use(async (c, next) => {
    c.set('origin', publicUrl ?? requestOrigin(c.req.raw, trustedProxyHops));
    await next();
  });
  api.use(shedLoad({ log: ctx.log, readOverload: ctx.readOverload, isExempt: (path) => NEVER_SHED.has(path) }));
  api.use(DEVICE_CHECK.checked.path, callsInProgress(options.ipOf, { max: DEVICE_CHECKS_OF_IP_MAX }));
  for (const { checked } of [CREATE_SESSION, SIGN_UP])
    api.use(checked.path, callsInProgress(options.ipOf, SESSIONS_OF_IP));
  const calls = createCallLimiter(ctx.policy.limits.callsPerMinute);
  const guards = createGuards(ctx, options, calls);
  const router = createRouter(api, guards);
  // Uploads last, and are bounded for each account; what watches the server must not wait for anything.
  const unbounded = createRouter(api, { ...guards, public: { plain: null, json: jsonBody() } });
  accountRoutes(router, ctx, options.ipOf);
  authRoutes(router, ctx, { ipOf: options.ipOf, asUser: guards.user.plain });
  const { appleAuthorizePath = null, appStorePath = null } = options;
  authUserRoutes(router, ctx, { appleAuthorizePath, appStorePath });
  peopleRoutes(router, ctx);
  creditRoutes(router, ctx, options.ipOf);
  catalogueRoutes(router, ctx);
  generationRoutes(router, ctx, options.ipOf);
  sharingRoutes(router, ctx);
  purchaseRoutes(router, ctx);
  stripeRoutes(router, ctx);
  const downloads = createDownloads();
  storageRoutes(router, ctx, downloads);
  signedRoutes(unbounded, ctx, { calls, downloads, ipOf: options.ipOf });
  webhookRoutes(router, ctx);
  notificationRoutes(router, ctx);
  pushRoutes(router, ctx);
  adminRoutes(router, ctx, options.ipOf);
  maintenanceRoutes(unbounded, ctx, { isWorking: options.isWorking, metrics: options.metrics ?? NO_METRICS });
  describe(api);

  const onError = errorHandler(ctx.log);
  api.onError((error, c) => inDialect(c, error, onError(error, c)));
  api.notFound(unrouted(api));
  return api;
}

/**
 * For users: checks the token, waits for one of the account's slots, checks the session, that the account is neither deleted nor
 * banned, its call limit, and `user_id`.
 */
function createGuards(ctx: Context, options: HttpOptions, calls: CallLimiter) {
  const caller = requireCaller({ verify: ctx.tokens.verify, anonKey: options.anonKey });
  const aliases = createAccountAliases();
  // Before the first statement: a call that waits for its turn holds no session of the database.
  const inTurn = callsInProgress((c) => aliases.accountOf(callerId(c)), { max: CALLS_OF_ACCOUNT_MAX });

  const inTurnOfIp = callsInProgress(options.ipOf, PUBLIC_CALLS_OF_IP);

  const account: MiddlewareHandler<HttpEnv> = async (c, next) => {
    const claims = c.get('caller');
    if (!claims) throw new NoAccess('missing');
    const found = await findAccount(ctx, claims);
    if (typeof found === 'string') throw new NoAccess(found);
    aliases.learn(claims.userId, found.id);
    c.set('caller', { ...claims, userId: found.id, mergedIds: found.mergedIds });
    c.set('language', found.language);
    if (found.isBanned) throw new Problem('ERR_4013');
    setRateLimitHeaders(c, await calls.take(found.id));
    checkQueryUserId(c);
    await next();
  };
  const checkBody: MiddlewareHandler<HttpEnv> = async (c, next) => {
    checkUserId(c, (await c.req.json()).user_id);
    await next();
  };
  return {
    user: {
      plain: every(caller, inTurn, account),
      json: every(caller, inTurn, account, jsonBody({ acceptsText: true }), checkBody),
    },
    admin: createAdminGuards(ctx, options, calls),
    public: { plain: inTurnOfIp, json: every(inTurnOfIp, jsonBody()) },
  } satisfies Guards;
}

/** For administrators: checks the token and that its session is open, and bounds and counts their calls as those of users. */
function createAdminGuards(ctx: Context, { anonKey }: HttpOptions, calls: CallLimiter): Guards['admin'] {
  const administrator: MiddlewareHandler<HttpEnv> = async (c, next) => {
    const header = c.req.header('Authorization');
    const token = bearerToken(header, anonKey);
    if (token === null) throw new NoAccess('missing');
    const claims = await ctx.adminTokens.verify(token);
    if (typeof claims === 'string') {
      // A user's token that is good elsewhere is known, but not allowed here.
      await readCaller(header, { verify: ctx.tokens.verify, anonKey });
      throw new Problem('ERR_4005', { status: 403 });
    }
    const found = await findAdministrator(ctx, claims);
    if (found === null) throw new NoAccess('signed_out');
    c.set('administrator', found);
    setRateLimitHeaders(c, await calls.take(found.userId));
    await next();
  };
  const inTurn = callsInProgress((c) => administratorOf(c).userId, { max: CALLS_OF_ACCOUNT_MAX });
  return { plain: every(administrator, inTurn), json: every(administrator, inTurn, jsonBody()) };
}
