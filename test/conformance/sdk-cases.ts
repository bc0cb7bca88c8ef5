/** Every choice of settings in the catalogue, and the input for the vendor, checked with the vendor's own types. */
import { readFileSync } from 'node:fs';
import type { EndpointTypeMap } from '@fal-ai/client/endpoints';
import type { RunwayML } from '@runwayml/sdk';
import type { VideoSettings } from '../../src/providers/provider.ts';
import { IMAGE_URL } from '../providers/fal-bench.ts';

export type Endpoint = keyof EndpointTypeMap;
export type Input<E extends Endpoint> = EndpointTypeMap[E]['input'];
export type TextToVideo = RunwayML.TextToVideoCreateParams;
export type ImageToVideo = RunwayML.ImageToVideoCreateParams;

export const PROMPT = 'A lighthouse keeper feeds an unusual owl';
const WIDE_TALL = ['16:9', '9:16'] as const;
const SIZES = ['720p', '1080p'] as const;

/** Settings as in the catalogue, and the input that the vendor must get for them. */
export type Case<Sent = object> = { model: string; settings: VideoSettings; input: Sent };

type Veo = 'fal-ai/veo3.1' | 'fal-ai/veo3.1/fast';

function* veoCases(model: Veo): Generator<Case<Input<Veo>>> {
  for (const duration of [4, 6, 8] as const)
    for (const resolution of SIZES)
      for (const aspect_ratio of WIDE_TALL)
        for (const audio of [true, false]) {
          const shape = { resolution, aspect_ratio };
          const seconds = `${duration}s` as const;
          const input = { prompt: PROMPT, duration: seconds, ...shape, generate_audio: audio } satisfies Input<
            typeof model
          >;
          yield { model, settings: { duration, ...shape, audio }, input };
        }
}

function* animateCases(): Generator<Case> {
  const model = 'fal-ai/veo3.1/image-to-video';
  for (const { settings, input } of veoCases('fal-ai/veo3.1')) {
    const withImage = { ...input, image_url: IMAGE_URL } satisfies Input<typeof model>;
    yield { model, settings, input: withImage };
  }
}

function* klingCases(): Generator<Case> {
  const model = 'fal-ai/kling-video/v2.5-turbo/pro/text-to-video';
  for (const duration of [5, 10] as const)
    for (const aspect_ratio of [...WIDE_TALL, '1:1'] as const) {
      const input = { prompt: PROMPT, duration: `${duration}` as const, aspect_ratio } satisfies Input<typeof model>;
      yield { model, settings: { duration, aspect_ratio }, input };
    }
}

function* pikaCases(): Generator<Case> {
  const model = 'fal-ai/pika/v2.2/text-to-video';
  for (const duration of [5, 10] as const)
    for (const resolution of SIZES)
      for (const aspect_ratio of [...WIDE_TALL, '1:1', '4:5', '5:4', '3:2', '2:3'] as const) {
        const shape = { resolution, aspect_ratio };
        const input = { prompt: PROMPT, duration: `${duration}` as const, ...shape } satisfies Input<typeof model>;
        yield { model, settings: { duration, ...shape }, input };
      }
}

function* soraCases(): Generator<Case> {
  const model = 'fal-ai/sora-2/text-to-video';
  for (const duration of [4, 8, 12] as const) {
    const input = { prompt: PROMPT, duration: `${duration}` as const } satisfies Input<typeof model>;
    yield { model, settings: { duration }, input };
  }
}

export const FAL_CASES: Case[] = [
  ...veoCases('fal-ai/veo3.1'),
  ...veoCases('fal-ai/veo3.1/fast'),
  ...animateCases(),
  ...klingCases(),
  ...pikaCases(),
  ...soraCases(),
];

const RATIOS = { '16:9': '1280:720', '9:16': '720:1280' } as const;
const promptText = PROMPT;

function* runwayCases(): Generator<Case> {
  for (const duration of [2, 3, 4, 5, 6, 7, 8, 9, 10])
    for (const aspect_ratio of WIDE_TALL) {
      const settings = { duration, aspect_ratio };
      const shape = { promptText, duration, ratio: RATIOS[aspect_ratio] };
      yield { model: 'gen4.5', settings, input: { model: 'gen4.5', ...shape } satisfies TextToVideo };
      const image = { promptImage: IMAGE_URL };
      yield {
        model: 'gen4_turbo',
        settings,
        input: { model: 'gen4_turbo', ...shape, ...image } satisfies ImageToVideo,
      };
    }
}

export const RUNWAY_CASES: Case[] = [...runwayCases()];

/** Every choice of settings of the vendors' models in the initial catalogue. */
export function* catalogueChoices(): Generator<{ model: string; settings: VideoSettings }> {
  const seed = readFileSync(new URL('../../db/seed/catalogue.sql', import.meta.url), 'utf8');
  for (const [, model = '', schema = ''] of seed.matchAll(/'(?:fal|pika|runway)', '([^']+)',[^']*'(\{[^']*\})'/g)) {
    const properties: Record<string, Property> = JSON.parse(schema);
    const choices = Object.entries(properties).map(([name, property]) =>
      valuesOf(property).map((value) => [name, value] as const),
    );
    for (const pairs of product(choices)) yield { model, settings: { duration: 0, ...Object.fromEntries(pairs) } };
  }
}

type Property = { type: string; enum?: (string | number)[]; minimum?: number; maximum?: number };

function valuesOf({ type, enum: named, minimum = 0, maximum = -1 }: Property): (string | number | boolean)[] {
  if (type === 'boolean') return [true, false];
  return named ?? Array.from({ length: maximum - minimum + 1 }, (_, index) => minimum + index);
}

function product<T>(lists: T[][]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((made) => list.map((item) => [...made, item])), [[]]);
}

/** Equal for equal choices. */
export const keyOf = ({ model, settings }: Pick<Case, 'model' | 'settings'>) =>
  `${model} ${JSON.stringify(Object.entries(settings).sort())}`;
