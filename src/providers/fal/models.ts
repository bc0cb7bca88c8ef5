/** How each endpoint of fal's wants to be asked: the fields named here are all that it ever gets. */
import type { GenerationRequest } from '../provider.ts';

export type FalInput = Record<string, string | number | boolean>;

type ToInput = (request: GenerationRequest) => FalInput;

/** Fields whose setting was not chosen are left out: the endpoint has defaults of its own. */
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

/** Whether the endpoint animates a picture; false for those that nobody knows. */
export function needsImage(endpoint: string): boolean {
  return MODELS.get(endpoint)?.needsImage === true;
}

/** What to send for the request, with the picture where fal finds it, or why nothing can be sent. */
export function inputFor(
  request: GenerationRequest,
  pictureUrl: string | null,
): { input: FalInput } | { unusable: string } {
  const model = MODELS.get(request.providerModelId);
  if (!model) return { unusable: `no endpoint ${request.providerModelId} is known here` };
  const input = model.inputOf(request);
  if (!model.needsImage) return { input };
  if (pictureUrl === null) return { unusable: 'the endpoint needs a picture' };
  return { input: { ...input, image_url: pictureUrl } };
}

/** The endpoints that can be asked. */
export const knownEndpoints: readonly string[] = [...MODELS.keys()];
