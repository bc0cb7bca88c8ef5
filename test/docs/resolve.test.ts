import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveWithin } from '../../web/docs/src/resolve.ts';
import { declareRoutes } from './routes.ts';

const BASE = 'http://here/docs#/Video%20jobs/generateVideo';

test('every endpoint and schema is shown whole: each reference is replaced by its target, marked with its origin', async () => {
  type Document = { paths: Record<string, object>; components: { schemas: object } };
  const spec: Document = await (await declareRoutes().request('/openapi.json')).json();
  const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ['paths', path, method]),
  );
  const paths = [...operations, ['components', 'schemas'], ['components', 'securitySchemes']];
  assert.ok(operations.length > 25);
  for (const path of paths) assertWhole(resolveWithin(spec, path, BASE), valueAt(spec, path), spec);
});

test('a reference to itself, to another document or to nothing stays as it is', () => {
  const self = { properties: { next: { $ref: '#/Node' } } };
  const spec = { Node: self, list: [{ $ref: '#/none' }, { $ref: 'https://there/x.json#/Node' }, null, 1, 'text'] };
  assert.deepEqual(resolveWithin(spec, ['list'], BASE), spec.list);
  const node = { properties: { next: { ...self, $$ref: 'http://here/docs#/Node' } } };
  assert.deepEqual(resolveWithin(spec, ['Node'], BASE), node);
  assert.equal(resolveWithin(spec, ['nowhere', 'at all'], BASE), undefined);
});

/** Both are equal except for references, which `shown` has resolved. */
function assertWhole(shown: unknown, written: unknown, spec: object): void {
  if (typeof written !== 'object' || written === null) {
    assert.equal(shown, written);
  } else if ('$ref' in written && typeof written.$ref === 'string') {
    const { $$ref, ...rest } = shown as { $$ref?: string };
    assert.equal($$ref, `http://here/docs${written.$ref}`);
    assertWhole(rest, valueAt(spec, written.$ref.slice(2).split('/')), spec);
  } else {
    assert.deepEqual(Object.keys(shown as object), Object.keys(written));
    for (const [key, value] of Object.entries(written)) assertWhole(valueAt(shown as object, [key]), value, spec);
  }
}

function valueAt(whole: object, path: string[]): unknown {
  return path.reduce((value: unknown, key) => (value as Record<string, unknown>)[key], whole);
}
