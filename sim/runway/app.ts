/** Runway over HTTP: the API, the storage of uploads and the media host, which one port may play all at once. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Log } from '../../src/kernel/log.ts';
import type { Call, CallLog } from '../call-log.ts';
import type { SimulatorEnv } from '../cut.ts';
import { fileUrl, serveFile } from './media.ts';
import { creditsOf, inputShapes, type Kind, pictureOf, type TaskInput } from './models.ts';
import { type Issue, invalidBody, organizationBody, takenBody, taskBody } from './reply.ts';
import { costOf, type Task, type Tasks } from './tasks.ts';
import type { Uploads } from './uploads.ts';

export type RunwayOperation = 'submit' | 'status' | 'cancel' | 'upload' | 'storage' | 'organization' | 'media';
export type RunwayCall = Call<RunwayOperation>;

export type RunwayParts = {
  tasks: Tasks;
  uploads: Uploads;
  calls: CallLog<RunwayOperation>;
  apiKeys: Set<string>;
  signingKey: string;
  wire: { credits: number; deleted: 'gone' | 'told' };
  log: Log;
  closing: AbortSignal;
};

type RunwayContext = Context<SimulatorEnv>;

const API_VERSION = '2024-11-06';
const URL_LENGTH_MAX = 2048;
const DATA_LENGTH_MAX = 5 * 1024 * 1024;
const inputRecord = z.record(z.string(), z.unknown());
const uploadInput = z.object({ filename: z.string().min(1), type: z.literal('ephemeral') });

export function runwayApp(parts: RunwayParts): Hono<SimulatorEnv> {
  const { as, answered } = parts.calls;
  const app = new Hono<SimulatorEnv>();
  for (const kind of ['text_to_video', 'image_to_video'] as const) {
    app.post(`/v1/${kind}`, async (c) => {
      const input = inputRecord.safeParse(await c.req.json().catch(() => undefined)).data;
      return answered(
        'submit',
        c,
        () => forCustomer(parts, c, (owner) => taken(parts, c, { kind, owner, input })),
        input,
      );
    });
  }
  const known = (operation: RunwayOperation, answer: (c: RunwayContext, owner: string) => Promise<Response>) =>
    as(operation, (c) => forCustomer(parts, c, (owner) => answer(c, owner)));
  app.get(
    '/v1/tasks/:id',
    known('status', (c, owner) => told(parts, c, owner)),
  );
  app.delete(
    '/v1/tasks/:id',
    known('cancel', (c, owner) => deleted(parts, c, owner)),
  );
  app.get(
    '/v1/organization',
    known('organization', (c, owner) => account(parts, c, owner)),
  );
  app.post(
    '/v1/uploads',
    known('upload', (c, owner) => opened(parts, c, owner)),
  );
  app.post(
    '/ephemeral',
    as('storage', async (c) => c.body(null, await parts.uploads.store(await c.req.formData()))),
  );
  app.get(
    '/:file{[0-9a-f-]{36}\\.mp4}',
    as('media', (c) => serveFile(c, parts)),
  );
  app.notFound((c) => c.json({ error: 'Not found' }, 404));
  app.onError((error, c) => {
    parts.log.error({ cause: error.message }, 'the Runway simulator failed');
    return c.json({ error: 'An internal error occurred.' }, 500);
  });
  return app;
}

/** Lets a caller through who names the API's version and a key that Runway knows. */
async function forCustomer(
  { apiKeys }: RunwayParts,
  c: RunwayContext,
  answer: (owner: string) => Promise<Response>,
): Promise<Response> {
  const [, key = ''] = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '') ?? [];
  if (!apiKeys.has(key)) return c.json({ error: 'The API key is missing or invalid.' }, 401);
  const version = c.req.header('x-runway-version');
  if (version !== API_VERSION) return c.json({ error: 'X-Runway-Version is missing or unknown.' }, 400);
  return answer(key);
}

type Submitted = { kind: Kind; owner: string; input: Record<string, unknown> | undefined };

async function taken(parts: RunwayParts, c: RunwayContext, { kind, owner, input: sent }: Submitted): Promise<Response> {
  const { tasks } = parts;
  const parsed = inputShapes[kind].safeParse(sent);
  if (!parsed.success) return c.json(invalidBody(issuesIn(parsed.error)), 400);
  const input = parsed.data;
  const picture = await judged(parts, input, owner);
  if ('issue' in picture) return c.json(invalidBody([picture.issue]), 400);
  if (creditsOf(input) > (await creditsLeft(parts, owner))) {
    return c.json({ error: 'You do not have enough credits to run this task.' }, 400);
  }
  const { origin } = new URL(c.req.url);
  return c.json(takenBody(await tasks.take({ kind, owner, origin, input, isPictureBroken: picture.isBroken })));
}

function issuesIn({ issues }: z.ZodError): Issue[] {
  return issues.map(({ code, path, message }) => ({ code, path: path.map((part) => String(part)), message }));
}

/** What can be said of the picture before it is looked at: an address of its own is not visited from here. */
async function judged(
  { uploads }: RunwayParts,
  input: TaskInput,
  owner: string,
): Promise<{ isBroken: boolean } | { issue: Issue }> {
  const uri = pictureOf(input);
  if (uri === undefined) return { isBroken: false };
  if (uri.startsWith('runway://')) {
    const upload = await uploads.find(uri, owner);
    if (upload) return { isBroken: !upload.isPicture };
  }
  const isUrl = uri.startsWith('https://') && URL.canParse(uri) && uri.length <= URL_LENGTH_MAX;
  const isData = uri.startsWith('data:image/') && uri.length <= DATA_LENGTH_MAX;
  if (isUrl || isData) return { isBroken: false };
  return { issue: { code: 'custom', path: ['promptImage'], message: 'Invalid asset' } };
}

async function creditsLeft({ tasks, wire }: RunwayParts, owner: string): Promise<number> {
  const theirs = (await tasks.list()).filter((task) => task.owner === owner);
  return theirs.reduce((left, task) => left - costOf(task, tasks.nowMs()), wire.credits);
}

/** The task that the path names, if it is the caller's own and was not deleted; else the answer that there is none. */
async function taskAt({ tasks, wire }: RunwayParts, c: RunwayContext, owner: string): Promise<Task | Response> {
  const id = z.uuid().safeParse(c.req.param('id')).data;
  const task = id === undefined ? undefined : await tasks.read(id);
  const isThere = task?.owner === owner && (!task.isDeleted || wire.deleted === 'told');
  return isThere ? task : c.json({ error: 'Task not found' }, 404);
}

async function told(parts: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const task = await taskAt(parts, c, owner);
  if (task instanceof Response) return task;
  const nowMs = parts.tasks.nowMs();
  const url = await fileUrl(task, new URL(c.req.url).origin, parts.signingKey, nowMs);
  return c.json(taskBody(task, url, nowMs));
}

async function deleted(parts: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const task = await taskAt(parts, c, owner);
  if (task instanceof Response) return task;
  await parts.tasks.remove(task.id);
  return c.body(null, 204);
}

async function account(parts: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const { tasks } = parts;
  const theirs = (await tasks.list()).filter((task) => task.owner === owner);
  return c.json(organizationBody(theirs, await creditsLeft(parts, owner), tasks.nowMs()));
}

async function opened({ uploads }: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const parsed = uploadInput.safeParse(await c.req.json().catch(() => undefined));
  if (!parsed.success) return c.json(invalidBody(issuesIn(parsed.error)), 400);
  return c.json(await uploads.open(owner, parsed.data.filename, new URL(c.req.url).origin));
}
