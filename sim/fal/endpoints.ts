/** The inputs of the endpoints. As at fal, the model behind the queue checks them; the queue itself accepts any input. */
import type { ValidationErrorInfo } from '@fal-ai/client';
import { z } from 'zod';

const prompt = z.string().min(1);
const veo = {
  prompt,
  duration: z.enum(['4s', '6s', '8s']).exactOptional(),
  resolution: z.enum(['720p', '1080p']).exactOptional(),
  aspect_ratio: z.enum(['16:9', '9:16']).exactOptional(),
  generate_audio: z.boolean().exactOptional(),
};
const fiveOrTen = z.enum(['5', '10']).exactOptional();

export const inputShapes = {
  'fal-ai/veo3.1': z.object(veo),
  'fal-ai/veo3.1/fast': z.object(veo),
  'fal-ai/veo3.1/image-to-video': z.object({
    ...veo,
    image_url: z.string().regex(/^(?:https?:|data:)/),
    aspect_ratio: z.enum(['auto', '16:9', '9:16']).exactOptional(),
  }),
  'fal-ai/kling-video/v2.5-turbo/pro/text-to-video': z.object({
    prompt,
    duration: fiveOrTen,
    aspect_ratio: z.enum(['16:9', '9:16', '1:1']).exactOptional(),
  }),
  'fal-ai/pika/v2.2/text-to-video': z.object({
    prompt,
    duration: fiveOrTen,
    resolution: z.enum(['720p', '1080p']).exactOptional(),
    aspect_ratio: z.enum(['16:9', '9:16', '1:1', '4:5', '5:4', '3:2', '2:3']).exactOptional(),
  }),
};

const SHAPES: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(inputShapes));

/** What is wrong with the input, as fal's models word it; null for an endpoint that does not exist. */
export function problemsWith(endpoint: string, input: unknown): ValidationErrorInfo[] | null {
  const shape = SHAPES.get(endpoint);
  if (!shape) return null;
  const issues = shape.safeParse(input).error?.issues ?? [];
  return issues.map(({ path, message, code }) => {
    const loc = ['body', ...path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    const isMissing = valueAt(input, path) === undefined;
    if (isMissing) return { loc, msg: 'Field required', type: 'missing' };
    const isImage = path.join('.') === 'image_url';
    return isImage
      ? {
          loc,
          msg: 'Failed to load the image. Please ensure the image file is not corrupted.',
          type: 'image_load_error',
        }
      : { loc, msg: message, type: code === 'invalid_value' ? 'literal_error' : 'value_error' };
  });
}

function valueAt(input: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value instanceof Object ? Reflect.get(value, key) : undefined), input);
}
