/**
 * Makes sure that a database's processes keep its files in one store: the store holds an id, which the database has recorded.
 * A worker with a disk of its own, or another bucket, would complete generations whose videos the server never finds.
 */
import { join } from 'node:path';
import type { Database } from '../db/database.ts';
import type { Lease } from '../db/lease.ts';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { isConfigurationFault, StoreRefusal } from '../media/storage-problem.ts';
import type { MediaStore } from '../media/store.ts';
import { readStoreId, writeStoreId } from '../media/store-id.ts';
import { makeFolder } from '../platform/make-folder.ts';

export type OwnStoreOptions = {
  db: Database;
  media: MediaStore;
  /** One process at a time gives a store its id. */
  lease: Lease;
  /** For a temporary file. */
  workDir: string;
  newUuid(): string;
  /** What the operator set, for the sentence that refuses it. */
  where: { store: string; variables: string };
  /** Whether another store is only said to be one, and used. */
  isLenient: boolean;
  log: Log;
};

export type OwnStore = {
  /** Writes nothing before the store is known to be the database's own. */
  media: MediaStore;
  /** Throws a StartupError for another store, and an ERR_6002 while the store cannot be reached. Done once it has succeeded. */
  ensureOwn(): Promise<void>;
};

export function ownStore(options: OwnStoreOptions): OwnStore {
  const { media } = options;
  let checked: Promise<void> | undefined;
  const ensureOwn = () => {
    checked ??= check(options).catch((error) => {
      checked = undefined;
      throw error;
    });
    return checked;
  };
  const putFile: MediaStore['putFile'] = async (...file) => {
    await ensureOwn().catch((error) => {
      throw error instanceof StartupError ? new Problem('ERR_6002', { cause: error }) : error;
    });
    return media.putFile(...file);
  };
  return { media: { ...media, putFile }, ensureOwn };
}

async function check(options: OwnStoreOptions): Promise<void> {
  const { where, isLenient, log } = options;
  const fault = await findFault(options);
  if (fault === null) return;
  if (!isLenient) throw new StartupError(fault);
  log.warn({ store: where.store }, fault);
}

/** A sentence for the operator; null if the store is the database's own. */
async function findFault(options: OwnStoreOptions): Promise<string | null> {
  const { store, variables } = options.where;
  try {
    return otherStoreFault(await compare(options), options.where);
  } catch (error) {
    const cause = error instanceof Problem ? error.cause : null;
    if (!(cause instanceof StoreRefusal) || !isConfigurationFault(error)) throw error;
    return `The media store cannot be used: ${store} (${cause.message}). Check ${variables}.`;
  }
}

async function compare(options: OwnStoreOptions): Promise<StoreComparison> {
  const { db, media, lease } = options;
  const recorded = await recordedId(db);
  if (recorded !== null) return compareIds(recorded, await readStoreId(media));
  return lease.run(async () => {
    const meanwhile = await recordedId(db);
    if (meanwhile !== null) return compareIds(meanwhile, await readStoreId(media));
    const id = (await readStoreId(media)) ?? (await giveId(options));
    return compareIds(await db.call('adopt_media_store', { id }), id);
  });
}

/** A sentence for the operator; null for the database's own store. */
export function otherStoreFault(found: StoreComparison, { store, variables }: OwnStoreOptions['where']): string | null {
  if (found === 'same') return null;
  return `This database's files are in another media store: ${store} holds ${found === 'none' ? 'no id' : 'the id of another one'}. Give this process the same ${variables} as the others. If the files have moved here for good, run: update public.settings set media_store_id = null`;
}

/** What a store holds: the id that the database has recorded, none, or another one. */
export type StoreComparison = 'same' | 'none' | 'another';

export function compareIds(recorded: string, found: string | null): StoreComparison {
  if (found === null) return 'none';
  return found === recorded ? 'same' : 'another';
}

async function recordedId(db: Database): Promise<string | null> {
  const row = await db.read.selectFrom('settings').select('media_store_id').executeTakeFirst();
  return row?.media_store_id ?? null;
}

async function giveId({ media, workDir, newUuid }: OwnStoreOptions): Promise<string> {
  const id = newUuid();
  await makeFolder(workDir);
  await writeStoreId(media, id, join(workDir, `store-id-${id}`));
  return id;
}
