// One frame of the map. Points are written into the picture's pixels: twenty thousand calls of a
// canvas would take ten times as long.
import {codeColour, type View} from '../lib/scatter';
import {colour, isDark} from '../theme';

export const kMost = 20000;  // points that are asked for and drawn

export interface Scene {
  xs: Float32Array;
  ys: Float32Array;
  codes: Int32Array;
  bounds: {x0: number; x1: number};
  lit: Set<number>;
  dimOthers: boolean;
  chosen: number;  // an index; -1: none
  hover: number;
}

const kDimmed = 60, kFull = 255;  // alpha

// A word a pixel, as every machine that runs a browser has it: alpha, blue, green, red.
class Pixels {
  readonly image: ImageData;
  private readonly words: Uint32Array;

  constructor(readonly width: number, readonly height: number) {
    this.image = new ImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  square(x: number, y: number, side: number, word: number): void {
    const x0 = Math.max(0, Math.round(x - side / 2)), x1 = Math.min(this.width, Math.round(x + side / 2));
    const y0 = Math.max(0, Math.round(y - side / 2)), y1 = Math.min(this.height, Math.round(y + side / 2));
    for (let row = y0; row < y1; ++row) {
      const start = row * this.width;
      for (let at = start + x0; at < start + x1; ++at) this.words[at] = word;
    }
  }
}

export function draw(canvas: HTMLCanvasElement, view: View, scene: Scene): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (width === 0 || height === 0) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const pen = canvas.getContext('2d')!;
  const {xs, ys, codes, lit, bounds} = scene;
  const zoomed = (view.scale * (bounds.x1 - bounds.x0)) / canvas.clientWidth;
  const alone = Math.min(6, 2 * Math.sqrt(kMost / Math.max(1, xs.length)));  // more room, larger dots
  const side = ratio * Math.min(8, alone + Math.max(0, Math.log2(zoomed)));
  const scale = view.scale * ratio;
  const words = paint(scene.dimOthers ? kDimmed : kFull), bright = paint(kFull);

  const pixels = new Pixels(width, height);
  const put = (i: number, size: number, word: number) =>
    pixels.square((xs[i]! - view.x) * scale, (ys[i]! - view.y) * scale, size, word);
  for (let i = 0; i < xs.length; ++i) put(i, side, words(codes[i]!));
  for (const i of lit) put(i, side + 3 * ratio, bright(codes[i]!));
  pen.putImageData(pixels.image, 0, 0);

  const ring = (i: number, radius: number, name: string) => {
    pen.strokeStyle = colour(name);
    pen.lineWidth = 2 * ratio;
    pen.beginPath();
    pen.arc((xs[i]! - view.x) * scale, (ys[i]! - view.y) * scale, radius * ratio, 0, 2 * Math.PI);
    pen.stroke();
  };
  if (scene.hover >= 0) ring(scene.hover, 7, '--fg');
  if (scene.chosen >= 0) ring(scene.chosen, 10, '--accent');
}

// The words of codes, worked out once a frame each.
function paint(alpha: number): (code: number) => number {
  const dark = isDark(), known = new Map<number, number>();
  return (code) => {
    let word = known.get(code);
    if (word === undefined) {
      const [red, green, blue] = codeColour(code, dark);
      word = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
      known.set(code, word);
    }
    return word;
  };
}
