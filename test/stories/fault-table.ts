/** What one case of the fault matrix came to. */
export type Row = {
  vendor: string;
  where: string;
  what: string;
  /** `video`, or the code it failed with. */
  ending: string;
  /** How often the job was handed to the vendor, and for how many of these nobody can tell whether it was taken. */
  sent: number;
  unknownAttempts: number;
  /** How many jobs the vendor began. */
  billed: number;
  charges: number;
  refunds: number;
};

const COLUMNS: [title: string, cell: (row: Row) => string | number][] = [
  ['vendor', (row) => row.vendor],
  ['where', (row) => row.where],
  ['what goes wrong', (row) => row.what],
  ['ending', (row) => row.ending],
  ['sent', (row) => row.sent],
  ['unknown', (row) => row.unknownAttempts],
  ['begun there', (row) => row.billed],
  ['charges', (row) => row.charges],
  ['refunds', (row) => row.refunds],
];

/** One line for each case, for people to read in a log. */
export function printTable(rows: readonly Row[]): void {
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => String(cell(row))))];
  const widths = COLUMNS.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  for (const line of lines)
    console.log(
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
