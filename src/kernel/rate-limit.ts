/** The state of a limit: `remaining` of `limit`, resets in `resetSeconds`. `windowSeconds` is null without a time window. */
export type RateLimitState = {
  policy:
    | 'generations'
    | 'onboarding'
    | 'auth'
    | 'purchases'
    | 'calls'
    | 'calls_in_progress'
    | 'code_guesses'
    | 'daily_spend'
    | 'downloads'
    | 'exports'
    | 'refunded_cancels'
    | 'reports'
    | 'uploads';
  limit: number;
  windowSeconds: number | null;
  remaining: number;
  resetSeconds: number;
};
