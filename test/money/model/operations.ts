/** Random operations of money, as fast-check makes and shrinks them. */
import fc from 'fast-check';

export const USERS = 3;
export const APPLE_USERS = 2;
const TRANSACTIONS = 3;
const KEYS = 4;

export type Operation =
  | { do: 'grant'; user: number; amount: number; expiresAt: number | null }
  | { do: 'buy'; user: number | null; token: number | 'unknown' | null; transaction: number; credits: number }
  | { do: 'refund'; transaction: number; decidedAt: number; isRefund: boolean; percentage: number | null }
  | { do: 'begin'; user: number; seconds: number; key: number }
  | { do: 'end'; job: number; isRefunded: boolean }
  | { do: 'correct'; user: number; amount: number }
  | { do: 'merge'; user: number; apple: number }
  | { do: 'remove'; user: number }
  | { do: 'wait'; until: number };

const user = fc.nat(USERS - 1);
const transaction = fc.nat(TRANSACTIONS - 1);
const amount = fc.integer({ min: 1, max: 12 });

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('grant' as const),
      user,
      amount,
      expiresAt: fc.option(fc.integer({ min: 1, max: 20 })),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('buy' as const),
      user: fc.option(user, { freq: 4 }),
      token: fc.option(
        fc.oneof({ weight: 6, arbitrary: user }, { weight: 1, arbitrary: fc.constant('unknown' as const) }),
      ),
      transaction,
      credits: fc.constantFrom(10, 50),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      transaction,
      decidedAt: fc.integer({ min: 0, max: 30 }),
      isRefund: fc.boolean(),
      percentage: fc.option(fc.constantFrom(0, 1, 33_333, 50_000, 99_999, 100_000)),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      user,
      seconds: fc.integer({ min: 1, max: 12 }),
      key: fc.nat(KEYS - 1),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), job: fc.nat(5), isRefunded: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('correct' as const), user, amount }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('merge' as const), user, apple: fc.nat(APPLE_USERS - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), user }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), until: fc.integer({ min: 1, max: 20 }) }) },
);

export const history: fc.Arbitrary<Operation[]> = fc.array(operation, { minLength: 1, maxLength: 25 });
