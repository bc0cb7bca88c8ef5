/** fal's storage: stores a file that is sent to a URL it gave, and serves it to every caller who knows the file's URL. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from '../drop-connection.ts';
import { mediaOriginFor } from './reply.ts';

const initiateShape = z.object({ content_type: z.string().min(1), file_name: z.string().min(1) });
const PATH = /^\/uploads\/([0-9a-f-]{36})\/([\w.-]+)$/;

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads(folder: string) {
  const fileOf = (id: string) => join(folder, id);

  async function initiate(c: Context<SimulatorEnv>): Promise<Response> {
    const request = initiateShape.safeParse(await c.req.json().catch(() => undefined)).data;
    if (!request) return c.json({ detail: 'Invalid JSON body', error_type: 'bad_request' }, 400);
    const name = request.file_name.replaceAll(/[^\w.-]/g, '_');
    const fileUrl = `${mediaOriginFor(new URL(c.req.url).origin)}/uploads/${randomUUID()}/${name}`;
    return c.json({ upload_url: `${fileUrl}?signature=${randomUUID()}`, file_url: fileUrl });
  }

  async function store(c: Context<SimulatorEnv>): Promise<Response> {
    const [, id = ''] = PATH.exec(c.req.path) ?? [];
    if (id === '' || !c.req.query('signature')) return c.json({ detail: 'Forbidden' }, 403);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(fileOf(id), new Uint8Array(await c.req.arrayBuffer()));
    await writeFile(`${fileOf(id)}.type`, c.req.header('content-type') ?? 'application/octet-stream');
    return c.body(null, 200);
  }

  async function serve(c: Context<SimulatorEnv>): Promise<Response> {
    const [, id = ''] = PATH.exec(c.req.path) ?? [];
    const bytes = id === '' ? null : await readFile(fileOf(id)).catch(() => null);
    if (!bytes) return c.json({ detail: 'Not Found' }, 404);
    const type = await readFile(`${fileOf(id)}.type`, 'utf8');
    return new Response(new Uint8Array(bytes), { headers: { 'content-type': type } });
  }

  return { initiate, store, serve };
}
