/** The SQL files of `db/`. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

const SQL_DIR = new URL('../../db/', import.meta.url);

/** `name`: the path inside `db/`. */
export type SqlFile = { name: string; sql: string; hash: string };

export async function readSql(path: string): Promise<SqlFile> {
  const sql = await readFile(new URL(path, SQL_DIR), 'utf8');
  return { name: path, sql, hash: createHash('sha256').update(sql).digest('hex') };
}

/** Returns the SQL files of a folder and its subfolders, sorted by name. */
export async function readFolder(folder: string): Promise<SqlFile[]> {
  const names = (await readdir(new URL(`${folder}/`, SQL_DIR), { recursive: true }))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return Promise.all(names.map((name) => readSql(`${folder}/${name}`)));
}

/** Procedures, grants and the catalogue, in the order in which they are applied. */
export async function readBehaviour(): Promise<SqlFile[]> {
  return [
    ...(await readFolder('procedures')),
    await readSql('grants-queue.sql'),
    await readSql('grants-hosted.sql'),
    await readSql('grants-policies.sql'),
    await readSql('grants.sql'),
    ...(await readFolder('seed')),
  ];
}
