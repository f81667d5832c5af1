import {describe, expect, it} from 'vitest';
import type {BundleAnswers} from '../api/types';
import {interval, placeOn, share, sides, signed, verdict} from './trial';

describe('a trial', () => {
  it('is decided by an interval beside zero', () => {
    expect(verdict({value: 0.02, low: 0.001, high: 0.04})).toBe('better');
    expect(verdict({value: -0.02, low: -0.04, high: -0.001})).toBe('worse');
    for (const [low, high] of [[-0.01, 0.04], [0, 0.04], [-0.04, 0], [0, 0]] as const) {
      expect(verdict({value: 0.01, low, high})).toBe('too close to say');
    }
  });
  it('is drawn against a zero that is always there', () => {
    const at = placeOn([{value: 0.03, low: 0.02, high: 0.04}, {value: 0.01, low: 0.005, high: 0.02}]);
    expect([0, 0.04].map(at)).toEqual([4, 96]);
    expect(at(0.02)).toBeCloseTo(50);
    const below = placeOn([{value: -0.03, low: -0.04, high: -0.02}]);
    expect([-0.04, 0].map(below)).toEqual([4, 96]);
    expect(placeOn([{value: 0, low: 0, high: 0}])(0)).toBe(4);
  });
  it('tells differences with their sign', () => {
    expect([0.0123, -0.5, 0, -0.00001].map(signed)).toEqual(['+0.0123', '−0.5000', '0.0000', '0.0000']);
    expect(interval({value: 0.01, low: -0.01, high: 0.03})).toBe('−0.0100 to +0.0300');
  });
  it('has shares of the questions, and of nothing none', () => {
    expect(share(3, 120)).toBe('2.5 %');
    expect(share(0, 0)).toBe('–');
    const side: BundleAnswers = {
      failed: 1, degraded: 2, went_without: {}, p50_ms: null, p99_ms: 12.34, items: 1682, shown: 841, history: 0, unknown: 0,
    };
    expect(sides(side, {...side, failed: 0, p50_ms: 5.5}, 10)).toEqual([
      ['Answers that failed', '10.0 %', '0.0 %'], ['Degraded answers', '20.0 %', '20.0 %'],
      ['Events of items not known', '–', '–'], ['Median time', '–', '5.50 ms'], ['99th percentile', '12.3 ms', '12.3 ms'],
      ['Of the catalogue shown', '50.0 %', '50.0 %'], ['Items of the catalogue', '1,682', '1,682'],
    ]);
  });
});
