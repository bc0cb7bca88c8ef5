/** One question to Runway through its SDK: the SDK writes the request, and what came of it is read here. */
import type { RunwayML } from '@runwayml/sdk';
import { NO_TIME_LEFT, type NoReply, noReplyFrom, type Reply, textOf } from '../reply.ts';

export type Question = (client: RunwayML) => PromiseLike<unknown>;

export type Line = { apiKey: string; baseUrl: string; fetch: typeof fetch };

/** Statuses that go without a body. */
const BODILESS = new Set([204, 205, 304]);

/**
 * Asks once, without the SDK's own retries, for 60 s at most, and gives the last answer that came. Throws only where the
 * SDK does before anything is sent. Redirects are answers like any other, lest the key or the request go elsewhere.
 */
export async function call(
  { apiKey, baseUrl, fetch }: Line,
  question: Question,
  signal: AbortSignal,
): Promise<Reply | NoReply> {
  if (signal.aborted) return NO_TIME_LEFT;
  const noted: { answer?: Reply | NoReply } = {};
  // The SDK keeps neither the cause of a connection that timed out nor a bound on what it reads.
  const noting: typeof fetch = async (input, init) => {
    const limits = init?.signal ? AbortSignal.any([signal, init.signal]) : signal;
    const response = await fetch(input, { ...init, redirect: 'manual', signal: limits }).catch((error: unknown) => {
      noted.answer = noReplyFrom(error, limits);
      throw error;
    });
    const { status, headers } = response;
    const text = await textOf(response);
    noted.answer = { got: 'reply', status, headers, text };
    return new Response(BODILESS.has(status) ? null : text, { status, headers });
  };
  // Loaded by whoever has a key for it: the import costs a start some tens of milliseconds.
  const { RunwayML } = await import('@runwayml/sdk');
  const client = new RunwayML({ apiKey, baseURL: baseUrl, fetch: noting, maxRetries: 0, logLevel: 'off' });
  try {
    await question(client);
  } catch (error) {
    if (!noted.answer) throw error;
  }
  if (!noted.answer) throw new Error('nothing was asked');
  return noted.answer;
}
