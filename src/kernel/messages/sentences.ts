import type { en } from './en.ts';

/** Every variant of every code in one language; a translation without one of them does not compile. */
export type Sentences = { [Code in keyof typeof en]: { [Variant in keyof (typeof en)[Code]]: string } };
