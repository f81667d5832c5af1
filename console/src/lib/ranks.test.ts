import {describe, expect, it} from 'vitest';
import {random, shuffled} from './random';
import {changed, moves, reordered, spreads, steadiness, told} from './ranks';

describe('two orders', () => {
  const list = moves(['a', 'b', 'c', 'd'], ['c', 'a', 'e', 'd']);
  it('tell who came, moved and left', () => {
    expect(list.map((m) => `${m.id}: ${told(m)}`)).toEqual(
      ['c: up 2, from 3', 'a: down 1, from 1', 'e: new at 3', 'd: same', 'b: left, was 2']);
    expect(changed(list).map((m) => m.id)).toEqual(['c', 'a', 'e', 'b']);
  });
  it('one that left reorders nobody', () => {
    expect(reordered(['a', 'b', 'c', 'd'], ['a', 'c', 'd', 'e'])).toEqual([]);
    expect(reordered(['a', 'b', 'c'], ['c', 'a', 'x']).map((m) => m.id)).toEqual(['c', 'a']);
  });
});

describe('many orders', () => {
  it('of one kind are steady', () => {
    expect(steadiness(spreads([['a', 'b'], ['a', 'b']]), 2)).toEqual({runs: 2, items: 2, moved: 0, largest: 0, firsts: 1});
  });
  it('spread by their ranks', () => {
    const list = spreads([['a', 'b', 'c'], ['b', 'a', 'c'], ['a', 'b', 'c']]);
    expect(list.map((s) => [s.id, s.low, s.high])).toEqual([['a', 0, 1], ['b', 0, 1], ['c', 2, 2]]);
    expect(list[0]!.mean).toBeCloseTo(1 / 3);
    expect(steadiness(list, 3)).toEqual({runs: 3, items: 3, moved: 2, largest: 1, firsts: 2});
  });
  it('none are no fault', () => {
    expect(steadiness(spreads([]), 0)).toEqual({runs: 0, items: 0, moved: 0, largest: 0, firsts: 0});
  });
});

describe('shuffles', () => {
  const list = Array.from({length: 50}, (_, i) => i);
  it('hold the same, in another order, again by the same seed', () => {
    const once = shuffled(list, random(1));
    expect(once).not.toEqual(list);
    expect([...once].sort((a, b) => a - b)).toEqual(list);
    expect(shuffled(list, random(1))).toEqual(once);
    expect(shuffled(list, random(2))).not.toEqual(once);
  });
  it('leave every place to everybody', () => {
    const firsts = new Set(Array.from({length: 400}, (_, seed) => shuffled([0, 1, 2, 3], random(seed))[0]));
    expect(firsts.size).toBe(4);
  });
});
