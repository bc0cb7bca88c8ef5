/** The inputs of the models, which are checked when a task is created, and what the models cost. */
import { z } from 'zod';

const promptText = z.string().min(1).max(1000);
const duration = z.int().min(2).max(10);
const common = {
  seed: z.int().min(0).max(4_294_967_295).exactOptional(),
  contentModeration: z.object({ publicFigureThreshold: z.enum(['auto', 'low']).exactOptional() }).exactOptional(),
};
const promptImage = z.union([
  z.string(),
  z.array(z.object({ uri: z.string(), position: z.literal('first') })).length(1),
]);
const IMAGE_RATIOS = ['1280:720', '720:1280', '1104:832', '832:1104', '960:960', '1584:672'] as const;

export const inputShapes = {
  text_to_video: z.discriminatedUnion('model', [
    z.object({
      model: z.literal('gen4.5'),
      promptText,
      duration,
      ratio: z.enum(['1280:720', '720:1280']),
      ...common,
    }),
  ]),
  image_to_video: z.discriminatedUnion('model', [
    z.object({ model: z.literal('gen4.5'), promptImage, promptText, duration, ratio: z.enum(IMAGE_RATIOS), ...common }),
    z.object({
      model: z.literal('gen4_turbo'),
      promptImage,
      promptText: promptText.exactOptional(),
      duration: duration.exactOptional(),
      ratio: z.enum(IMAGE_RATIOS),
      ...common,
    }),
  ]),
} as const;

export type Kind = keyof typeof inputShapes;
export type TaskInput = z.infer<(typeof inputShapes)[Kind]>;

export const MODELS = ['gen4.5', 'gen4_turbo'] as const;
const CREDITS_PER_SECOND = { 'gen4.5': 12, gen4_turbo: 5 };
const DEFAULT_SECONDS = 10;

export function secondsOf({ duration = DEFAULT_SECONDS }: TaskInput): number {
  return duration;
}

export function creditsOf(input: TaskInput): number {
  return CREDITS_PER_SECOND[input.model] * secondsOf(input);
}

/** The image's URI; undefined for a task without an image. */
export function imageOf(input: TaskInput): string | undefined {
  if (!('promptImage' in input)) return undefined;
  return typeof input.promptImage === 'string' ? input.promptImage : input.promptImage[0]?.uri;
}
