import { z } from 'zod';

/** What happens to the next `times` notifications. Plans are used up in the order in which they were made. */
export const deliveryPlanShape = z.object({
  times: z.int().min(1).default(1),
  /** It never arrives; the history has it. */
  isLost: z.boolean().default(false),
  /** How often it arrives, each time with the same id. */
  copies: z.int().min(1).max(100).default(1),
  /** Before it is sent for the first time. What caused it does not wait. */
  delayMs: z.int().min(0).default(0),
});
export type DeliveryPlanInput = z.input<typeof deliveryPlanShape>;

const AS_USUAL = deliveryPlanShape.parse({});

export function createDeliveryPlans() {
  let plans: z.output<typeof deliveryPlanShape>[] = [];
  return {
    add(plan: DeliveryPlanInput): void {
      plans.push(deliveryPlanShape.parse(plan));
    },
    clear(): void {
      plans = [];
    },
    /** Uses up one time of the first plan. */
    take() {
      const [plan] = plans;
      if (plan) plan.times -= 1;
      plans = plans.filter(({ times }) => times > 0);
      return plan ?? AS_USUAL;
    },
  };
}
