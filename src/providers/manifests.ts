/** Every provider. Its variables are reported and listed in this order. */
import { fal, pika } from './fal/manifest.ts';
import type { ProviderManifest } from './manifest.ts';
import { runway } from './runway/manifest.ts';
import { sandbox } from './sandbox/manifest.ts';

export const MANIFESTS: readonly ProviderManifest[] = [sandbox, fal, runway, pika];
