/** What goes wrong with the next pushes. */
import { z } from 'zod';

export const planShape = z.object({
  /** The device that it is about; absent: any. */
  token: z.string().optional(),
  times: z.int().min(1).default(1),
  /** Answers with this. */
  status: z.int().min(200).max(599).optional(),
  reason: z.string().optional(),
  /** Of a 410: since when the token is gone, in milliseconds. */
  timestamp: z.number().optional(),
  /** Of the answer: seconds, or a date. */
  retryAfter: z.string().optional(),
  /** Instead of JSON. */
  text: z.string().optional(),
  /** `hang`: no answer, until the caller or the simulator ends. `cut`: the connection ends without one. */
  silence: z.enum(['hang', 'cut']).optional(),
  /** The device gets it all the same. */
  isDelivered: z.boolean().default(false),
});

export type Plan = z.output<typeof planShape>;
export type PlanInput = z.input<typeof planShape>;

/** Plans are used up in the order in which they were made. */
export function createPlans() {
  let planned: Plan[] = [];
  return {
    add(plan: PlanInput): void {
      planned.push(planShape.parse(plan));
    },
    clear(): void {
      planned = [];
    },
    take(token: string): Plan | undefined {
      const plan = planned.find((each) => each.token === undefined || each.token === token);
      if (plan) plan.times -= 1;
      planned = planned.filter(({ times }) => times > 0);
      return plan;
    },
  };
}

export type Plans = ReturnType<typeof createPlans>;
