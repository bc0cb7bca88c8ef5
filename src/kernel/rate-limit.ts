/** How much of a limit is left: `remaining` of `limit`, until `resetSeconds` from now. `windowSeconds` null: not a window. */
export type RateLimitState = {
  policy: 'generations' | 'onboarding' | 'auth' | 'purchases' | 'calls';
  limit: number;
  windowSeconds: number | null;
  remaining: number;
  resetSeconds: number;
};
