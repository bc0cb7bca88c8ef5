/** Amounts of money as Stripe writes them: whole numbers in a unit that depends on the currency. */

/** Their amounts are whole units. Stripe treats ISK, UGX, HUF and TWD as currencies with two decimals. */
const WITHOUT_DECIMALS = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ');
const WITH_THREE_DECIMALS = 'bhd jod kwd omr tnd'.split(' ');

/** A share is a whole number of these: thousandths of a percent. */
const WHOLE = 100_000;

/** An amount in thousandths of the currency's unit. */
export function milliunitsOf(amount: number, currency: string): number {
  if (WITHOUT_DECIMALS.includes(currency)) return amount * 1000;
  return WITH_THREE_DECIMALS.includes(currency) ? amount : amount * 10;
}

/**
 * The share of `whole` in thousandths of a percent, at most all of it. Rounded up: credits are taken back in whole numbers that are
 * rounded down, so that a third of 30 credits is 10 and not 9.
 */
export function percentageOf(part: number, whole: number): number {
  return Math.min(WHOLE, Math.ceil((part * WHOLE) / whole));
}
