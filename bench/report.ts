import { styleText } from 'node:util';

/** One measurement. `promise` is the maximum, if one was promised. */
export type Measurement = {
  name: string;
  value: number;
  unit: 'ms' | 'kB' | 'MB' | 's' | '/s' | '%' | 'lookups' | 'calls' | '×';
  promise?: number;
};

/** Measures something in bounded time, and leaves nothing running. */
export type Bench = () => Promise<Measurement[]>;

/** Prints one table; returns how many promises were broken. */
export function report(title: string, measurements: Measurement[]): number {
  const width = Math.max(...measurements.map(({ name }) => name.length));
  console.log(`\n${styleText('bold', title)}`);
  for (const { name, value, unit, promise } of measurements) {
    const verdict =
      promise === undefined ? '' : `  promised: at most ${promise} ${unit}${value > promise ? ', BROKEN' : ''}`;
    console.log(`  ${name.padEnd(width)}  ${digits(value).padStart(8)} ${unit.padEnd(2)}${verdict}`);
  }
  return measurements.filter(({ value, promise }) => promise !== undefined && value > promise).length;
}

/** The value below which this share of the values lie. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}
