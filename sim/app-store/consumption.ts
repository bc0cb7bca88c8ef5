/** What servers tell the simulated App Store about a purchase whose refund was asked for. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { openRecords } from '../records.ts';
import { AppStoreError, type ErrorName } from './errors.ts';

const PERCENTAGE_MAX = 100_000;

const bodyShape = z.strictObject({
  customerConsented: z.literal(true),
  deliveryStatus: z.enum([
    'DELIVERED',
    'UNDELIVERED_QUALITY_ISSUE',
    'UNDELIVERED_WRONG_ITEM',
    'UNDELIVERED_SERVER_OUTAGE',
    'UNDELIVERED_OTHER',
  ]),
  sampleContentProvided: z.boolean(),
  consumptionPercentage: z.int().min(0).max(PERCENTAGE_MAX).exactOptional(),
  refundPreference: z.enum(['DECLINE', 'GRANT_FULL', 'GRANT_PRORATED']).exactOptional(),
});
type ConsumptionBody = z.infer<typeof bodyShape>;

const recordShape = bodyShape.extend({ id: z.uuid(), transactionId: z.string(), receivedAtMs: z.number() });
export type ConsumptionInformation = z.infer<typeof recordShape>;

/** In the order in which a wrong field is named. */
const FIELD_ERRORS: Record<keyof ConsumptionBody, ErrorName> = {
  customerConsented: 'INVALID_CUSTOMER_CONSENTED',
  deliveryStatus: 'INVALID_DELIVERY_STATUS',
  sampleContentProvided: 'INVALID_SAMPLE_CONTENT_PROVIDED',
  refundPreference: 'INVALID_REFUND_PREFERENCE',
  consumptionPercentage: 'GENERAL_BAD_REQUEST',
};

/** Throws Apple's refusal. The rules for the percentage are those of Apple's documentation of `consumptionPercentage`. */
export function parseConsumption(body: unknown): ConsumptionBody {
  const { data, error } = bodyShape.safeParse(body);
  if (!data) {
    const wrong = new Set(error.issues.flatMap(({ path }) => path.map(String)));
    const [, name = 'GENERAL_BAD_REQUEST'] = Object.entries(FIELD_ERRORS).find(([field]) => wrong.has(field)) ?? [];
    throw new AppStoreError(name);
  }
  const { deliveryStatus, refundPreference, consumptionPercentage = 0 } = data;
  const isPartial = consumptionPercentage > 0 && consumptionPercentage < PERCENTAGE_MAX;
  const isWrong =
    (deliveryStatus !== 'DELIVERED' && consumptionPercentage !== 0) ||
    (refundPreference === 'GRANT_PRORATED' && !isPartial);
  if (isWrong) throw new AppStoreError('GENERAL_BAD_REQUEST');
  return data;
}

export async function openConsumption(folder: string, stamp: () => number) {
  const records = await openRecords({
    folder,
    shape: recordShape,
    idOf: ({ id }) => id,
    atMsOf: ({ receivedAtMs }) => receivedAtMs,
  });
  return {
    /** Oldest first. */
    list: records.list,
    async add(transactionId: string, body: ConsumptionBody): Promise<void> {
      await records.write({ ...body, id: randomUUID(), transactionId, receivedAtMs: stamp() });
    },
  };
}

export type ConsumptionStore = Awaited<ReturnType<typeof openConsumption>>;
