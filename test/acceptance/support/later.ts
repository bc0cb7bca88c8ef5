/**
 * Loaded into a server by `NODE_OPTIONS=--import`: its clock runs ahead by ACCEPTANCE_AHEAD_MS, so that a test need
 * not wait a day for something to expire.
 */
const aheadMs = Number(process.env.ACCEPTANCE_AHEAD_MS ?? 0);
const RealDate = Date;

class LaterDate extends RealDate {
  constructor(...args: [] | [number | string | Date]) {
    if (args.length === 0) super(RealDate.now() + aheadMs);
    else super(...args);
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
}

if (aheadMs !== 0) Object.assign(globalThis, { Date: LaterDate });
