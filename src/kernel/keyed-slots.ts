/** Limits how much work of one account runs at once in this process. The rest waits in line, outside the database. */

export type KeyedSlots = {
  /** Runs the work in a slot of this key. Throws `NoSlot` if none becomes free in time, or if the line is full. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
};

export type KeyedSlotsOptions = {
  /** For each key. */
  slots: number;
  waitingMax: number;
  waitMs: number;
};

/** Nothing has run. */
export class NoSlot extends Error {
  override readonly name = 'NoSlot';
}

type Line = { running: number; waiting: (() => void)[] };

export function createKeyedSlots({ slots, waitingMax, waitMs }: KeyedSlotsOptions): KeyedSlots {
  const lines = new Map<string, Line>();

  const enter = async (line: Line): Promise<void> => {
    if (line.running < slots) {
      line.running += 1;
      return;
    }
    if (line.waiting.length >= waitingMax) throw new NoSlot();
    await new Promise<void>((resolve, reject) => {
      const proceed = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        line.waiting.splice(line.waiting.indexOf(proceed), 1);
        reject(new NoSlot());
      }, waitMs);
      line.waiting.push(proceed);
    });
  };

  return {
    async run(key, work) {
      const line = lines.get(key) ?? { running: 0, waiting: [] };
      lines.set(key, line);
      await enter(line);
      try {
        return await work();
      } finally {
        const next = line.waiting.shift();
        // The next in line takes over this slot.
        if (next) next();
        else line.running -= 1;
        if (line.running === 0) lines.delete(key);
      }
    },
  };
}
