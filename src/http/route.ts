/**
 * How every route is declared: who may call it, its shapes, its errors and its prose in one call. A slice writes its routes
 * in `http/openapi.ts` and mounts each with its handler in `http/routes.ts`.
 */
import type { RouteConfig, RouteHandler, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { ErrorCode } from '../kernel/errors.ts';
import type { Api } from './api.ts';
import type { HttpEnv } from './env.ts';
import { type Answer, BODY_ERRORS, responses, USER_ERRORS } from './openapi.ts';
import type { HeaderName } from './openapi-headers.ts';
import { refuseInvalid } from './validate.ts';

/** `user`: a living, unbanned account that is within its limit of calls. `public`: any caller. */
export type Access = 'user' | 'public';

/** What stands before a route's handler, by who may call it; `json`: it takes a JSON body. */
export type Guards = Record<Access, { plain: MiddlewareHandler<HttpEnv> | null; json: MiddlewareHandler<HttpEnv> }>;

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Request = NonNullable<RouteConfig['request']>;
type Responses = RouteConfig['responses'];

type Description = Pick<RouteConfig, 'tags' | 'parameters'> & {
  method: Method;
  /** As the OpenAPI document has it, such as `/object/{bucket}/{path}`. */
  path: string;
  /** As the router matches it, where that differs. */
  pattern?: string;
  operationId: string;
  summary: string;
  description: string;
  /** What is described beside `request` and read by the handler itself. */
  documents?: Request;
  /** Whether a JSON body is read before the handler; by default where `request` has one. */
  takesJson?: boolean;
  /** Runs behind the guard, around validation and handler. */
  middleware?: MiddlewareHandler<HttpEnv>;
  /** Fields whose refusal has a code of its own. */
  fieldCodes?: Record<string, ErrorCode>;
  /** The HEAD of a GET, where it is worth a description of its own. */
  head?: { operationId: string; summary: string; description: string; responses: Responses };
};

/** A route that answers with JSON. `request` is validated before the handler. */
export type JsonRouteSpec<R extends Request, Schema extends z.ZodType> = Description & {
  request?: R;
  answer: Answer<Schema> & { schema: Schema };
};

/** A route that answers with something else, or in another dialect: it describes its responses itself. */
export type RawRouteSpec<R extends Request> = Description & { request?: R; responses: Responses };

/** What the router validates and types; `document` is what the OpenAPI document shows. */
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

/** The headers that tell a user what is left of the calls per minute. */
const USER_HEADERS: HeaderName[] = ['RateLimit', 'RateLimitPolicy'];

/** A route for users: adds the bearer token, the errors that its guard can answer, and the headers of the limit. */
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

/** A route that anybody may call. */
export function publicRoute<R extends Request, Schema extends z.ZodType>(
  spec: JsonRouteSpec<R, Schema>,
): JsonRoute<R, Schema> {
  const { errors = [], ...answer } = spec.answer;
  const described = responses(spec.answer.schema, { ...answer, errors: [...bodyErrorsOf(spec), ...errors] });
  return routeOf('public', spec, described);
}

/** A route for users whose answer is not JSON of ours. */
export function rawUserRoute<R extends Request>(spec: RawRouteSpec<R>): RawRoute<R> {
  return routeOf('user', spec, spec.responses);
}

/** A route that anybody may call, and whose answer is not JSON of ours. */
export function rawPublicRoute<R extends Request>(spec: RawRouteSpec<R>): RawRoute<R> {
  return routeOf('public', spec, spec.responses);
}

export type Router = {
  /** Puts a schema into the document that no route refers to. */
  define(name: string, schema: z.ZodType): void;
  /** Mounts a route with its handler, behind its guard and its validation, and describes it. */
  add<Checked extends RouteConfig>(route: Route<Checked>, handler: RouteHandler<Checked, HttpEnv>): void;
};

export function createRouter(api: Api, guards: Guards): Router {
  return {
    define: (name, schema) => void api.openAPIRegistry.register(name, schema),
    add(route, handler) {
      api.openAPIRegistry.registerPath(route.document);
      if (route.head) api.openAPIRegistry.registerPath(route.head);
      const guard = guards[route.access][route.takesJson ? 'json' : 'plain'];
      const middleware = [guard, route.middleware].filter((each) => each !== undefined && each !== null);
      mount(api, { ...route.checked, middleware, hide: true }, handler, refuseInvalid(route.fieldCodes));
    },
  };
}

/** The library infers a handler's types from one whole route, guard included; ours were checked by `add` before. */
function mount(api: Api, route: RouteConfig, handler: unknown, hook: ReturnType<typeof refuseInvalid>): void {
  api.openapi(route, handler as RouteHandler<RouteConfig, HttpEnv>, hook);
}

function routeOf<R extends Request, Described extends Responses>(
  access: Access,
  spec: Description & { request?: R },
  described: Described,
): Route<{ method: Method; path: string; request: R; responses: Described }> {
  const { pattern, request, documents, fieldCodes = {}, head, method, path, ...prose } = spec;
  const { tags, operationId, summary, description, parameters } = prose;
  const security = access === 'user' ? { security: [{ bearer: [] }] } : {};
  const shown = { ...request, ...documents };
  const common = { path, ...(tags && { tags }), ...security, request: shown };
  const document = { ...common, method, operationId, summary, description, responses: described };
  return {
    access,
    // What was left out of a spec is an empty request.
    checked: { method, path: pattern ?? path, request: request ?? ({} as R), responses: described },
    document: parameters ? { ...document, parameters } : document,
    head: head ? { ...common, method: 'head', ...head } : null,
    takesJson: spec.takesJson ?? isJson(request?.body),
    middleware: spec.middleware,
    fieldCodes,
  };
}

function bodyErrorsOf({ request }: { request?: Request }): ErrorCode[] {
  return isJson(request?.body) ? BODY_ERRORS : [];
}

function isJson(body: Request['body']): boolean {
  return body !== undefined && 'application/json' in body.content;
}
