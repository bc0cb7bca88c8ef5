import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { isPublicIp } from '../../src/kernel/public-ip.ts';
import { createMediaFetcher, type FetchMediaOptions, MediaFetchError } from '../../src/media/fetch-media.ts';

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

const isFailure =
  (message: RegExp, isFinal: boolean, isNotReady = false) =>
  (error: unknown) => {
    assert.ok(error instanceof MediaFetchError, String(error));
    assert.match(error.message, message);
    assert.deepEqual([error.isFinal, error.isNotReady], [isFinal, isNotReady]);
    return true;
  };
const isNotReady = (message: RegExp) => isFailure(message, false, true);

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

const PRIVATE_IPV4 =
  '0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 100.127.255.255 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255';
const NOT_PUBLIC =
  ':: ::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 fc00::1 fdff::1 ff02::1 100::1 2001:db8::1 3fff::1 2001:2::1 2001:10::1 5f00::1 4000::1 ::2:0:0:1 2606:4700::1%1 2130706433 0x7f000001 0177.0.0.1 127.1 08.8.8.8 8.8.8.8. 1.1.1 [::1] nonsense';

test('only IP addresses of the public internet count as public, whatever form they are written in', () => {
  for (const ip of PRIVATE_IPV4.split(' ')) {
    const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
    const [high, low] = [a * 256 + b, c * 256 + d];
    const hex = `${high.toString(16)}:${low.toString(16)}`;
    const inverted = `${(65_535 - high).toString(16)}:${(65_535 - low).toString(16)}`;
    const forms = [ip, `::${ip}`, `::${hex}`, `::ffff:${ip}`, `::ffff:${hex}`, `::ffff:0:${hex}`, `64:ff9b::${hex}`];
    forms.push(`64:ff9b::${ip}`, `64:ff9b:1::${hex}`, `2002:${hex}::1`, `2001:0:102:304::${inverted}`);
    for (const form of [...forms, `2606:4700::5efe:${hex}`]) assert.ok(!isPublicIp(form), `${form} is ${ip}`);
  }
  for (const ip of [...NOT_PUBLIC.split(' '), '']) assert.ok(!isPublicIp(ip), ip);
  for (const ip of [
    '1.1.1.1',
    '93.184.216.34',
    '2606:4700::1111',
    '2a00:1450::1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ]) {
    assert.ok(isPublicIp(ip), ip);
  }
});

test('a name with several IP addresses is reached at any of them that answers', () =>
  withHost(
    (_, reply) => reply.end('the file'),
    async (host) => {
      const name = `files.example:${host.split(':')[1]}`;
      const path = newPath();
      const several = fetcher({ extraHosts: [name], lookup: async () => ['::1', '127.0.0.2', '127.0.0.1'] });
      await several.fetchToFile(`http://${name}/`, path, [], never);
      assert.equal(await readFile(path, 'utf8'), 'the file');
    },
  ));

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
      const page = encodeURIComponent('https://www.example.com/just-a-moment');
      await assert.rejects(
        open.fetchToFile(`http://${host}/?to=${page}`, path, [], never),
        isNotReady(/no host of the provider/),
      );
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
        isNotReady(/too many redirects/),
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

test('no status of the host is final: one that is busy is tried again, any other for minutes', () =>
  withHost(
    (request, reply) => reply.writeHead(Number(request.url?.slice(1))).end(),
    async (host) => {
      const fetched = (status: number) =>
        fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/${status}`, newPath(), [], never);
      for (const status of [202, 204, 206, 302, 304, 400, 401, 403, 404, 405, 410, 416, 451]) {
        await assert.rejects(fetched(status), isNotReady(new RegExp(`answered ${status}`)), String(status));
      }
      for (const status of [408, 425, 429, 500, 502, 503, 504, 522]) {
        await assert.rejects(fetched(status), isFailure(new RegExp(`answered ${status}`), false), String(status));
      }
    },
  ));

test('a file that is coded without being asked for is stored decoded, and a cut one is not stored', () =>
  withHost(
    (request, reply) => {
      const coding = request.url?.slice(1) ?? '';
      const whole = Buffer.alloc(300_000, 'v');
      const codings = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync };
      const code = coding === 'cut' ? gzipSync : codings[coding as keyof typeof codings];
      const coded = (code?.(whole) ?? whole).subarray(0, coding === 'cut' ? -60 : undefined);
      const headers = { 'Content-Encoding': coding === 'cut' ? 'gzip' : coding, 'Content-Length': coded.length };
      reply.writeHead(200, headers).end(coded);
    },
    async (host) => {
      const path = newPath();
      for (const through of [undefined, fetch]) {
        const open = fetcher({ extraHosts: [host], fetch: through });
        for (const coding of ['gzip', 'x-gzip', 'deflate', 'br', 'aws-chunked']) {
          const fetched = await open.fetchToFile(`http://${host}/${coding}`, path, [], never, 300_000);
          assert.deepEqual(fetched, { bytes: 300_000 }, coding);
          assert.ok((await readFile(path)).equals(Buffer.alloc(300_000, 'v')), coding);
        }
      }
      const cut = fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/cut`, path, [], never);
      await assert.rejects(cut, isFailure(/cannot be fetched/, false));
      assert.ok(!existsSync(path));
    },
  ));

test('a partial answer counts where the range that it names is the whole file', () =>
  withHost(
    (request, reply) => {
      const range = decodeURIComponent(request.url?.slice(1) ?? '');
      reply.writeHead(206, range === '' ? {} : { 'Content-Range': range }).end('the file');
    },
    async (host) => {
      const path = newPath();
      const fetched = (range: string) =>
        fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/${encodeURIComponent(range)}`, path, [], never);
      for (const range of ['bytes 0-7/8', 'Bytes  0-7/8 ']) {
        assert.deepEqual(await fetched(range), { bytes: 8 });
      }
      for (const range of [
        '',
        'bytes 0-7/16',
        'bytes 8-15/16',
        'bytes 1-7/8',
        'bytes 0-7/*',
        'bytes */8',
        'pages 0-7/8',
      ]) {
        await assert.rejects(fetched(range), isNotReady(/answered 206/), range);
      }
      await assert.rejects(fetched('bytes 0-8/9'), isFailure(/ended after 8 of 9/, false), 'a body that is shorter');
    },
  ));

test('a redirect is followed by its bytes: raw UTF-8 or Latin-1, relative in any form', () =>
  withHost(
    (request, reply) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
      const to = searchParams.get('to');
      if (to) reply.writeHead(302, { Location: Buffer.from(to, 'base64').toString('latin1') }).end();
      else reply.end(pathname);
    },
    async (host) => {
      const path = newPath();
      for (const [location, reached] of [
        [Buffer.from('/media/fin/vidéo-ü.mp4'), '/media/fin/vid%C3%A9o-%C3%BC.mp4'],
        [Buffer.from(`http://${host}/影片.mp4`), '/%E5%BD%B1%E7%89%87.mp4'],
        [Buffer.from('/caf\xe9.mp4', 'latin1'), '/caf%E9.mp4'],
        [Buffer.from('/caf%C3%A9.mp4'), '/caf%C3%A9.mp4'],
        [Buffer.from('next/a b.mp4#part'), '/first/next/a%20b.mp4'],
        [Buffer.from('../b.mp4'), '/b.mp4'],
        [Buffer.from(`//${host}/c.mp4`), '/c.mp4'],
        [Buffer.from('?d=1'), '/first/'],
      ] as const) {
        const url = `http://${host}/first/?to=${encodeURIComponent(location.toString('base64'))}`;
        await fetcher({ extraHosts: [host] }).fetchToFile(url, path, [], never);
        assert.equal(await readFile(path, 'utf8'), reached);
      }
      const nowhere = `http://${host}/?to=${encodeURIComponent(btoa('http://'))}`;
      await assert.rejects(
        fetcher({ extraHosts: [host] }).fetchToFile(nowhere, path, [], never),
        isNotReady(/no valid URL/),
      );
    },
  ));

/** A host that answers each path with these bytes. */
async function withRawHost(answers: Record<string, string>, use: (host: string) => Promise<void>): Promise<void> {
  const server = createSocketServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const [, path = ''] = /^GET \/(\w+)/.exec(String(request)) ?? [];
      socket.end(answers[path] ?? '');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

test('a file that is empty, or not as large as the provider says, is not stored: also where nothing announces its length', () => {
  const head = 'HTTP/1.0 200 OK\r\nContent-Type: video/mp4\r\n\r\n';
  return withRawHost({ empty: head, part: `${head}a fragment` }, async (host) => {
    const path = newPath();
    const fetched = (name: string, bytes?: number) =>
      fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/${name}`, path, [], never, bytes);
    await assert.rejects(fetched('empty'), isNotReady(/is empty/));
    for (const bytes of [63_313, 9]) {
      await assert.rejects(fetched('part', bytes), isNotReady(new RegExp(`10 bytes instead of ${bytes}`)));
      assert.ok(!existsSync(path));
    }
    assert.deepEqual(await fetched('part', 10), { bytes: 10 });
    assert.deepEqual(await fetched('part'), { bytes: 10 });
  });
});

test('a file is fetched from a host whose HTTP is not quite valid', () => {
  const length = 'Content-Length: 8';
  const answers = {
    lines: `HTTP/1.1 200 OK\n${length}\n\nthe file`,
    lengths: `HTTP/1.1 200 OK\r\n${length}\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nthe file\r\n0\r\n\r\n`,
    control: `HTTP/1.1 200 OK\r\nX-Odd: a\x01b\r\n${length}\r\n\r\nthe file`,
    large: `HTTP/1.1 200 OK\r\nX-Large: ${'a'.repeat(40_000)}\r\n${length}\r\n\r\nthe file`,
    reason: `HTTP/1.1 200\r\n${length}\r\n\r\nthe file`,
  };
  return withRawHost(answers, async (host) => {
    for (const name of Object.keys(answers)) {
      const path = newPath();
      await fetcher({ extraHosts: [host] }).fetchToFile(`http://${host}/${name}`, path, [], never);
      assert.equal(await readFile(path, 'utf8'), 'the file', name);
    }
  });
});

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
