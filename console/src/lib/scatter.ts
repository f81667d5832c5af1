// The map's arithmetic: from the catalogue's plane to the screen and back, and who is near.

export interface View { x: number; y: number; scale: number }  // screen = (point - (x, y)) * scale
export interface Box { x0: number; y0: number; x1: number; y1: number }

export function boundsOf(xs: Float32Array, ys: Float32Array): Box {
  const box = {x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity};
  for (let i = 0; i < xs.length; ++i) {
    box.x0 = Math.min(box.x0, xs[i]!);
    box.x1 = Math.max(box.x1, xs[i]!);
    box.y0 = Math.min(box.y0, ys[i]!);
    box.y1 = Math.max(box.y1, ys[i]!);
  }
  return xs.length > 0 ? box : {x0: 0, y0: 0, x1: 1, y1: 1};
}

export function fit(box: Box, width: number, height: number): View {
  const margin = 16;
  const w = Math.max(1e-9, box.x1 - box.x0), h = Math.max(1e-9, box.y1 - box.y0);
  const scale = Math.min(Math.max(1, width - 2 * margin) / w, Math.max(1, height - 2 * margin) / h);
  return {scale, x: (box.x0 + box.x1) / 2 - width / 2 / scale, y: (box.y0 + box.y1) / 2 - height / 2 / scale};
}

// The point under (sx, sy) stays there.
export function zoom(view: View, factor: number, sx: number, sy: number): View {
  const scale = view.scale * factor;
  return {scale, x: view.x + sx / view.scale - sx / scale, y: view.y + sy / view.scale - sy / scale};
}

export const pan = (view: View, dx: number, dy: number): View =>
  ({...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale});

// A grid of some hundred cells a side, so that a look-up reads a handful of points.
export class Grid {
  private readonly cells = new Map<number, number[]>();
  private readonly size: number;

  constructor(private readonly xs: Float32Array, private readonly ys: Float32Array, private readonly box: Box) {
    this.size = Math.max(box.x1 - box.x0, box.y1 - box.y0, 1e-9) / 128;
    for (let i = 0; i < xs.length; ++i) {
      const key = this.key(this.column(xs[i]!), this.row(ys[i]!));
      const cell = this.cells.get(key);
      if (cell) cell.push(i);
      else this.cells.set(key, [i]);
    }
  }

  // The point nearest to (x, y) within a radius, all in the plane's units; -1: none.
  nearest(x: number, y: number, radius: number): number {
    let best = -1, least = radius * radius;
    const look = (i: number) => {
      const d = (this.xs[i]! - x) ** 2 + (this.ys[i]! - y) ** 2;
      if (d <= least) {
        least = d;
        best = i;
      }
    };
    const [c0, c1] = [this.column(x - radius), this.column(x + radius)];
    const [r0, r1] = [this.row(y - radius), this.row(y + radius)];
    for (let c = c0; c <= c1; ++c) {
      for (let r = r0; r <= r1; ++r) this.cells.get(this.key(c, r))?.forEach(look);
    }
    return best;
  }

  private column(x: number): number { return clamp(Math.floor((x - this.box.x0) / this.size)); }
  private row(y: number): number { return clamp(Math.floor((y - this.box.y0) / this.size)); }
  private key(column: number, row: number): number { return column * 256 + row; }
}

const clamp = (cell: number): number => Math.max(0, Math.min(128, cell));

// Of a code, each of 0 .. 255; neighbouring codes are far apart in hue.
export function codeColour(code: number, dark: boolean): [number, number, number] {
  const hue = (code * 137.508) % 360, light = dark ? 0.68 : 0.42;
  const chroma = 0.62 * Math.min(light, 1 - light);
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (light - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
