/** Palettes chosen by hand: the prompt picks one, so that colours match and white text is legible. */
import type { RandomNumber } from './seed.ts';

export type Rgb = [red: number, green: number, blue: number];
/** `ramp` goes from the shadow of a fold to its light; `accent` is for details such as the progress line. */
export type Palette = { ramp: Rgb[]; glow: Rgb; accent: Rgb };

const PALETTES = [
  { ramp: ['05060f', '14163f', '3a2a8c', '8b46c9', 'ff8fb0'], glow: 'ffd0e6', accent: 'ff9fc0' },
  { ramp: ['020b10', '04303a', '0b6e6e', '22b58f', 'c8f7a5'], glow: 'd8ffe0', accent: '7df0b8' },
  { ramp: ['0a0508', '3b0d1f', '8f1f3a', 'e0553f', 'ffc46b'], glow: 'ffe2b0', accent: 'ffb45e' },
  { ramp: ['03060f', '07224f', '0f55a8', '2ea0e6', 'b9f0ff'], glow: 'd9f6ff', accent: '7fd8ff' },
  { ramp: ['0b0510', '2b0f3d', '6a1b6f', 'c93a7c', 'ff9f7a'], glow: 'ffd9c7', accent: 'ff94a4' },
  { ramp: ['050a08', '0f2a1f', '2f5f3a', '8aa44a', 'ffe08a'], glow: 'fff3c4', accent: 'f2d675' },
  { ramp: ['060812', '1a2350', '2f55a4', '6f9be8', 'ffd7c2'], glow: 'fff0e6', accent: 'ffc7ad' },
  { ramp: ['0a0604', '35190c', '7d3d16', 'd08a36', 'ffe3a1'], glow: 'fff0cf', accent: 'ffcf7a' },
  { ramp: ['04070d', '0a2540', '145c7a', '3fb0a9', 'f4e3b2'], glow: 'fff6dc', accent: '8fe6d8' },
  { ramp: ['08040f', '240a4d', '4a1fa3', '4f6df0', '7fe9ff'], glow: 'd6fbff', accent: '8fdcff' },
  { ramp: ['0c0409', '3a0a33', '85206b', 'd6559f', 'ffc1e3'], glow: 'ffe4f3', accent: 'ff9ed2' },
  { ramp: ['04080c', '17313c', '3c5a6b', '8e8fa6', 'ffcfa8'], glow: 'ffe9d6', accent: 'ffc79c' },
];

/** A palette at random. */
export function pickPalette(random: RandomNumber): Palette {
  const chosen = PALETTES[Math.floor(random() * PALETTES.length)] ?? {
    ramp: ['000000'],
    glow: 'ffffff',
    accent: 'ffffff',
  };
  return { ramp: chosen.ramp.map(rgb), glow: rgb(chosen.glow), accent: rgb(chosen.accent) };
}

function rgb(hex: string): Rgb {
  const value = Number.parseInt(hex, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
