/** The people of the simulated Apple. */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { openRecords } from '../records.ts';
import { writeOnce } from '../write-once.ts';

/** What Apple believes about a person: 0 cannot be said, 1 unknown, 2 likely real. */
const realUserStatus = z.union([z.literal(0), z.literal(1), z.literal(2)]);

export const newPersonShape = z.object({
  name: z.string().trim().min(1).max(100),
  /** Null: an Apple Account without an e-mail address, such as one that a school manages. */
  email: z.email().max(254).nullable().default(null),
  realUserStatus: realUserStatus.default(2),
});
export type NewPerson = z.input<typeof newPersonShape>;

const personShape = newPersonShape.extend({
  id: z.uuid(),
  /** Whether Apple forwards what is sent to the person's private relay address. */
  isForwarding: z.boolean(),
  /** The Apple Account is deleted. */
  isDeleted: z.boolean(),
  createdAtMs: z.number(),
});
export type Person = z.infer<typeof personShape>;

/** So that there is someone to sign in as at once. */
const FIRST_PEOPLE = [
  { id: '00000000-0000-4000-8000-000000000ada', name: 'Ada', email: 'ada@example.com' },
  { id: '00000000-0000-4000-8000-000000000b0b', name: 'Bob', email: 'bob@example.com' },
];

/** Keeps the people in `folder`. */
export async function openPeople(folder: string, clock: Clock) {
  const [idOf, atMsOf] = [({ id }: Person) => id, ({ createdAtMs }: Person) => createdAtMs];
  const records = await openRecords({ folder, shape: personShape, idOf, atMsOf });
  const made = (id: string, createdAtMs: number, person: NewPerson): Person => ({
    ...newPersonShape.parse(person),
    ...{ id, isForwarding: true, isDeleted: false, createdAtMs },
  });
  for (const [index, { id, ...person }] of FIRST_PEOPLE.entries()) {
    await writeOnce(join(folder, `${id}.json`), personShape, made(id, index, person));
  }

  return {
    /** Oldest first, deleted ones too. */
    list: records.list,
    change: records.change,
    async get(id: string): Promise<Person> {
      const person = z.uuid().safeParse(id).success ? await records.read(id) : undefined;
      if (!person) throw new Error(`there is no simulated person ${id}`);
      return person;
    },
    async create(person: NewPerson): Promise<Person> {
      const created = made(randomUUID(), clock.now().getTime(), person);
      await records.write(created);
      return created;
    },
  };
}

export type People = Awaited<ReturnType<typeof openPeople>>;

/** Apple's id of the person for one team, the same in all of the team's apps. */
export function subOf({ id }: Pick<Person, 'id'>, teamId: string, salt: string): string {
  const hash = hashOf('sub', id, teamId, salt);
  const digits = (from: number, count: number) =>
    String(Number.parseInt(hash.slice(from, from + 8), 16))
      .padStart(count, '0')
      .slice(-count);
  return `${digits(32, 6)}.${hash.slice(0, 32)}.${digits(40, 4)}`;
}

/** The address under which Apple hides the person's own from one team. */
export function relayEmailOf({ id }: Pick<Person, 'id'>, teamId: string, salt: string): string {
  const name = BigInt(`0x${hashOf('relay', id, teamId, salt)}`)
    .toString(36)
    .slice(0, 10);
  return `${name}@privaterelay.appleid.com`;
}

function hashOf(...parts: string[]): string {
  return createHash('sha256').update(parts.join(' ')).digest('hex');
}
