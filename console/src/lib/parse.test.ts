import {describe, expect, it} from 'vitest';
import {candidates, idOf, ids, lineIn, lines, lineSpan} from './parse';

describe('ids', () => {
  it('by space, comma and line', () => {
    expect(ids(' 1, 2\n3\t4,,5 ')).toEqual(['1', '2', '3', '4', '5']);
    expect(ids('')).toEqual([]);
  });
});

describe('candidates', () => {
  it('plain and scored', () => {
    expect(candidates('174\n\n 100 ').list).toEqual(['174', '100']);
    expect(candidates('174 0.5\n100, -2e3').list).toEqual([{item: '174', score: 0.5}, {item: '100', score: -2000}]);
  });
  it('what the server would refuse is told', () => {
    expect(candidates('1 0.5\n2').problem).toMatch(/either all have a score or none/);
    expect(candidates('1\n2\n1').problem).toMatch(/1 is there twice/);
    expect(candidates('1').problem).toMatch(/2 to 100/);
    expect(candidates(Array.from({length: 101}, (_, i) => i).join('\n')).problem).toMatch(/2 to 100/);
    expect(candidates('1 x\n2 y').problem).toMatch(/“1 x”/);
    expect(candidates('1 Infinity\n2 1').problem).toMatch(/Infinity/);
  });
  it('are written as they are read', () => {
    const list = candidates('a 0.5\nb 2').list;
    expect(candidates(lines(list)).list).toEqual(list);
    expect(list.map(idOf)).toEqual(['a', 'b']);
  });
});

describe('lines', () => {
  it('are found in complaints', () => {
    expect(lineIn('rules.toml: line 12: expected a key')).toBe(12);
    expect(lineIn('Line 3, column 4')).toBe(3);
    expect(lineIn('deadline 5')).toBeNull();
  });
  it('have a place', () => {
    expect(lineSpan('ab\ncde\nf', 2)).toEqual([3, 6]);
    expect(lineSpan('ab\ncde\nf', 9)).toEqual([7, 8]);
  });
});
