import type { z } from '@hono/zod-openapi';
import { type ErrorCode, Problem, type ProblemDetails } from '../kernel/errors.ts';
import { fieldName, rejectUnstorableText } from './json-text.ts';

type Issue = z.core.$ZodIssue;
/** What zod-openapi passes to a hook. It also has `data`, left out here so that routes infer their types from the schema. */
type Validation = { target: string } & ({ success: true } | { success: false; error: z.ZodError });
/** Error codes of fields by their path, such as `{ prompt: 'ERR_4003' }`. All other fields are ERR_4006. */
type FieldCodes = Record<string, ErrorCode>;

/** A route's hook (or the app's `defaultHook`): throws a problem that names the first field that its schema rejects. */
export function rejectInvalid(codes: FieldCodes = {}): (result: Validation) => undefined {
  return (result) => {
    const data = 'data' in result ? result.data : undefined;
    if (!result.success) {
      throw problemOf(result.error, result.target === 'query' ? withoutEmpty(data) : data, codes);
    }
    // Bodies were checked when they were read. URL parameters are checked here, before they reach a database query.
    if (result.target === 'query' || result.target === 'param') rejectUnstorableText(data);
  };
}

/** Returns the values of a query that are given: an empty one means the same as none. */
export function withoutEmpty(query: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query ?? {}).filter(([, value]) => value !== ''));
}

/** Returns a problem that names the first invalid field, its allowed values, and whether it is missing from `data`. */
export function problemOf(error: z.ZodError, data?: unknown, codes: FieldCodes = {}): Problem {
  const issue = error.issues.map(innermost)[0];
  if (issue === undefined) return new Problem('ERR_4006', { details: { field: 'body' } });
  const field = fieldName(issue.path);
  const details: ProblemDetails = { field };
  const allowed = allowedBy(issue);
  if (allowed !== undefined) details.allowed = allowed;
  else if (issue.code === 'invalid_type' && valueAt(data, issue.path) === undefined) details.reason = 'missing';
  return new Problem(codes[field] ?? 'ERR_4006', { details, cause: error });
}

/** Of a union's branches, the issue of the closest match. An unknown key becomes part of the path. */
function innermost(issue: Issue): Issue {
  if (issue.code === 'unrecognized_keys') return { ...issue, path: [...issue.path, issue.keys[0] ?? ''] };
  if (issue.code !== 'invalid_union') return issue;
  const choices = literalsOf(issue);
  if (choices.length > 0) return { ...issue, code: 'invalid_value', values: choices };
  const [closest] = issue.errors.filter((branch) => branch.length > 0).sort((a, b) => a.length - b.length);
  if (closest?.[0] === undefined) return issue;
  const inner = innermost(closest[0]);
  return { ...inner, path: [...issue.path, ...inner.path] };
}

type Literal = z.core.util.Primitive;

/** All values of a union of literals; empty for any other union. */
function literalsOf({ errors }: z.core.$ZodIssueInvalidUnion): Literal[] {
  const issues = errors.flat();
  const isOfLiterals = issues.every(({ code, path }) => code === 'invalid_value' && path.length === 0);
  return isOfLiterals ? issues.flatMap((issue) => (issue.code === 'invalid_value' ? issue.values : [])) : [];
}

/** The allowed values, or the bounds under their JSON Schema names. */
function allowedBy(issue: Issue): unknown {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values;
    case 'invalid_union':
      return 'options' in issue ? issue.options : undefined;
    case 'not_multiple_of':
      return { multipleOf: issue.divisor };
    case 'too_small':
      return { [BOUNDS[issue.origin]?.[0] ?? 'minimum']: Number(issue.minimum) };
    case 'too_big':
      return { [BOUNDS[issue.origin]?.[1] ?? 'maximum']: Number(issue.maximum) };
    case 'custom':
      return issue.params?.allowed;
    default:
      return undefined;
  }
}

const BOUNDS: Record<string, [least: string, most: string]> = {
  string: ['minLength', 'maxLength'],
  array: ['minItems', 'maxItems'],
};

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    data,
  );
}
