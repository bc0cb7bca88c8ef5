/** Which of a database's hosts to connect to. A URL may name several, as libpq reads it: `postgres://user@one:5432,two/name`. */

export type Host = { host: string; port: number };

const PORT = 5432;
const PARTS = /^(postgres(?:ql)?:\/\/(?:[^/?#@]*@)?)([^/?#@]*)(.*)$/is;
const TARGET = 'target_session_attrs';
/** libpq's names for a host that takes writes. */
const WRITABLE = ['read-write', 'primary'];

/** Returns a URL for each host that a database URL names, in its order. */
export function urlsOf(url: string): string[] {
  const [, before = '', hosts = '', after = ''] = PARTS.exec(url) ?? [];
  const urls = hosts.includes(',') ? hosts.split(',').map((host) => `${before}${host}${after}`) : [url];
  return urls.map((text) => {
    const each = new URL(text);
    each.searchParams.delete(TARGET);
    return each.href;
  });
}

/** Whether each part of a database URL can be read, and it does not ask for a host that only reads. */
export function isDatabaseUrl(text: string): boolean {
  const [, before = '', hosts = '', after = ''] = PARTS.exec(text) ?? [];
  if (before === '') return false;
  const urls = hosts.split(',').map((host) => `${before}${host}${after}`);
  if (!urls.every((url) => URL.canParse(url))) return false;
  if (urls.length > 1 && hosts.split(',').includes('')) return false;
  const target = new URL(urls[0] ?? '').searchParams.get(TARGET);
  return target === null || target === 'any' || WRITABLE.includes(target);
}

export function hostOf(url: string): Host {
  const { hostname, port } = new URL(url);
  return { host: decodeURIComponent(hostname.replace(/^\[(.+)\]$/, '$1')), port: Number(port) || PORT };
}

export type Hosts = {
  /** The host that takes writes: the one that did last, else the first to say so. Throws when none does. */
  choose(): Promise<Host>;
  /** The host that was chosen could not be used. */
  forget(): void;
};

/** `check` throws if the host at that URL cannot be reached or takes no writes. */
export function createHosts(urls: string[], check: (url: string) => Promise<void>): Hosts {
  let known: Promise<Host> | undefined;
  const find = () =>
    Promise.any(
      urls.map(async (url) => {
        await check(url);
        return hostOf(url);
      }),
    );
  return {
    choose() {
      known ??= find();
      known.catch(() => {
        known = undefined;
      });
      return known;
    },
    forget() {
      known = undefined;
    },
  };
}
