/** Runway over HTTP: the API, the storage of uploads and the media host. On one port it is all of Runway's hosts. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Log } from '../../src/kernel/log.ts';
import type { Call, CallLog } from '../call-log.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { fileUrl, serveFile } from './media.ts';
import { creditsOf, imageOf, inputShapes, type Kind, type TaskInput } from './models.ts';
import { createdBody, type Issue, invalidBody, organizationBody, taskBody } from './reply.ts';
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
  /** `credits`: what each customer has bought. `deletedReply`: how a deleted task is answered. */
  variants: { credits: number; deletedReply: 'not_found' | 'cancelled' };
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
  const { route, answer } = parts.calls;
  const app = new Hono<SimulatorEnv>();
  for (const kind of ['text_to_video', 'image_to_video'] as const) {
    app.post(`/v1/${kind}`, async (c) => {
      const input = inputRecord.safeParse(await c.req.json().catch(() => undefined)).data;
      return answer(
        'submit',
        c,
        () => forCustomer(parts, c, (owner) => createTask(parts, c, { kind, owner, input })),
        input,
      );
    });
  }
  const customerRoute = (operation: RunwayOperation, handler: (c: RunwayContext, owner: string) => Promise<Response>) =>
    route(operation, (c) => forCustomer(parts, c, (owner) => handler(c, owner)));
  app.get(
    '/v1/tasks/:id',
    customerRoute('status', (c, owner) => getTask(parts, c, owner)),
  );
  app.delete(
    '/v1/tasks/:id',
    customerRoute('cancel', (c, owner) => deleteTask(parts, c, owner)),
  );
  app.get(
    '/v1/organization',
    customerRoute('organization', (c, owner) => getOrganization(parts, c, owner)),
  );
  app.post(
    '/v1/uploads',
    customerRoute('upload', (c, owner) => openUpload(parts, c, owner)),
  );
  app.post(
    '/ephemeral',
    route('storage', async (c) => c.body(null, await parts.uploads.store(await c.req.formData()))),
  );
  app.get(
    '/:file{[0-9a-f-]{36}\\.mp4}',
    route('media', (c) => serveFile(c, parts)),
  );
  app.notFound((c) => c.json({ error: 'Not found' }, 404));
  app.onError((error, c) => {
    parts.log.error({ cause: error.message }, 'the Runway simulator failed');
    return c.json({ error: 'An internal error occurred.' }, 500);
  });
  return app;
}

/** Answers only a caller that sends the API's version and a key that Runway knows. */
async function forCustomer(
  { apiKeys }: RunwayParts,
  c: RunwayContext,
  handler: (owner: string) => Promise<Response>,
): Promise<Response> {
  const [, key = ''] = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '') ?? [];
  if (!apiKeys.has(key)) return c.json({ error: 'The API key is missing or invalid.' }, 401);
  const version = c.req.header('x-runway-version');
  if (version !== API_VERSION) return c.json({ error: 'X-Runway-Version is missing or unknown.' }, 400);
  return handler(key);
}

type Submitted = { kind: Kind; owner: string; input: Record<string, unknown> | undefined };

async function createTask(
  parts: RunwayParts,
  c: RunwayContext,
  { kind, owner, input: body }: Submitted,
): Promise<Response> {
  const { tasks } = parts;
  const parsed = inputShapes[kind].safeParse(body);
  if (!parsed.success) return c.json(invalidBody(issuesIn(parsed.error)), 400);
  const input = parsed.data;
  const image = await checkImage(parts, input, owner);
  if ('issue' in image) return c.json(invalidBody([image.issue]), 400);
  if (creditsOf(input) > (await creditsLeft(parts, owner))) {
    return c.json({ error: 'You do not have enough credits to run this task.' }, 400);
  }
  const { origin } = new URL(c.req.url);
  return c.json(createdBody(await tasks.add({ kind, owner, origin, input, isImageBroken: image.isBroken })));
}

function issuesIn({ issues }: z.ZodError): Issue[] {
  return issues.map(({ code, path, message }) => ({ code, path: path.map((part) => String(part)), message }));
}

/** Checks the image as far as possible without fetching it: the simulator calls no URL. */
async function checkImage(
  { uploads }: RunwayParts,
  input: TaskInput,
  owner: string,
): Promise<{ isBroken: boolean } | { issue: Issue }> {
  const uri = imageOf(input);
  if (uri === undefined) return { isBroken: false };
  if (uri.startsWith('runway://')) {
    const upload = await uploads.find(uri, owner);
    if (upload) return { isBroken: !upload.isImage };
  }
  const isUrl = uri.startsWith('https://') && URL.canParse(uri) && uri.length <= URL_LENGTH_MAX;
  const isData = uri.startsWith('data:image/') && uri.length <= DATA_LENGTH_MAX;
  if (isUrl || isData) return { isBroken: false };
  return { issue: { code: 'custom', path: ['promptImage'], message: 'Invalid asset' } };
}

async function creditsLeft({ tasks, variants }: RunwayParts, owner: string): Promise<number> {
  const theirs = (await tasks.list()).filter((task) => task.owner === owner);
  return theirs.reduce((left, task) => left - costOf(task, tasks.nowMs()), variants.credits);
}

/** The task that the path names, if the caller owns it and it was not deleted; else a 404. */
async function taskAt({ tasks, variants }: RunwayParts, c: RunwayContext, owner: string): Promise<Task | Response> {
  const id = z.uuid().safeParse(c.req.param('id')).data;
  const task = id === undefined ? undefined : await tasks.read(id);
  const isThere = task?.owner === owner && (!task.isDeleted || variants.deletedReply === 'cancelled');
  return isThere ? task : c.json({ error: 'Task not found' }, 404);
}

async function getTask(parts: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const task = await taskAt(parts, c, owner);
  if (task instanceof Response) return task;
  const nowMs = parts.tasks.nowMs();
  const url = await fileUrl(task, new URL(c.req.url).origin, parts.signingKey, nowMs);
  return c.json(taskBody(task, url, nowMs));
}

async function deleteTask(parts: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const task = await taskAt(parts, c, owner);
  if (task instanceof Response) return task;
  await parts.tasks.remove(task.id);
  return c.body(null, 204);
}

async function getOrganization(parts: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const { tasks } = parts;
  const theirs = (await tasks.list()).filter((task) => task.owner === owner);
  return c.json(organizationBody(theirs, await creditsLeft(parts, owner), tasks.nowMs()));
}

async function openUpload({ uploads }: RunwayParts, c: RunwayContext, owner: string): Promise<Response> {
  const parsed = uploadInput.safeParse(await c.req.json().catch(() => undefined));
  if (!parsed.success) return c.json(invalidBody(issuesIn(parsed.error)), 400);
  return c.json(await uploads.open(owner, parsed.data.filename, new URL(c.req.url).origin));
}
