/** The input of each of fal's endpoints: no other fields are sent. */
import type { GenerationRequest } from '../provider.ts';

export type FalInput = Record<string, string | number | boolean>;

type ToInput = (request: GenerationRequest) => FalInput;

/** Fields without a value are left out: the endpoint has its own defaults. */
function withoutUnset(fields: Record<string, FalInput[string] | undefined>): FalInput {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, FalInput[string]] => {
      return field[1] !== undefined;
    }),
  );
}

/** Durations as `"8s"`. Sound is on unless it is switched off, and costs twice as much. */
const veo: ToInput = ({ prompt, settings }) =>
  withoutUnset({
    prompt,
    duration: `${settings.duration}s`,
    resolution: settings.resolution,
    aspect_ratio: settings.aspect_ratio,
    generate_audio: settings.audio === true,
  });

/** Durations as `"5"`. */
const plainSeconds =
  (...fields: ('resolution' | 'aspect_ratio')[]): ToInput =>
  ({ prompt, settings }) =>
    withoutUnset({
      prompt,
      duration: String(settings.duration),
      ...Object.fromEntries(fields.map((field) => [field, settings[field]])),
    });

type Model = { inputOf: ToInput; needsImage?: true };

const MODELS: ReadonlyMap<string, Model> = new Map<string, Model>([
  ['fal-ai/veo3.1', { inputOf: veo }],
  ['fal-ai/veo3.1/fast', { inputOf: veo }],
  ['fal-ai/veo3.1/image-to-video', { inputOf: veo, needsImage: true }],
  ['fal-ai/kling-video/v2.5-turbo/pro/text-to-video', { inputOf: plainSeconds('aspect_ratio') }],
  ['fal-ai/pika/v2.2/text-to-video', { inputOf: plainSeconds('resolution', 'aspect_ratio') }],
  ['fal-ai/sora-2/text-to-video', { inputOf: plainSeconds('resolution', 'aspect_ratio') }],
]);

/** Whether the endpoint takes an image; false for unknown endpoints. */
export function needsImage(endpoint: string): boolean {
  return MODELS.get(endpoint)?.needsImage === true;
}

/** The input for the request, or why there is none. `imageUrl`: where fal can fetch the image. */
export function inputFor(
  request: GenerationRequest,
  imageUrl: string | null,
): { input: FalInput } | { unusable: string } {
  const model = MODELS.get(request.providerModelId);
  if (!model) return { unusable: `unknown endpoint ${request.providerModelId}` };
  const input = model.inputOf(request);
  if (!model.needsImage) return { input };
  if (imageUrl === null) return { unusable: 'the endpoint needs an image' };
  return { input: { ...input, image_url: imageUrl } };
}

/** The endpoints that requests can be sent to. */
export const knownEndpoints: readonly string[] = [...MODELS.keys()];
