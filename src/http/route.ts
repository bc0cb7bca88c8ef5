/**
 * Declares routes: access, shapes, errors and descriptions in one call. A slice declares its routes in `http/openapi.ts` and
 * mounts each with its handler in `http/routes.ts`.
 */
import { type RouteConfig, type RouteHandler, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { ErrorCode } from '../kernel/errors.ts';
import type { Api } from './api.ts';
import type { HttpEnv } from './env.ts';
import { ADMIN_ERRORS, type Answer, BODY_ERRORS, responses, USER_ERRORS } from './openapi.ts';
import type { HeaderName } from './openapi-headers.ts';
import { rejectInvalid, withoutEmpty } from './validate.ts';

/**
 * `user`: an account that is neither deleted nor banned and within its call limit. `admin`: an administrator whose session is open, and
 * within the same limit. `public`: any caller.
 */
export type Access = 'user' | 'admin' | 'public';

/** The middleware before a route's handler, by access; `json` for routes that take a JSON body. */
export type Guards = Record<Access, { plain: MiddlewareHandler<HttpEnv> | null; json: MiddlewareHandler<HttpEnv> }>;

const SECURITY: Record<Access, Record<string, string[]>[]> = {
  user: [{ bearer: [] }],
  admin: [{ adminBearer: [] }],
  public: [],
};

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Request = NonNullable<RouteConfig['request']>;
type Responses = RouteConfig['responses'];

type Description = Pick<RouteConfig, 'tags' | 'parameters'> & {
  method: Method;
  /** The path in the OpenAPI document, such as `/object/{bucket}/{path}`. */
  path: string;
  /** The pattern that the router matches, if it differs from `path`. */
  pattern?: string;
  operationId: string;
  summary: string;
  description: string;
  /** Parts of the request that are described in addition to `request`, and read by the handler itself. */
  documents?: Request;
  /** Whether a JSON body is read before the handler. Defaults to whether `request` has one. */
  takesJson?: boolean;
  /** Runs after the guard, around validation and handler. */
  middleware?: MiddlewareHandler<HttpEnv>;
  /** Error codes of fields that have their own. */
  fieldCodes?: Record<string, ErrorCode>;
  /** The HEAD of a GET, if it is described separately. */
  head?: { operationId: string; summary: string; description: string; responses: Responses };
};

/** A route whose response is JSON. `request` is validated before the handler. */
export type JsonRouteSpec<R extends Request, Schema extends z.ZodType> = Description & {
  request?: R;
  answer: Answer<Schema> & { schema: Schema };
};

/** A route whose response is not JSON, or has Supabase's format: it describes its responses itself. */
export type RawRouteSpec<R extends Request> = Description & { request?: R; responses: Responses };

/** `checked` is what the router validates and types; `document` is what the OpenAPI document shows. */
export type Route<Checked extends RouteConfig = RouteConfig> = {
  access: Access;
  checked: Checked;
  document: RouteConfig;
  head: RouteConfig | null;
  takesJson: boolean;
  middleware: MiddlewareHandler<HttpEnv> | undefined;
  fieldCodes: Record<string, ErrorCode>;
};

type JsonRoute<R extends Request, Schema extends z.ZodType> = Route<{
  method: Method;
  path: string;
  request: R;
  responses: ReturnType<typeof responses<Schema>>;
}>;
type RawRoute<R extends Request> = Route<{ method: Method; path: string; request: R; responses: Responses }>;

/** The headers that show what is left of the calls per minute. */
const USER_HEADERS: HeaderName[] = ['RateLimit', 'RateLimitPolicy'];

/** Declares a JSON route for users: adds the bearer token, the errors of its guard and the rate limit headers. */
export function userRoute<R extends Request, Schema extends z.ZodType>(
  spec: JsonRouteSpec<R, Schema>,
): JsonRoute<R, Schema> {
  const { errors = [], headers = [], ...answer } = spec.answer;
  const described = responses(spec.answer.schema, {
    ...answer,
    headers: [...USER_HEADERS, ...headers],
    errors: [...USER_ERRORS, ...bodyErrorsOf(spec), ...errors],
  });
  return routeOf('user', spec, described);
}

/** Declares a JSON route for administrators: adds their bearer token, the errors of its guard and the rate limit headers. */
export function adminRoute<R extends Request, Schema extends z.ZodType>(
  spec: JsonRouteSpec<R, Schema>,
): JsonRoute<R, Schema> {
  const { errors = [], headers = [], ...answer } = spec.answer;
  const described = responses(spec.answer.schema, {
    ...answer,
    headers: [...USER_HEADERS, ...headers],
    errors: [...ADMIN_ERRORS, ...bodyErrorsOf(spec), ...errors],
  });
  return routeOf('admin', spec, described);
}

/** Declares a JSON route that needs no token. */
export function publicRoute<R extends Request, Schema extends z.ZodType>(
  spec: JsonRouteSpec<R, Schema>,
): JsonRoute<R, Schema> {
  const { errors = [], ...answer } = spec.answer;
  const described = responses(spec.answer.schema, { ...answer, errors: [...bodyErrorsOf(spec), ...errors] });
  return routeOf('public', spec, described);
}

/** Declares a route for users that describes its own responses. */
export function rawUserRoute<R extends Request>(spec: RawRouteSpec<R>): RawRoute<R> {
  return routeOf('user', spec, spec.responses);
}

/** Declares a route that needs no token and describes its own responses. */
export function rawPublicRoute<R extends Request>(spec: RawRouteSpec<R>): RawRoute<R> {
  return routeOf('public', spec, spec.responses);
}

export type Router = {
  /** Mounts a route's handler behind its guard and validation, and adds the route to the document. */
  add<Checked extends RouteConfig>(route: Route<Checked>, handler: RouteHandler<Checked, HttpEnv>): void;
};

export function createRouter(api: Api, guards: Guards): Router {
  return {
    add(route, handler) {
      api.openAPIRegistry.registerPath(route.document);
      if (route.head) api.openAPIRegistry.registerPath(route.head);
      const guard = guards[route.access][route.takesJson ? 'json' : 'plain'];
      const middleware = [guard, route.middleware].filter((each) => each !== undefined && each !== null);
      mount(api, { ...route.checked, middleware, hide: true }, handler, rejectInvalid(route.fieldCodes));
    },
  };
}

/** The library infers a handler's types from a complete route, guard included; `add` has already checked ours. */
function mount(api: Api, route: RouteConfig, handler: unknown, hook: ReturnType<typeof rejectInvalid>): void {
  api.openapi(route, handler as RouteHandler<RouteConfig, HttpEnv>, hook);
}

function routeOf<R extends Request, Described extends Responses>(
  access: Access,
  spec: Description & { request?: R },
  described: Described,
): Route<{ method: Method; path: string; request: R; responses: Described }> {
  const { pattern, request, documents, fieldCodes = {}, head, method, path, ...texts } = spec;
  const { tags, operationId, summary, description, parameters } = texts;
  const security = SECURITY[access];
  const common = { path, ...(tags && { tags }), security, request: { ...request, ...documents } };
  const document = { ...common, method, operationId, summary, description, responses: described };
  return {
    access,
    // Without a `request` in the spec nothing is validated.
    checked: { method, path: pattern ?? path, request: givenOnly(request ?? ({} as R)), responses: described },
    document: parameters ? { ...document, parameters } : document,
    head: head ? { ...common, method: 'head', ...head } : null,
    takesJson: spec.takesJson ?? isJson(request?.body),
    middleware: spec.middleware,
    fieldCodes,
  };
}

/** The schema of a query sees only values that are given. */
function givenOnly<R extends Request>(request: R): R {
  return request.query ? { ...request, query: z.preprocess(withoutEmpty, request.query) } : request;
}

function bodyErrorsOf({ request }: { request?: Request }): ErrorCode[] {
  return isJson(request?.body) ? BODY_ERRORS : [];
}

function isJson(body: Request['body']): boolean {
  return body !== undefined && 'application/json' in body.content;
}
