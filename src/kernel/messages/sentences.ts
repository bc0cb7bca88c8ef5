import type { en } from './en.ts';

/** Every code, every variant, in one language; a translation that lacks one does not compile. */
export type Sentences = { [Code in keyof typeof en]: { [Variant in keyof (typeof en)[Code]]: string } };
