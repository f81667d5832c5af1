import {describe, expect, it} from 'vitest';
import {random} from './random';
import {boundsOf, codeColour, fit, Grid, pan, zoom} from './scatter';

describe('views', () => {
  it('fit all points with their shape kept', () => {
    const view = fit({x0: -1, y0: 0, x1: 3, y1: 1}, 432, 300);
    expect(view.scale).toBe(100);
    expect((-1 - view.x) * view.scale).toBeCloseTo(16);
    expect((0.5 - view.y) * view.scale).toBeCloseTo(150);
  });
  it('of one point, or none, are sound', () => {
    expect(Number.isFinite(fit({x0: 1, y0: 1, x1: 1, y1: 1}, 100, 100).scale)).toBe(true);
    expect(boundsOf(new Float32Array(), new Float32Array())).toEqual({x0: 0, y0: 0, x1: 1, y1: 1});
  });
  it('zoom about the pointer', () => {
    const before = {x: 2, y: 3, scale: 10}, after = zoom(before, 4, 50, 70);
    expect(after.x + 50 / after.scale).toBeCloseTo(before.x + 50 / before.scale);
    expect(after.y + 70 / after.scale).toBeCloseTo(before.y + 70 / before.scale);
  });
  it('pan by pixels', () => {
    expect(pan({x: 0, y: 0, scale: 10}, 20, -10)).toEqual({x: -2, y: 1, scale: 10});
  });
});

describe('the grid', () => {
  it('finds who a plain search finds', () => {
    const next = random(3), n = 2000;
    const xs = Float32Array.from({length: n}, () => next() * 4 - 1), ys = Float32Array.from({length: n}, () => next());
    const grid = new Grid(xs, ys, boundsOf(xs, ys));
    for (let trial = 0; trial < 300; ++trial) {
      const x = next() * 5 - 1.5, y = next() * 1.4 - 0.2, radius = next() * 0.2;
      let best = -1, least = radius * radius;
      for (let i = 0; i < n; ++i) {
        const d = (xs[i]! - x) ** 2 + (ys[i]! - y) ** 2;
        if (d <= least) [best, least] = [i, d];
      }
      expect(grid.nearest(x, y, radius)).toBe(best);
    }
  });
});

describe('colours', () => {
  it('of neighbouring codes differ', () => {
    for (let code = 0; code < 255; ++code) {
      const [a, b] = [codeColour(code, false), codeColour(code + 1, false)];
      expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))).toBeGreaterThan(60);
    }
  });
});
