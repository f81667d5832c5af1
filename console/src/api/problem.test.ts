import {describe, expect, it} from 'vitest';
import {asProblem, problemOf} from './problem';

describe('problems', () => {
  it('have what RFC 9457 gives', () => {
    const p = problemOf(400, '{"title":"Bad Request","status":400,"detail":"unknown field","cure":"leave it out","field":"usr"}');
    expect([p.status, p.title, p.detail, p.cure, p.field]).toEqual([400, 'Bad Request', 'unknown field', 'leave it out', 'usr']);
  });
  it('of something between that speaks no JSON', () => {
    expect(problemOf(502, '<html>Bad gateway').detail).toBe('<html>Bad gateway');
    expect(problemOf(500, '').detail).toBe('the server said no more');
    expect(problemOf(400, '{"title":{"a":1}}').title).toBe('Error 400');
  });
  it('a path that is not there is told from a user who is not', () => {
    expect(problemOf(404, '{"detail":"there is nothing at this path"}').missing).toBe(true);
    expect(problemOf(404, 'Not Found').missing).toBe(true);
    expect(problemOf(405, '{"detail":"use PUT, DELETE"}').missing).toBe(true);
    expect(problemOf(404, '{"detail":"no user \'nobody\' in this bundle"}').missing).toBe(false);
  });
  it('a bundle that the gate refuses is told from one that has to wait', () => {
    const objections = ['N@10 on 60 events held out: -0.1'];
    expect(problemOf(409, JSON.stringify({detail: objections[0], objections})).refusedByGate).toBe(true);
    expect(problemOf(409, '{"detail":"another bundle is being compared","cure":"ask again when that has ended"}').refusedByGate).toBe(false);
    expect(problemOf(409, '{"detail":"there is no bundle before this one"}').refusedByGate).toBe(false);
    expect(problemOf(400, JSON.stringify({detail: 'must be true or false', objections})).refusedByGate).toBe(false);
  });
  it('faults of the console are told, too', () => {
    expect(asProblem(new TypeError('x is undefined')).detail).toBe('x is undefined');
    expect(asProblem('odd').detail).toBe('odd');
  });
});
