/** The request body for each of Runway's models: no other fields are sent. */
import type { RunwayML } from '@runwayml/sdk';
import type { GenerationRequest, SourceImage } from '../provider.ts';

export type TextToVideoBody = Extract<RunwayML.TextToVideoCreateParams, { model: 'gen4.5' }>;
export type ImageToVideoBody = Extract<RunwayML.ImageToVideoCreateParams, { model: 'gen4_turbo' }>;

/** The body of `image_to_video` still lacks the image's URI: the image may have to be uploaded first. */
export type TaskInput =
  | { from: 'text'; body: TextToVideoBody }
  | { from: 'image'; image: SourceImage; body: Omit<ImageToVideoBody, 'promptImage'> };

const TEXT_RATIOS: ReadonlyMap<string, TextToVideoBody['ratio']> = new Map([
  ['16:9', '1280:720'],
  ['9:16', '720:1280'],
]);
const IMAGE_RATIOS: ReadonlyMap<string, ImageToVideoBody['ratio']> = new Map([
  ['16:9', '1280:720'],
  ['9:16', '720:1280'],
  ['4:3', '1104:832'],
  ['3:4', '832:1104'],
  ['1:1', '960:960'],
  ['21:9', '1584:672'],
]);

function gen45({ prompt, settings }: GenerationRequest): TaskInput | null {
  const ratio = TEXT_RATIOS.get(settings.aspect_ratio ?? '16:9');
  const { duration } = settings;
  return ratio ? { from: 'text', body: { model: 'gen4.5', promptText: prompt, ratio, duration } } : null;
}

function gen4Turbo({ prompt, settings }: GenerationRequest, image: SourceImage): TaskInput | null {
  const ratio = IMAGE_RATIOS.get(settings.aspect_ratio ?? '16:9');
  const { duration } = settings;
  return ratio ? { from: 'image', image, body: { model: 'gen4_turbo', promptText: prompt, ratio, duration } } : null;
}

/** The input for the request, or why there is none. */
export function taskInputFor(request: GenerationRequest): TaskInput | { unusable: string } {
  const { providerModelId, image, settings } = request;
  const noRatio = { unusable: `${providerModelId} has no ratio for ${settings.aspect_ratio}` };
  if (providerModelId === 'gen4.5') return gen45(request) ?? noRatio;
  if (providerModelId !== 'gen4_turbo') return { unusable: `unknown model ${providerModelId}` };
  return image ? (gen4Turbo(request, image) ?? noRatio) : { unusable: 'the model needs an image' };
}

/** The models that requests can be sent to. */
export const knownModels = ['gen4.5', 'gen4_turbo'] as const;
