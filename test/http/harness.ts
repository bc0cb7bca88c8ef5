import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { HttpEnv } from '../../src/http/env.ts';
import { errorHandler } from '../../src/http/problem.ts';
import { requestId } from '../../src/http/request-id.ts';
import { unrouted } from '../../src/http/unrouted.ts';
import { rejectInvalid } from '../../src/http/validate.ts';
import type { Log } from '../../src/kernel/log.ts';

export type LogLine = { level: keyof Log; fields: Record<string, unknown>; message: string };

/** A log that records its lines. */
export function recordingLog(): Log & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const writer = (level: keyof Log) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...fields }, message });
  return { lines, debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}

/** An app with what every app of this server has: request ids, error bodies, 404s and 405s. */
export function createApp(log: Log = recordingLog()): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({ defaultHook: rejectInvalid() });
  app.use(requestId(randomUUID));
  app.onError(errorHandler(log));
  app.notFound(unrouted(app));
  return app;
}

export type ErrorBody = { error: { code: string; message: string; details: Record<string, unknown> } };

/** The parsed error body of an answer. */
export async function errorOf(response: Response): Promise<ErrorBody['error']> {
  const body = (await response.json()) as ErrorBody;
  return body.error;
}
