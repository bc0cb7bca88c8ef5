/** The result of one case of the fault matrix. */
export type Row = {
  vendor: string;
  where: string;
  what: string;
  /** `video`, or the code with which it failed. */
  ending: string;
  /** How often the job was submitted to the vendor, and for how many submits the outcome is unknown. */
  sent: number;
  unknownAttempts: number;
  /** How many jobs the vendor started. */
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
  ['started', (row) => row.billed],
  ['charges', (row) => row.charges],
  ['refunds', (row) => row.refunds],
];

/** One line for each case, as a readable log. */
export function printTable(rows: readonly Row[]): void {
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => String(cell(row))))];
  const widths = COLUMNS.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  for (const line of lines)
    console.log(
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
