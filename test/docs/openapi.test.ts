import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { z } from 'zod';
import { translateExamples } from '../../src/entry/docs-page/translate-examples.ts';
import { ERROR_STATUS, type ErrorCode } from '../../src/kernel/errors.ts';
import { GUIDANCE } from '../../src/kernel/messages/guidance.ts';
import { messageFor } from '../../src/kernel/messages/index.ts';
import { declareRoutes } from './routes.ts';

type Schema = { [keyword: string]: unknown };
type Content = { schema: Schema; example?: unknown; examples?: Record<string, { summary?: string; value: unknown }> };
type Answer = { description: string; headers?: Record<string, { $ref?: string }>; content?: Record<string, Content> };
type Operation = {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security?: object[];
  parameters?: { name: string; in: string; description?: string; schema: Schema; example?: unknown }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, Answer>;
};
type OpenApi = {
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
type Described = { label: string; operation: Operation };

const api = declareRoutes();

let document: OpenApi;
let operations: Described[];
before(async () => {
  document = await (await api.request('/openapi.json')).json();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ label: `${method.toUpperCase()} ${path}`, operation })),
  );
});

const jsonOf = ({ content }: { content?: Record<string, Content> }) => content?.['application/json'];
const valuesOf = ({ example, examples = {} }: Content) =>
  [example, ...Object.values(examples).map(({ value }) => value)].filter((value) => value !== undefined);

/** The schema with its references, and closed: an example may not have properties that the schema does not name. */
function validatorOf(schema: Schema): z.ZodType {
  const text = JSON.stringify({ $defs: document.components.schemas, ...schema });
  const closed: unknown = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/'), (_, node) =>
    node?.type === 'object' && node.properties && node.additionalProperties === undefined
      ? { ...node, additionalProperties: false }
      : node,
  );
  return z.fromJSONSchema(closed as Parameters<typeof z.fromJSONSchema>[0]);
}

function assertFits(value: unknown, schema: Schema, label: string): void {
  const verdict = validatorOf(schema).safeParse(value);
  assert.ok(verdict.success, `${label}: ${verdict.error?.message}\n${JSON.stringify(value)}`);
}

describe('the OpenAPI document', () => {
  test('describes every route of the application, and no others', () => {
    const routed = api.routes
      // The document does not describe itself.
      .filter(({ method, path }) => method !== 'ALL' && path !== '/openapi.json')
      .map(
        ({ method, path }) =>
          `${method} ${path
            .replace(/(:\w+)\{(?:[^{}]|\{[^{}]*\})*\}/g, '$1')
            .replace(/:(\w+)/g, '{$1}')
            .replace('*', '{path}')}`,
      );
    // Every GET route answers HEAD too; the document describes HEAD only where it is useful.
    const described = operations.map(({ label }) => label).filter((label) => !label.startsWith('HEAD '));
    assert.deepEqual([...new Set(routed)].sort(), described.sort());
    for (const { label } of operations.filter(({ label }) => label.startsWith('HEAD '))) {
      assert.ok(described.includes(label.replace('HEAD', 'GET')), label);
    }
  });

  test('names every operation once and in camelCase, with a summary and a description', () => {
    const tags = new Map(document.tags.map(({ name, description }) => [name, description]));
    for (const description of tags.values()) assert.match(description, /\w\.$/);
    for (const { label, operation } of operations) {
      assert.match(operation.operationId, /^[a-z][A-Za-z]+$/, label);
      assert.match(operation.summary, /^[A-Z].*[^.]$/, label);
      assert.match(operation.description, /^[A-Z][\s\S]*\.$/, label);
      assert.deepEqual(
        operation.tags.filter((tag) => tags.has(tag)),
        operation.tags,
        label,
      );
      assert.equal(operation.tags.length, 1, label);
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    assert.deepEqual(ids, [...new Set(ids)]);
    assert.deepEqual(
      [...new Set(operations.flatMap(({ operation }) => operation.tags))].sort(),
      [...tags.keys()].sort(),
    );
  });

  test('explains every parameter and every header', () => {
    for (const { label, operation } of operations) {
      for (const { name, description } of operation.parameters ?? []) {
        const isPlain = ['bucket', 'grant_type'].includes(name);
        assert.ok(isPlain || (description ?? '').length > 5, `${label}: ${name}`);
      }
      for (const [status, answer] of Object.entries(operation.responses)) {
        const headers = Object.entries(answer.headers ?? {});
        assert.ok(answer.headers?.['X-Request-Id'], `${label} ${status}`);
        for (const [name, { $ref }] of headers) assert.match($ref ?? '', /^#\/components\/headers\/\w+$/, name);
      }
    }
  });

  test('has an example of every body and of every JSON answer', () => {
    for (const { label, operation } of operations) {
      const body = operation.requestBody && jsonOf(operation.requestBody);
      if (body) assert.ok(valuesOf(body).length > 0, `the body of ${label}`);
      for (const [status, answer] of Object.entries(operation.responses)) {
        const content = jsonOf(answer);
        if (content) assert.ok(valuesOf(content).length > 0, `${status} of ${label}`);
      }
    }
  });

  test('has only examples that match its own schemas', () => {
    let count = 0;
    for (const { label, operation } of operations) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) => {
        const content = part && jsonOf(part);
        return content ? [content] : [];
      });
      for (const content of contents) {
        for (const value of valuesOf(content)) {
          assertFits(value, content.schema, label);
          count += 1;
        }
      }
      for (const { name, schema, example } of operation.parameters ?? []) {
        if (example !== undefined) assertFits(example, schema, `${name} of ${label}`);
      }
    }
    assert.ok(count > 100, `${count} examples`);
  });

  test('types the event stream, and shows one whose events all match the schema of events', () => {
    const answer = document.paths['/functions/v1/job-events']?.get?.responses['200'];
    const stream = answer?.content?.['text/event-stream'];
    assert.deepEqual(stream?.schema, { $ref: '#/components/schemas/JobEvent' });
    assertFits(stream?.example, stream.schema, 'the example');
    const [, shown = ''] = /```\n([\s\S]*)```/.exec(answer?.description ?? '') ?? [];
    const frames = shown
      .trim()
      .split('\n\n')
      .filter((frame) => frame.includes('data: '));
    assert.equal(frames.length, 4);
    for (const frame of frames) {
      const lines = frame.split('\n').map((line): [string, string] => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon), line.slice(colon + 2)];
      });
      const { id, event, data } = Object.fromEntries(lines);
      assertFits({ id, event, data: JSON.parse(data ?? '') }, { $ref: '#/components/schemas/JobEvent' }, frame);
    }
  });

  test('names for every error status its codes, the advice, and the message that the server sends', () => {
    for (const { label, operation } of operations) {
      if (label.includes('/auth/v1/') || label.startsWith('HEAD ') || label.endsWith('z')) continue;
      const errors = Object.entries(operation.responses).filter(
        ([status]) => Number(status) >= 400 && status !== '416',
      );
      assert.ok(errors.length > 0, label);
      for (const [status, answer] of errors) {
        const examples = Object.entries(jsonOf(answer)?.examples ?? {});
        assert.ok(examples.length > 0, `${label} ${status}`);
        for (const [name, { value }] of examples) {
          const code = name as ErrorCode;
          const { error } = value as { error: { code: string; message: string; details: object } };
          const { advice, alsoStatus } = GUIDANCE[code];
          assert.equal(error.code, code);
          assert.ok(
            [ERROR_STATUS[code], alsoStatus].includes(Number(status) as 403),
            `${label}: ${code} does not have status ${status}`,
          );
          assert.ok(
            answer.description.includes(`\`${code}\``) && answer.description.includes(advice),
            `${label} ${code}`,
          );
          const messages = [error.details, { reason: 'forbidden', ...error.details }].map((details) =>
            messageFor(code, 'en', { ...details }),
          );
          assert.ok(messages.includes(error.message), `${label} ${code}: ${error.message}`);
        }
      }
    }
  });

  test('says of every operation whether it needs a token, and names a server that can be called', async () => {
    for (const { label, operation } of operations) assert.ok(Array.isArray(operation.security), label);
    const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ label }) => label);
    for (const path of ['POST /functions/v1/device-check', 'GET /functions/v1/get-models', 'POST /auth/v1/token']) {
      assert.ok(open.includes(path), path);
    }
    const here = await (await api.request('https://api.example.com:8443/openapi.json')).json();
    assert.deepEqual(here.servers, [{ url: 'https://api.example.com:8443', description: 'This server' }]);
  });

  test('lets null stand for every optional field of a body', () => {
    const resolve = (schema: Schema): Schema =>
      document.components.schemas[
        String(schema.$ref ?? '')
          .split('/')
          .at(-1) ?? ''
      ] ?? schema;
    let count = 0;
    for (const { label, operation } of operations) {
      const body = operation.requestBody && jsonOf(operation.requestBody);
      const { properties = {}, required = [] } = body ? resolve(body.schema) : {};
      for (const [name, schema] of Object.entries(properties as Record<string, Schema>)) {
        if ((required as string[]).includes(name)) continue;
        assert.ok(validatorOf(schema).safeParse(null).success, `${name} of ${label}`);
        count += 1;
      }
    }
    assert.ok(count > 10, `${count} fields`);
  });

  test('marks as secured only operations that answer 401 without a token', async () => {
    for (const { label, operation } of operations) {
      const [method = '', path = ''] = label.split(' ');
      if (!operation.security?.length) continue;
      const answer = await api.request(path, { method });
      assert.equal(answer.status, 401, label);
      assert.ok(operation.responses['401'] && operation.responses['403'] && operation.responses['429'], label);
    }
  });
});

test('the reference shows every error in the chosen language, and nothing else changes', () => {
  const turkish = translateExamples(document, 'tr') as OpenApi;
  const errors = (from: OpenApi, name: string, method: string, status: string) =>
    Object.values(
      from.paths[`/functions/v1/${name}`]?.[method]?.responses[status]?.content?.['application/json']?.examples ?? {},
    );
  const [noCredits] = errors(turkish, 'generate-video', 'post', '402') as { value: { error: { message: string } } }[];
  assert.match(noCredits?.value.error.message ?? '', /^Bunun için 4 kredi gerekiyor/);
  const [forbidden] = errors(turkish, 'get-user-credits', 'get', '403') as { value: { error: { message: string } } }[];
  assert.equal(forbidden?.value.error.message, 'Bunu yapmaya izniniz yok.');
  const withoutMessages = (from: OpenApi) =>
    JSON.stringify(from, (key, value) =>
      ['message', 'error_message'].includes(key) && typeof value === 'string' ? '' : value,
    );
  assert.equal(withoutMessages(turkish), withoutMessages(document));
  const english = JSON.stringify(document).match(/"message":"[^"]+"/g) ?? [];
  const stillEnglish = english.filter((message) => JSON.stringify(turkish).includes(message));
  assert.deepEqual(stillEnglish, []);
});
