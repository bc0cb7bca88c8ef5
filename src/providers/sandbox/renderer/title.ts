/** The text of the video: the prompt in the middle, and below it the small print that says what this is. */
import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { fontOf, type Weight } from './fonts.ts';
import { drawLayer, type Layer } from './layer.ts';
import type { Palette, Rgb } from './palette.ts';
import type { Plan } from './plan.ts';
import { printable } from './printable.ts';
import type { Area } from './shade.ts';
import { type Setting, typeset } from './typeset.ts';

export type Title = { layer: Layer; area: Area };

/** A longer prompt is set as text, not as a headline: in normal weight, aligned left. */
const HEADLINE_CHARS_MAX = 160;
/** Printed where no character of the prompt can be. */
const NOTHING_PRINTABLE = '…';

type Column = { setting: Setting; weight: Weight; headline: boolean; left: number; top: number; width: number };

export function drawTitle(
  plan: Plan,
  prompt: string,
  palette: Palette,
  canDraw: (character: string) => boolean,
): Title {
  const column = setColumn(plan, printable(prompt, canDraw) || NOTHING_PRINTABLE);
  const layer = drawLayer(plan.width, plan.height, (context) => {
    drawPrompt(context, column, plan);
    drawSmallPrint(context, plan, palette.accent);
  });
  const bottom = column.top + column.setting.lines.length * column.setting.lineHeightPx;
  const area = {
    left: column.left / plan.width,
    right: (column.left + column.width) / plan.width,
    top: column.top / plan.height,
    bottom: bottom / plan.height,
  };
  return { layer, area };
}

function setColumn(plan: Plan, text: string): Column {
  const short = Math.min(plan.width, plan.height);
  const headline = [...text].length <= HEADLINE_CHARS_MAX;
  const weight = headline ? 'bold' : 'normal';
  const box = { width: plan.width * (headline ? 0.8 : 0.84), height: plan.height * (headline ? 0.62 : 0.74) };
  const sizes = {
    sizeMaxPx: short * sizeMaxFor(text),
    sizeMinPx: Math.max(9, short * 0.023),
    leading: headline ? 1.22 : 1.42,
  };
  const setting = typeset(text, box, measureWith(weight), sizes);
  const measure = measureWith(weight);
  const width = Math.min(box.width, Math.max(...setting.lines.map(measure)) * setting.sizePx);
  const height = setting.lines.length * setting.lineHeightPx;
  return { setting, weight, headline, width, left: (plan.width - width) / 2, top: plan.height * 0.475 - height / 2 };
}

/** The largest font size, as a part of the frame's shorter side: the longer the text, the smaller. */
function sizeMaxFor(text: string): number {
  const length = [...text].length;
  return (
    0.124 - 0.05 * Math.min(1, Math.max(0, (length - 20) / 100)) - 0.02 * Math.min(1, Math.max(0, (length - 120) / 60))
  );
}

function measureWith(weight: Weight): (text: string) => number {
  const context = createCanvas(8, 8).getContext('2d');
  context.font = fontOf(100, weight);
  return (text) => context.measureText(text).width / 100;
}

function drawPrompt(context: SKRSContext2D, column: Column, plan: Plan): void {
  const { lines, sizePx, lineHeightPx } = column.setting;
  context.font = fontOf(sizePx, column.weight);
  context.fillStyle = '#ffffff';
  context.textBaseline = 'alphabetic';
  context.textAlign = column.headline ? 'center' : 'left';
  context.shadowColor = 'rgba(0, 0, 0, 0.45)';
  context.shadowBlur = Math.max(4, sizePx * 0.28);
  context.shadowOffsetY = sizePx * 0.04;
  const x = column.headline ? plan.width / 2 : column.left;
  for (const [index, line] of lines.entries()) {
    // The baseline is about a third of the font size below the middle of the line.
    context.fillText(line, x, column.top + (index + 0.5) * lineHeightPx + sizePx * 0.35);
  }
}

function drawSmallPrint(context: SKRSContext2D, plan: Plan, accent: Rgb): void {
  const short = Math.min(plan.width, plan.height);
  const sizePx = Math.max(10, short * 0.027);
  const margin = short * 0.05;
  const baseline = plan.height - margin;
  context.font = fontOf(sizePx, 'bold');
  context.shadowBlur = sizePx * 0.4;
  context.fillStyle = `rgb(${accent.join(' ')})`;
  drawPlayMark(context, margin, baseline - sizePx * 0.36, sizePx * 0.5);
  context.fillStyle = 'rgba(255, 255, 255, 0.92)';
  context.textAlign = 'left';
  context.fillText('Rendio', margin + sizePx * 1.35, baseline);
  const name = context.measureText('Rendio ').width;
  context.font = fontOf(sizePx, 'normal');
  context.fillStyle = 'rgba(255, 255, 255, 0.7)';
  context.fillText('sandbox', margin + sizePx * 1.35 + name, baseline);
  context.textAlign = 'right';
  context.fillText(
    `${plan.width} × ${plan.height} · ${plan.fps} fps · ${plan.seconds} s`,
    plan.width - margin,
    baseline,
  );
}

/** A triangle with round corners that points right. */
function drawPlayMark(context: SKRSContext2D, left: number, middle: number, radius: number): void {
  const corner = radius * 0.5;
  context.beginPath();
  context.moveTo(left + corner / 2, middle - radius + corner);
  context.lineTo(left + radius * 1.75 - corner, middle);
  context.lineTo(left + corner / 2, middle + radius - corner);
  context.closePath();
  context.lineJoin = 'round';
  context.lineWidth = corner;
  context.strokeStyle = context.fillStyle;
  context.stroke();
  context.fill();
}
