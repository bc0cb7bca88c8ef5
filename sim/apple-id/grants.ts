/** What people have allowed apps: each sign-in is a grant, with a code and the tokens that Apple gives for it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { errorCodeOf } from '../../src/kernel/error-code.ts';
import { openRecords } from '../records.ts';
import { writeOnce } from '../write-once.ts';

const grantShape = z.object({
  id: z.uuid(),
  personId: z.uuid(),
  clientId: z.string(),
  nonce: z.string().nullable(),
  hidesEmail: z.boolean(),
  /** The code is only for a caller that names it again. Null: an app, which has none. */
  redirectUri: z.string().nullable(),
  /** The person's first sign-in to this app, or the first since they withdrew their consent. */
  isFirst: z.boolean(),
  createdAtMs: z.number(),
  /** In the order of creation. */
  sequence: z.int(),
  secrets: z.object({ code: z.string(), refresh: z.string(), access: z.string() }),
});
export type NewGrant = Omit<z.infer<typeof grantShape>, 'id' | 'createdAtMs' | 'sequence' | 'secrets' | 'isFirst'>;

const exchangeShape = z.object({ by: z.uuid(), atMs: z.number() });
/** `app`: the app has revoked its tokens. `person`: they have withdrawn their consent, or deleted their Apple Account. */
const endShape = z.object({ by: z.enum(['app', 'person']), atMs: z.number() });

export type Grant = z.infer<typeof grantShape> & {
  exchangedAtMs: number | null;
  ended: z.infer<typeof endShape> | null;
};

export type TokenKind = keyof Grant['secrets'];

/** Apple's tokens begin with a letter for what they are. */
const LETTERS = { code: 'c', refresh: 'r', access: 'a' } as const satisfies Record<TokenKind, string>;
const TOKEN = /^([cra])([0-9a-f]{32})\.0\.sim\.([\w-]{20,})$/;
const SECRET_BYTES = 24;
const CODE_MS = 5 * 60_000;

export function tokenOf({ id, secrets }: Grant, kind: TokenKind): string {
  return `${LETTERS[kind]}${id.replaceAll('-', '')}.0.sim.${secrets[kind]}`;
}

async function readMark<T>(file: string, shape: z.ZodType<T>): Promise<T | null> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCodeOf(error) === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : shape.parse(JSON.parse(text));
}

/** Keeps the grants in `folder`. A grant never changes: its exchange and its end are files of their own, written once. */
export async function openGrants(folder: string, clock: Clock) {
  const records = await openRecords({
    folder,
    shape: grantShape,
    idOf: ({ id }) => id,
    atMsOf: ({ sequence }) => sequence,
  });
  const nowMs = () => clock.now().getTime();
  const exchangeFile = (id: string) => join(folder, 'exchanged', `${id}.json`);
  const endFile = (id: string) => join(folder, 'ended', `${id}.json`);

  async function withMarks(grant: z.infer<typeof grantShape>): Promise<Grant> {
    const exchange = await readMark(exchangeFile(grant.id), exchangeShape);
    return { ...grant, exchangedAtMs: exchange?.atMs ?? null, ended: await readMark(endFile(grant.id), endShape) };
  }

  async function list(): Promise<Grant[]> {
    return Promise.all((await records.list()).map(withMarks));
  }

  const isActive = (grant: Grant, personId: string, clientId: string | null) =>
    grant.ended === null && grant.personId === personId && (clientId === null || grant.clientId === clientId);

  const activeOf = async (personId: string, clientId: string | null) =>
    (await list()).filter((grant) => isActive(grant, personId, clientId));

  return {
    /** Oldest first. */
    list,
    /** The grants of a person that have not ended; of one app, or of all. */
    activeOf,
    async create(grant: NewGrant): Promise<Grant> {
      const secret = () => randomBytes(SECRET_BYTES).toString('base64url');
      const all = await list();
      const created = {
        ...grant,
        id: randomUUID(),
        isFirst: !all.some((other) => isActive(other, grant.personId, grant.clientId)),
        sequence: (all.at(-1)?.sequence ?? 0) + 1,
        createdAtMs: nowMs(),
        secrets: { code: secret(), refresh: secret(), access: secret() },
      };
      await records.write(created);
      return { ...created, exchangedAtMs: null, ended: null };
    },
    /** The grant of one of Apple's tokens; undefined for a text that is none. */
    async find(token: string, ...kinds: TokenKind[]): Promise<Grant | undefined> {
      const [, letter, hex = '', secret] = TOKEN.exec(token) ?? [];
      const kind = kinds.find((each) => LETTERS[each] === letter);
      if (!kind) return undefined;
      const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      const grant = await records.read(id);
      return grant && grant.secrets[kind] === secret ? withMarks(grant) : undefined;
    },
    isCodeExpired: ({ createdAtMs }: Grant): boolean => nowMs() - createdAtMs > CODE_MS,
    /** Uses the grant's code. False: it has been used, be it at this moment in another process. */
    async takeCode({ id }: Grant): Promise<boolean> {
      const by = randomUUID();
      return (await writeOnce(exchangeFile(id), exchangeShape, { by, atMs: nowMs() })).by === by;
    },
    /** Ends all of the person's grants of this app, or of all apps. */
    async end(personId: string, clientId: string | null, by: 'app' | 'person'): Promise<void> {
      const active = await activeOf(personId, clientId);
      await Promise.all(active.map(({ id }) => writeOnce(endFile(id), endShape, { by, atMs: nowMs() })));
    },
  };
}

export type Grants = Awaited<ReturnType<typeof openGrants>>;
