/** What the headers of a JPEG's frame and of its scans promise. */
import { checkSize, damagedUnless } from './image-types.ts';

export type Component = {
  id: number;
  /** Blocks per unit of the frame, across and down. */
  across: number;
  down: number;
  quantization: number;
  /** Its own blocks, if it is alone in a scan. */
  blocksAcross: number;
  blocksDown: number;
  /** By coefficient, how many of its lowest bits are still to come; 255 while nothing has. */
  pending: Uint8Array;
  /** Two words a block: which coefficients are not zero. Only progressive frames need it. */
  known: Uint32Array | null;
};

export type Frame = {
  isProgressive: boolean;
  width: number;
  height: number;
  unitsAcross: number;
  unitsDown: number;
  components: Component[];
};

export type Scan = {
  components: { component: Component; dc: number; ac: number }[];
  /** The first and the last coefficient, and the bit positions before and after this scan. */
  first: number;
  last: number;
  high: number;
  low: number;
};

const BLOCK = 8;
const COEFFICIENTS = 64;
const NOT_CODED = 255;
const PROGRESSIVE = 0xc2;
const SAMPLING_MAX = 4;
/** A unit of an interleaved scan has no more blocks. */
const UNIT_BLOCKS_MAX = 10;
/** Grey, colours, or colours for print: what browsers and models decode. */
const COMPONENT_COUNTS = [1, 3, 4];

/** `segment` begins with its length. Throws a `BadImage` for a frame that decoders reject. */
export function readFrame(marker: number, segment: Uint8Array): Frame {
  const [, , precision, h1 = 0, h0 = 0, w1 = 0, w0 = 0, count = 0] = segment;
  const [height, width] = [h1 * 256 + h0, w1 * 256 + w0];
  damagedUnless(precision === 8 && COMPONENT_COUNTS.includes(count) && segment.length >= 8 + count * 3);
  checkSize(width, height);
  const heads = Array.from({ length: count }, (_, index) => {
    const [id = 0, sampling = 0, quantization = 0] = segment.subarray(8 + index * 3);
    return { id, across: sampling >> 4, down: sampling & 15, quantization };
  });
  damagedUnless(heads.every(({ across, down }) => isSampling(across) && isSampling(down)));
  const [acrossMax, downMax] = [Math.max(...heads.map((c) => c.across)), Math.max(...heads.map((c) => c.down))];
  const isProgressive = marker === PROGRESSIVE;
  const components = heads.map((head) => {
    const blocksAcross = Math.ceil(Math.ceil((width * head.across) / acrossMax) / BLOCK);
    const blocksDown = Math.ceil(Math.ceil((height * head.down) / downMax) / BLOCK);
    const known = isProgressive ? new Uint32Array(blocksAcross * blocksDown * 2) : null;
    return { ...head, blocksAcross, blocksDown, pending: new Uint8Array(COEFFICIENTS).fill(NOT_CODED), known };
  });
  const [unitsAcross, unitsDown] = [Math.ceil(width / (BLOCK * acrossMax)), Math.ceil(height / (BLOCK * downMax))];
  return { isProgressive, width, height, unitsAcross, unitsDown, components };
}

function isSampling(factor: number): boolean {
  return factor >= 1 && factor <= SAMPLING_MAX;
}

/** `segment` begins with its length. Throws a `BadImage` for a scan that decoders reject. */
export function readScan(frame: Frame, segment: Uint8Array): Scan {
  const count = segment[2] ?? 0;
  damagedUnless(count >= 1 && count <= frame.components.length && segment.length >= 6 + count * 2);
  const components = Array.from({ length: count }, (_, index) => {
    const [id, tables = 0] = segment.subarray(3 + index * 2);
    const component = frame.components.find((each) => each.id === id);
    damagedUnless(component !== undefined && tables >> 4 < 4 && (tables & 15) < 4);
    return { component, dc: tables >> 4, ac: tables & 15 };
  });
  damagedUnless(new Set(components.map(({ component }) => component)).size === count);
  const blocks = components.reduce((sum, { component }) => sum + component.across * component.down, 0);
  damagedUnless(count === 1 || blocks <= UNIT_BLOCKS_MAX);
  // Phones write odd values here in sequential frames, which decoders ignore.
  if (!frame.isProgressive) return { components, first: 0, last: 63, high: 0, low: 0 };
  const [first = 0, last = 0, bits = 0] = segment.subarray(3 + count * 2);
  const [high, low] = [bits >> 4, bits & 15];
  damagedUnless(first === 0 ? last === 0 : count === 1 && last >= first && last < COEFFICIENTS);
  damagedUnless(low <= 13 && (high === 0 || low === high - 1));
  return { components, first, last, high, low };
}

/** Notes what the scan has brought. */
export function recordScan({ components, first, last, low }: Scan): void {
  for (const { component } of components) component.pending.fill(low, first, last + 1);
}

/** Whether every coefficient of every component has all its bits: nothing more can come. */
export function isComplete({ components }: Frame): boolean {
  return components.every(({ pending }) => pending.every((bits) => bits === 0));
}

/** Whether every component can be drawn, if only coarsely. */
export function isDrawable({ components }: Frame): boolean {
  return components.every(({ pending }) => pending[0] !== NOT_CODED);
}
