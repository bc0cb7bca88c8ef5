/** Errors that a library throws, or rejects with, where no caller can catch them. By default they end the process. */

/** Takes the error, and returns whether it is one that it takes care of. */
export type Claim = (error: unknown) => boolean;

const claims = new Set<Claim>();

/** Passes the stray errors of this process to `claim` from now on, also those of what has ended meanwhile. */
export function claimStrayErrors(claim: Claim): void {
  if (claims.size === 0) {
    for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
      process.on(event, (error: unknown) => {
        const isClaimed = [...claims].map((each) => each(error)).includes(true);
        // Without this listener, the error would end the process. It does so unless another listener takes it.
        if (!isClaimed && process.listenerCount(event) === 1) throw error;
      });
    }
  }
  claims.add(claim);
}
