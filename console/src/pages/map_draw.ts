// One frame of the map. Points of one colour are drawn together: changing colour costs most.
import {hueOf, type View} from '../lib/scatter';
import {colour, isDark} from '../theme';

export interface Scene {
  xs: Float32Array;
  ys: Float32Array;
  codes: Int32Array;
  lit: Set<number>;
  dimOthers: boolean;
  chosen: number;  // an index; -1: none
  hover: number;
}

let grouped: {codes: Int32Array; groups: Map<number, number[]>} | null = null;

function groupsOf(codes: Int32Array): Map<number, number[]> {
  if (grouped?.codes === codes) return grouped.groups;
  const groups = new Map<number, number[]>();
  codes.forEach((code, i) => {
    const group = groups.get(code);
    if (group) group.push(i);
    else groups.set(code, [i]);
  });
  grouped = {codes, groups};
  return groups;
}

export function draw(canvas: HTMLCanvasElement, view: View, scene: Scene): void {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d')!;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const {xs, ys, lit} = scene;
  const size = Math.min(8, Math.max(2, 2 + Math.log2(Math.max(1, (view.scale * scaleOf(xs)) / width))));
  const square = (i: number, side: number) => {
    const x = (xs[i]! - view.x) * view.scale, y = (ys[i]! - view.y) * view.scale;
    if (x > -side && y > -side && x < width + side && y < height + side) pen.fillRect(x - side / 2, y - side / 2, side, side);
  };
  const lightness = isDark() ? '68%' : '42%';
  for (const [code, group] of groupsOf(scene.codes)) {
    pen.fillStyle = `hsl(${hueOf(code)} 62% ${lightness})`;
    pen.globalAlpha = scene.dimOthers ? 0.12 : 0.85;
    for (const i of group) if (!lit.has(i)) square(i, size);
    pen.globalAlpha = 1;
    for (const i of group) if (lit.has(i)) square(i, size + 3);
  }
  const ring = (i: number, radius: number, name: string) => {
    pen.strokeStyle = colour(name);
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc((xs[i]! - view.x) * view.scale, (ys[i]! - view.y) * view.scale, radius, 0, 2 * Math.PI);
    pen.stroke();
  };
  if (scene.hover >= 0) ring(scene.hover, 7, '--fg');
  if (scene.chosen >= 0) ring(scene.chosen, 10, '--accent');
}

// The plane's extent, so that points grow with the zoom and not with the units.
let extent: {xs: Float32Array; width: number} | null = null;
function scaleOf(xs: Float32Array): number {
  if (extent?.xs !== xs) {
    let low = Infinity, high = -Infinity;
    for (const x of xs) {
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    extent = {xs, width: high - low};
  }
  return extent.width;
}
