import {describe, expect, it} from 'vitest';
import type {AnswerItem} from '../api/types';
import {flowSummary, layFlow} from './flow';

const items: AnswerItem[] = [
  {id: 'c', title: 'Third', upstream_rank: 17, sources: ['content', 'sasrec']},
  {id: 'b', upstream_rank: 1, sources: ['content']},
  {id: 'a', upstream_rank: 0},
];

describe('rank flow', () => {
  const flow = layFlow(items, 800);
  const at = (key: string) => flow.nodes.find((n) => n.key === key)!;

  it('orders the upstream column by rank, and numbers from 1', () => {
    expect(['a', 'b', 'c'].map((id) => at(`u:${id}`).text)).toEqual(['1', '2', '18']);
    expect(at('u:a').y).toBeLessThan(at('u:b').y);
    expect(at('u:b').y).toBeLessThan(at('u:c').y);
    expect(['c', 'b', 'a'].map((id) => at(`f:${id}`).text)).toEqual(['1', '2', '3']);
  });
  it('draws a line a source, and one a place', () => {
    expect(flow.lines.filter((l) => l.kind === 'source').map((l) => l.item)).toEqual(['c', 'c', 'b']);
    expect(flow.lines.filter((l) => l.kind !== 'source').map((l) => [l.item, l.kind])).toEqual(
      [['c', 'up'], ['b', 'same'], ['a', 'down']]);
    for (const line of flow.lines) expect(line.path).not.toMatch(/NaN|undefined/);
  });
  it('stays inside its drawing at any width', () => {
    for (const width of [280, 358, 559, 560, 1200]) {
      const {nodes, height} = layFlow(items, width);
      for (const n of nodes) {
        expect(n.x).toBeGreaterThanOrEqual(0);
        expect(n.x).toBeLessThanOrEqual(width);
        expect(n.y).toBeLessThan(height);
      }
    }
  });
  it('has titles where there is room', () => {
    expect(layFlow(items, 800).titles.map((t) => t.text)).toEqual(['Third', 'b', 'a']);
    expect(layFlow(items, 390).titles).toEqual([]);
  });
  it('has no sources’ column for candidates given', () => {
    const given = layFlow([{id: 'x', upstream_rank: 0}], 600);
    expect(given.heads.map((h) => h.key)).toEqual(['upstream', 'final']);
  });
  it('of nothing is empty', () => {
    expect(layFlow([], 600).lines).toEqual([]);
  });
  it('is summed up', () => {
    expect(flowSummary(items)).toBe('3 items: the policy moved 1 up and 1 down, and left 1 in place.');
  });
});
