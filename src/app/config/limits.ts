/** The limits of every kind of call, and the credits of a new device. */
import type { Values } from './variables.ts';

export type Limits = {
  generationsPerHour: number;
  generationsPerHourPerIp: number;
  onboardingPerHour: number;
  authPer5Minutes: number;
  purchasesPerHour: number;
  reportsPerHour: number;
  callsPerMinute: number;
  generationsInFlight: number;
  refundedCancelsPerHour: number;
  codeGuessesPerHour: number;
  codeGuessesPerHourPerIp: number;
  /** What an account may spend in 24 hours; null: any amount. */
  dailySpendCapCredits: number | null;
  generationDeadlineSeconds: number;
  initialGrantCredits: number;
  deviceCheckFallback: Values['DEVICECHECK_FALLBACK'];
};

/** A developer or a test suite sends all its requests from one IP address. */
const DEVELOPMENT_FACTOR = 100;

/** The contract's defaults where nothing is set, times a hundred in development. */
export function limitsOf(values: Values): Limits {
  const factor = values.ENVIRONMENT === 'development' ? DEVELOPMENT_FACTOR : 1;
  return {
    generationsPerHour: values.RATE_LIMIT_GENERATIONS_PER_HOUR ?? 10 * factor,
    generationsPerHourPerIp: values.RATE_LIMIT_GENERATIONS_PER_HOUR_PER_ADDRESS ?? 60 * factor,
    onboardingPerHour: values.RATE_LIMIT_ONBOARDING_PER_HOUR ?? 30 * factor,
    authPer5Minutes: values.RATE_LIMIT_AUTH_PER_5_MINUTES ?? 150 * factor,
    purchasesPerHour: values.RATE_LIMIT_PURCHASES_PER_HOUR ?? 30 * factor,
    reportsPerHour: values.RATE_LIMIT_REPORTS_PER_HOUR ?? 20 * factor,
    callsPerMinute: values.RATE_LIMIT_CALLS_PER_MINUTE ?? 600 * factor,
    generationsInFlight: values.RATE_LIMIT_GENERATIONS_IN_FLIGHT ?? 10 * factor,
    refundedCancelsPerHour: values.RATE_LIMIT_REFUNDED_CANCELS_PER_HOUR ?? 5 * factor,
    // The same in development: an account's guesses are few there too.
    codeGuessesPerHour: values.RATE_LIMIT_CODE_GUESSES_PER_HOUR ?? 10,
    codeGuessesPerHourPerIp: values.RATE_LIMIT_CODE_GUESSES_PER_HOUR_PER_ADDRESS ?? 30 * factor,
    dailySpendCapCredits: values.DAILY_SPEND_CAP_CREDITS ?? null,
    generationDeadlineSeconds: values.GENERATION_DEADLINE_SECONDS,
    initialGrantCredits: values.INITIAL_GRANT_CREDITS,
    deviceCheckFallback: values.DEVICECHECK_FALLBACK,
  };
}
