/** How each of Runway's models wants to be asked: the fields named here are all that it ever gets. */
import type { RunwayML } from '@runwayml/sdk';
import type { GenerationRequest, SourceImage } from '../provider.ts';

export type TextToVideoBody = Extract<RunwayML.TextToVideoCreateParams, { model: 'gen4.5' }>;
export type ImageToVideoBody = Extract<RunwayML.ImageToVideoCreateParams, { model: 'gen4_turbo' }>;

/** `image_to_video` lacks the picture's address, which may have to be made first. */
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

/** What to send for the request, or why nothing can be sent. */
export function taskInputFor(request: GenerationRequest): TaskInput | { unusable: string } {
  const { providerModelId, image, settings } = request;
  const unshaped = { unusable: `${providerModelId} has no shape for ${settings.aspect_ratio}` };
  if (providerModelId === 'gen4.5') return gen45(request) ?? unshaped;
  if (providerModelId !== 'gen4_turbo') return { unusable: `no model ${providerModelId} is known here` };
  return image ? (gen4Turbo(request, image) ?? unshaped) : { unusable: 'the model needs a picture' };
}

/** The models that can be asked. */
export const knownModels = ['gen4.5', 'gen4_turbo'] as const;
