/** What the endpoints take: checked by the model behind the queue, as at fal, where the queue itself takes anything. */
import { z } from 'zod';

const prompt = z.string().min(1);
const veo = {
  prompt,
  duration: z.enum(['4s', '6s', '8s']).optional(),
  resolution: z.enum(['720p', '1080p']).optional(),
  aspect_ratio: z.enum(['16:9', '9:16']).optional(),
  generate_audio: z.boolean().optional(),
};
const five = z.enum(['5', '10']).optional();

const INPUTS: Record<string, z.ZodType> = {
  'fal-ai/veo3.1': z.object(veo),
  'fal-ai/veo3.1/fast': z.object(veo),
  'fal-ai/veo3.1/image-to-video': z.object({
    ...veo,
    image_url: z.string().regex(/^(?:https?:|data:)/),
    aspect_ratio: z.enum(['auto', '16:9', '9:16']).optional(),
  }),
  'fal-ai/kling-video/v2.5-turbo/pro/text-to-video': z.object({
    prompt,
    duration: five,
    aspect_ratio: z.enum(['16:9', '9:16', '1:1']).optional(),
  }),
  'fal-ai/pika/v2.2/text-to-video': z.object({
    prompt,
    duration: five,
    resolution: z.enum(['720p', '1080p']).optional(),
    aspect_ratio: z.enum(['16:9', '9:16', '1:1', '4:5', '5:4', '3:2', '2:3']).optional(),
  }),
};

export type Problem = { loc: (string | number)[]; msg: string; type: string };

/** What is wrong with the input, in the words of fal's models; null for an endpoint that does not exist. */
export function problemsWith(endpoint: string, input: unknown): Problem[] | null {
  const shape = INPUTS[endpoint];
  if (!shape) return null;
  const issues = shape.safeParse(input).error?.issues ?? [];
  return issues.map(({ path, message, code }) => {
    const loc = ['body', ...path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    const isMissing = valueAt(input, path) === undefined;
    return isMissing
      ? { loc, msg: 'Field required', type: 'missing' }
      : { loc, msg: message, type: code === 'invalid_value' ? 'literal_error' : 'value_error' };
  });
}

function valueAt(input: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value instanceof Object ? Reflect.get(value, key) : undefined), input);
}
