import {describe, expect, it} from 'vitest';
import type {Status} from '../api/types';
import {findings, last, rate, slowest} from './health';

const nothing = () => Array<number | null>(120).fill(null);
const status = (change: Partial<Status> = {}): Status => ({
  podium: '0.2.0', started: 0, now: 600, ready: true,
  bundle: {dir: 'b', dataset: 'd', items: 1, users: 1, slate_size: 20, added_items: 0},
  store: {offset: 0}, waiting: 0, most_waiting: 128, rss_bytes: 0, routes: [], stages: [], degraded: {},
  series: {step_s: 5, end: 600, requests: nothing(), errors: nothing(), p50_ms: nothing(), p99_ms: nothing()},
  ...change,
});

describe('health', () => {
  it('of a server that nobody asked anything', () => {
    expect(findings(status())).toEqual([]);
    expect(rate(status())).toBe(0);
    expect(slowest(status())).toBeNull();
    expect(last(nothing())).toBeNull();
  });
  it('the worst comes first', () => {
    const found = findings(status({ready: false, waiting: 70, degraded: {'policy late': 3}}));
    expect(found.map((f) => f.level)).toEqual(['bad', 'warn', 'warn']);
    expect(found[1]!.text).toContain('70 of 128');
    expect(found[2]!.text).toContain('3 answers');
  });
  it('errors are weighed by requests', () => {
    const series = {...status().series, requests: [...nothing().slice(1), 1000], errors: [...nothing().slice(1), 2]};
    expect(findings(status({series}))[0]).toEqual({level: 'warn', text: '2 errors in the last ten minutes: 0.20 % of requests.'});
    expect(findings(status({series: {...series, errors: [...nothing().slice(1), 20]}}))[0]!.level).toBe('bad');
  });
  it('the rate is of the last minute', () => {
    expect(rate(status({series: {...status().series, requests: [...Array(108).fill(900), ...Array(12).fill(50)]}}))).toBe(10);
  });
  it('the stage that takes longest at p99 hurts', () => {
    const stages = [{stage: 'ranking', count: 9, p50_ms: 1, p99_ms: 4}, {stage: 'policy', count: 9, p50_ms: 3, p99_ms: 14.7},
                    {stage: 'retrieval', count: 0, p50_ms: null, p99_ms: null}];
    expect(slowest(status({stages}))!.text).toBe('policy: 14.7 ms at p99, 75 % of the time of a usual request.');
  });
});
