import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createMediaFetcher, type FetchMediaOptions, MediaFetchError } from '../../src/media/fetch-media.ts';
import { isPublicIp } from '../../src/media/ssrf-safe-get.ts';

const tempFolder = await mkdtemp(join(tmpdir(), 'rendio-fetch-'));
after(() => rm(tempFolder, { recursive: true, force: true }));
const newPath = () => join(tempFolder, `${randomUUID()}.mp4`);
const never = new AbortController().signal;

/** A file host on this machine, for one test. */
async function withHost(answer: RequestListener, use: (host: string) => Promise<void>): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await use(`127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

const fetcher = (options: Partial<FetchMediaOptions> = {}) =>
  createMediaFetcher({ extraHosts: [], extraMayBePrivate: true, bytesMax: 1_000_000, stallMs: 5_000, ...options });

const isFailure = (message: RegExp, isFinal: boolean) => (error: unknown) => {
  assert.ok(error instanceof MediaFetchError, String(error));
  assert.match(error.message, message);
  assert.equal(error.isFinal, isFinal);
  return true;
};

test('a file of an allowed host is stored byte for byte, and replaces an existing file', () =>
  withHost(
    (_, reply) => reply.end(Buffer.alloc(300_000, 'v')),
    async (host) => {
      const path = newPath();
      await writeFile(path, 'an older and shorter one');
      const fetched = await fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/a.mp4`, path, [], never);
      assert.deepEqual(fetched, { bytes: 300_000 });
      assert.ok((await readFile(path)).equals(Buffer.alloc(300_000, 'v')));
    },
  ));

test('a host that is not the provider’s is never called, in whatever form its URL is', () =>
  withHost(
    () => assert.fail('it was called'),
    async (host) => {
      const port = host.split(':')[1];
      const urls = [
        `http://${host}/a.mp4`,
        `http://localhost:${port}/`,
        'https://169.254.169.254/latest/meta-data/',
        'https://files.example.evil.test/a.mp4',
        'http://files.example/a.mp4',
        'https://files.example:8443/a.mp4',
        'https://files.example@127.0.0.1/a.mp4',
        'https://user:password@files.example/a.mp4',
        'ftp://files.example/a.mp4',
        'file:///etc/passwd',
        'data:video/mp4;base64,AAAA',
      ];
      urls.push('https://cdn.example/', 'https://evilcdn.example/');
      const path = newPath();
      for (const url of urls) {
        await assert.rejects(
          fetcher().fetchToFile(url, path, ['files.example', '*.cdn.example'], never),
          isFailure(/is no host of the provider/, true),
          url,
        );
      }
      await assert.rejects(fetcher().fetchToFile('not a URL', path, [], never), isFailure(/no valid URL/, true));
      assert.ok(!existsSync(path));
    },
  ));

test('a provider’s host that resolves to a private IP address is not called', async () => {
  for (const ip of ['127.0.0.1', '10.0.0.7', '169.254.169.254', '::1', 'fd00::1', '::ffff:192.168.1.1']) {
    const hidden = fetcher({ lookup: async () => [ip] });
    await assert.rejects(
      hidden.fetchToFile('https://files.example/a.mp4', newPath(), ['files.example'], never),
      isFailure(/no public IP address/, true),
      ip,
    );
  }
});

test('in production a configured host must be https and public like any other', () =>
  withHost(
    () => assert.fail('it was called'),
    async (host) => {
      const strict = fetcher({ extraHosts: [host, 'files.example'], extraMayBePrivate: false });
      await assert.rejects(strict.fetchToFile(`http://${host}/`, newPath(), [], never), isFailure(/no host/, true));
      await assert.rejects(
        strict.fetchToFile(`https://${host}/`, newPath(), [], never),
        isFailure(/no public IP address/, true),
      );
    },
  ));

test('only IP addresses of the public internet count as public', () => {
  const inside = ['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.9.9.9', '169.254.1.1', '172.16.0.1', '192.168.0.1'];
  inside.push('192.0.2.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '::', '::1', 'fe80::1');
  inside.push('fc00::1', 'ff02::1', '2001:db8::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', 'nonsense');
  for (const ip of inside) assert.ok(!isPublicIp(ip), ip);
  for (const ip of ['1.1.1.1', '93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8']) {
    assert.ok(isPublicIp(ip), ip);
  }
});

test('redirects are followed within the provider’s hosts, and each is checked', () =>
  withHost(
    (request, reply) => {
      const to = new URL(request.url ?? '/', 'http://x').searchParams.get('to');
      if (to) reply.writeHead(302, { Location: to }).end();
      else reply.end('the file');
    },
    async (host) => {
      const open = fetcher({ extraHosts: [host] });
      const path = newPath();
      await open.fetchToFile(`http://${host}/?to=/b.mp4`, path, [], never);
      assert.equal(await readFile(path, 'utf8'), 'the file');
      for (const inside of ['http://localhost:1/', 'https://10.0.0.1/', '//169.254.169.254/', 'file:///etc/passwd']) {
        await assert.rejects(
          open.fetchToFile(`http://${host}/?to=${encodeURIComponent(inside)}`, path, [], never),
          isFailure(/no host of the provider/, true),
        );
      }
      assert.ok(!existsSync(path), 'a failure leaves no file');
    },
  ));

test('where the runtime’s fetch resolves names, names and redirects are checked as well', () =>
  withHost(
    (request, reply) => {
      if (request.url === '/moved') reply.writeHead(302, { Location: 'https://10.0.0.1/' }).end();
      else reply.end('the file');
    },
    async (host) => {
      const byName = fetcher({ extraHosts: [host], fetch });
      const path = newPath();
      await byName.fetchToFile(`http://${host}/`, path, [], never);
      assert.equal(await readFile(path, 'utf8'), 'the file');
      await assert.rejects(byName.fetchToFile(`http://${host}/moved`, path, [], never), isFailure(/no host/, true));
      const failingFetch: typeof fetch = () => assert.fail('it was called');
      const hidden = fetcher({ lookup: async () => ['10.0.0.7'], fetch: failingFetch });
      await assert.rejects(
        hidden.fetchToFile('https://files.example/a.mp4', path, ['files.example'], never),
        isFailure(/no public IP address/, true),
      );
      const mixed = fetcher({ lookup: async () => ['1.1.1.1', '10.0.0.7'], fetch: failingFetch });
      await assert.rejects(
        mixed.fetchToFile('https://files.example/a.mp4', path, ['files.example'], never),
        isFailure(/also has private IP addresses/, true),
      );
    },
  ));

test('a loop of redirects ends', () =>
  withHost(
    (_, reply) => reply.writeHead(302, { Location: '/again' }).end(),
    (host) =>
      assert.rejects(
        fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/`, newPath(), [], never),
        isFailure(/too many redirects/, true),
      ),
  ));

test('a file above the size limit is rejected: by its Content-Length, or by its bytes where it has none', () =>
  withHost(
    (request, reply) => {
      if (request.url === '/announced') reply.writeHead(200, { 'Content-Length': 2_000_000 }).flushHeaders();
      else {
        const more = () => {
          while (!reply.destroyed && reply.write(Buffer.alloc(65_536)));
        };
        reply.on('drain', more);
        more();
      }
    },
    async (host) => {
      const path = newPath();
      for (const name of ['announced', 'endless']) {
        await assert.rejects(
          fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/${name}`, path, [], never),
          isFailure(/larger than 1000000 bytes/, true),
        );
      }
      assert.ok(!existsSync(path));
    },
  ));

test('a download that stalls ends even where its source ignores the signal', async () => {
  const hanging = () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const get = async () => new Response(hanging());
  const path = newPath();
  const download = fetcher({ get, stallMs: 20 }).fetchToFile('https://files.example/', path, ['files.example'], never);
  await assert.rejects(download, isFailure(/stalled/, false));
  assert.ok(!existsSync(path));
});

test('a download that stalls, is cut, or never starts may be retried', () =>
  withHost(
    (request, reply) => {
      if (request.url === '/silent') return;
      reply.writeHead(200, { 'Content-Length': 1_000 });
      reply.write('some');
      if (request.url === '/cut') setImmediate(() => reply.destroy());
    },
    async (host) => {
      const quick = fetcher({ extraHosts: [host], stallMs: 100 });
      const fetched = (name: string) => quick.fetchToFile(`http://${host}/${name}`, newPath(), [], never);
      await assert.rejects(fetched('silent'), isFailure(/stalled/, false));
      await assert.rejects(fetched('stall'), isFailure(/stalled/, false));
      await assert.rejects(fetched('cut'), isFailure(/cannot be fetched|ended after/, false));
      const refused = fetcher({ extraHosts: ['127.0.0.1:9'] }).fetchToFile('http://127.0.0.1:9/', newPath(), [], never);
      await assert.rejects(refused, isFailure(/ECONNREFUSED/, false));
    },
  ));

test('the host’s status decides whether a download is retried', () =>
  withHost(
    (request, reply) => reply.writeHead(Number(request.url?.slice(1))).end(),
    async (host) => {
      for (const [status, isFinal] of [
        [404, true],
        [410, true],
        [403, false],
        [429, false],
        [500, false],
        [503, false],
      ] as const) {
        await assert.rejects(
          fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/${status}`, newPath(), [], never),
          isFailure(new RegExp(`answered ${status}`), isFinal),
        );
      }
    },
  ));

test('an abort ends the download with its own reason, and leaves no file', () =>
  withHost(
    (_, reply) => reply.writeHead(200).write('some'),
    async (host) => {
      const controller = new AbortController();
      const reason = new Error('the job was cancelled');
      const path = newPath();
      const fetched = fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/`, path, [], controller.signal);
      setImmediate(() => controller.abort(reason));
      await assert.rejects(fetched, reason);
      assert.ok(!existsSync(path));
    },
  ));
