/**
 * Loaded into a server by `NODE_OPTIONS=--import`: its clock runs ahead by ACCEPTANCE_AHEAD_MS, so that what expires in a
 * day can be seen to expire today.
 */
const aheadMs = Number(process.env.ACCEPTANCE_AHEAD_MS ?? 0);
const RealDate = Date;

class LaterDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(RealDate.now() + aheadMs);
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
}

if (aheadMs !== 0) Object.assign(globalThis, { Date: LaterDate });
