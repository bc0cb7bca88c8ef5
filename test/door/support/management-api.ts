/** A simulator of those endpoints of Supabase's management API that `functions deploy` calls; it records what is deployed. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';

export const PROJECT = 'abcdefghijklmnopqrst';

export type Deployed = {
  metadata: { verify_jwt?: boolean; import_map_path?: string; entrypoint_path?: string };
  files: string[];
};

export type ManagementApi = AsyncDisposable & {
  /** Writes a CLI profile with the URL of this simulator into `folder`; returns its path. */
  profileIn(folder: string): Promise<string>;
  /** By the name of the function. */
  deployed: Map<string, Deployed>;
};

export async function startManagementApi(): Promise<ManagementApi> {
  const deployed = new Map<string, Deployed>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const slug = url.searchParams.get('slug') ?? '';
    const isDeploy = request.method === 'POST' && url.pathname.endsWith('/functions/deploy');
    if (isDeploy) deployed.set(slug, await readUpload(request));
    else request.resume();
    response.writeHead(isDeploy ? 201 : 200, { 'Content-Type': 'application/json' });
    const made = {
      id: slug,
      slug,
      name: slug,
      version: 1,
      status: 'ACTIVE',
      verify_jwt: false,
      created_at: 1,
      updated_at: 1,
    };
    response.end(JSON.stringify(isDeploy ? made : url.pathname.endsWith('/functions') ? [] : { ref: PROJECT }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  return {
    deployed,
    async profileIn(folder) {
      const file = join(folder, 'profile.yaml');
      await writeFile(file, `name: test\napi_url: ${url}\ndashboard_url: ${url}\nproject_host: 127.0.0.1\n`);
      return file;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function readUpload(request: IncomingMessage): Promise<Deployed> {
  const bytes = Buffer.concat(await request.toArray());
  const headers = { 'Content-Type': request.headers['content-type'] ?? '' };
  const form = await new Response(bytes, { headers }).formData();
  const metadata = form.get('metadata');
  const files = form.getAll('file').flatMap((file) => (typeof file === 'string' ? [] : [file.name]));
  return {
    metadata: JSON.parse(typeof metadata === 'string' ? metadata : await (metadata ?? new Blob(['{}'])).text()),
    files,
  };
}
