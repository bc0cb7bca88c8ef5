/** The ways in which every vendor's simulated job may end, and how a prompt chooses one: `[fal:moderated]` and so on. */
import type { z } from 'zod';

/** The job succeeds; what follows `video` says what the media host does with the file. */
export const FILE_OUTCOMES = [
  'video',
  'video_html',
  'video_truncated',
  'video_cut',
  'video_endless',
  'video_slow',
  'video_missing',
  'video_redirect',
  'video_internal',
] as const;

export type FileOutcome = (typeof FILE_OUTCOMES)[number];

export function isFileOutcome(outcome: string | undefined): outcome is FileOutcome {
  return FILE_OUTCOMES.some((known) => known === outcome);
}

/** Undefined for an ordinary prompt. */
export function outcomeInPrompt<T>(vendor: string, prompt: unknown, shape: z.ZodType<T>): T | undefined {
  const [, name] = typeof prompt === 'string' ? (new RegExp(`\\[${vendor}:(\\w+)\\]`).exec(prompt) ?? []) : [];
  return shape.safeParse(name).data;
}
