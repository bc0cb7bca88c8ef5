/** Commands that make administrators, let them in, and end their rights. */
import { randomBytes, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Config } from '../../app/config.ts';
import { createAdminTokens } from '../../features/admin/tokens.ts';
import { systemClock } from '../../kernel/clock.ts';
import { sha256 } from '../../kernel/hash.ts';
import { hasDevelopmentSecrets, loadDevelopmentSecrets } from '../development-secrets.ts';
import { readServerUrl } from '../server-url.ts';
import { type Command, UsageError } from './command.ts';
import { type OwnerTools, withOwner } from './owner.ts';

const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,255}$/;
/** Too many to guess within the link's 15 minutes, or ever. */
const LINK_BYTES = 32;

export const createAdministrator: Command = {
  name: 'create',
  usage: '<email>',
  summary: 'makes an administrator, and a one-time link that lasts 15 minutes',
  async run(args, tools) {
    const email = readEmail(args);
    return withOwner(tools, async (owner) => {
      await owner.call('create_administrator', { email });
      const link = await newLink(owner, email);
      // Revoked between the two.
      if (link === null) return refuse(owner, email);
      tools.print(link);
      return 0;
    });
  },
};

export const linkAdministrator: Command = {
  name: 'link',
  usage: '<email>',
  summary: 'makes a one-time link for an administrator, which lasts 15 minutes',
  async run(args, tools) {
    const email = readEmail(args);
    return withOwner(tools, async (owner) => {
      const link = await newLink(owner, email);
      if (link === null) return refuse(owner, email);
      tools.print(link);
      return 0;
    });
  },
};

export const tokenOfAdministrator: Command = {
  name: 'token',
  usage: '<email>',
  summary: 'opens a session of an hour for an administrator and prints its access token',
  async run(args, tools) {
    const email = readEmail(args);
    return withOwner(tools, async (owner) => {
      const { call, config } = owner;
      const sessionId = randomUUID();
      const opened = await call('open_admin_session_by_email', { session_id: sessionId, email });
      if (!opened) return refuse(owner, email);
      const tokens = await adminTokensOf(config);
      tools.print(await tokens.sign({ adminUserId: opened.admin_user_id, sessionId }, new Date(opened.expires_at)));
      return 0;
    });
  },
};

export const revokeAdministrator: Command = {
  name: 'revoke',
  usage: '<email>',
  summary: 'ends an administrator’s rights, links and sessions at once',
  async run(args, tools) {
    const email = readEmail(args);
    return withOwner(tools, async (owner) => {
      if (!(await owner.call('revoke_administrator', { email }))) return refuse(owner, email);
      tools.print(`${email} is no administrator any more; open sessions have ended.`);
      return 0;
    });
  },
};

function readEmail([email = '', ...others]: string[]): string {
  if (!EMAIL.test(email) || others.length > 0) throw new UsageError('One e-mail address is needed.');
  return email.toLowerCase();
}

/** Says why there is nothing to open for this address. */
async function refuse({ call }: OwnerTools, email: string): Promise<number> {
  const isRevoked = (await call('administrator_state', { email })) === 'revoked';
  console.error(
    isRevoked
      ? `The rights of ${email} were revoked. \`create\` gives them back.`
      : `There is no administrator ${email}. \`create\` makes one.`,
  );
  return 1;
}

/** The token stands behind `#`, which browsers send to no server; null if there is no such administrator. */
async function newLink({ call, config }: OwnerTools, email: string): Promise<string | null> {
  const token = randomBytes(LINK_BYTES).toString('base64url');
  if (!(await call('create_admin_link', { email, token_hash: await sha256(token) }))) return null;
  return `${await serverUrlOf(config)}/admin#link=${token}`;
}

/** PUBLIC_URL, else where the server of DATA_DIR listens, else where it will. */
async function serverUrlOf({ settings }: Config): Promise<string> {
  const { publicUrl, port, dataDir } = settings.server;
  const known = publicUrl ?? (await readServerUrl(dataDir));
  if (known !== null) return known;
  if (port === 0) console.error('No server runs on DATA_DIR: in the link, put the port that it chooses in place of 0.');
  return `http://localhost:${port}`;
}

async function adminTokensOf({ secrets, settings }: Config) {
  const { publicUrl, port, dataDir } = settings.server;
  const folder = resolve(dataDir);
  if (!secrets.jwtPrivateKey && secrets.database && !(await hasDevelopmentSecrets(folder))) {
    console.error(
      `${folder} had no signing key, so one is made there. A server with another DATA_DIR does not know this token.`,
    );
  }
  const key = secrets.jwtPrivateKey ?? (await loadDevelopmentSecrets(folder)).jwtPrivateKey;
  const issuer = `${publicUrl ?? `http://localhost:${port}`}/auth/v1`;
  return createAdminTokens({ privateKey: key.reveal(), clock: systemClock, issuer });
}
