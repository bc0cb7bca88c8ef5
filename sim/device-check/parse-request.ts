import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { deviceOf } from './device.ts';

/** A request that Apple would carry out. Bits that were left out count as false: a caller may not rely on their being kept. */
export type ParsedRequest = {
  device: string;
  transactionId: string;
  timestamp: number;
  bits: { bit0: boolean; bit1: boolean };
};

/** Apple's text for a 400. */
export type InvalidRequest = { text: string };

const WRONG_PAYLOAD = { text: 'Missing or incorrectly formatted device token payload' };

/** How far the caller's clock may be off. It has to be small enough to tell milliseconds from seconds. */
const SKEW_MAX_MS = 60 * 60_000;

const filled = z.string().min(1);
const bitsShape = z.object({ bit0: z.boolean().default(false), bit1: z.boolean().default(false) });

/** Checks the body in Apple's order. */
export function parseRequest(body: unknown, clock: Clock): ParsedRequest | InvalidRequest {
  const payload = z.record(z.string(), z.unknown()).safeParse(body).data;
  const token = filled.safeParse(payload?.device_token).data;
  const bits = bitsShape.safeParse(payload).data;
  if (!payload || !token || !bits) return WRONG_PAYLOAD;
  const transactionId = filled.safeParse(payload.transaction_id).data;
  if (!transactionId) return { text: 'Invalid or missing transaction id' };
  const timestamp = z.int().safeParse(payload.timestamp).data;
  if (!timestamp || Math.abs(clock.now().getTime() - timestamp) > SKEW_MAX_MS) {
    return { text: 'Invalid or missing timestamp' };
  }
  const device = deviceOf(token);
  return device === undefined ? { text: 'Bad Device Token' } : { device, transactionId, timestamp, bits };
}
