import type { Context } from '../context.ts';
import { type MoneyFigures, readMoneyFigures } from './money-figures.ts';
import { type OperationsFigures, readOperationsFigures } from './operations-figures.ts';

/** What metrics show of the database. */
export type Figures = { money: MoneyFigures; operations: OperationsFigures };

export async function readAllFigures(ctx: Pick<Context, 'db'>): Promise<Figures> {
  return { money: await readMoneyFigures(ctx), operations: await readOperationsFigures(ctx) };
}
