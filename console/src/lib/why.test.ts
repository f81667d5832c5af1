import {describe, expect, it} from 'vitest';
import type {Answer, User} from '../api/types';
import {placeIn, whyNot} from './why';

const answer = (...ids: string[]): Answer => ({
  items: ids.map((id, i) => ({id, upstream_rank: i})), history: 1, took_ms: {retrieval: 0, ranking: 0, policy: 0},
});
const user: User = {user: 'u', erased: false, known: true, trained: [{item: 'old', time: 1}], events: [{item: 'new', time: 2}]};
const none = {rank: null};

describe('why somebody does not get an item', () => {
  it('she gets it', () => {
    expect(whyNot(placeIn(answer('a', 'b'), 'b'), 'b', user, 10, null)).toBe('She gets it.');
  });
  it('she had it, in training or since', () => {
    for (const id of ['old', 'new']) expect(whyNot(none, id, user, 10, null)).toBe('She has had it already.');
  });
  it('it stands too low', () => {
    expect(whyNot({rank: 30}, 'x', user, 10, null)).toMatch(/30 stand before it/);
  });
  it('the policy moved it out of sight', () => {
    expect(whyNot({rank: 12, upstream: 3}, 'x', user, 10, null)).toBe('It stood at 4, and the policy moved it down.');
  });
  it('no source found it, and the ranker would have liked it or not', () => {
    expect(whyNot(none, 'x', user, 10, null)).toBe('No source found it for her.');
    expect(whyNot(none, 'x', user, 10, answer('a', 'x', 'b'))).toMatch(/first 2 by hand, it comes at 2: retrieval misses it/);
    expect(whyNot(none, 'x', null, 10, answer('a', 'b', 'x'))).toMatch(/first 2 by hand, it comes last/);
  });
});
