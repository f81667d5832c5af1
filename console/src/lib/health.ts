// What the numbers of /v1/status say: the worst first.
import type {Status} from '../api/types';
import {bytes, count, digits, ms, plural} from './format';

export interface Finding { level: 'bad' | 'warn'; text: string }

const sum = (list: (number | null)[]): number => list.reduce<number>((a, b) => a + (b ?? 0), 0);

export function findings(status: Status): Finding[] {
  const out: Finding[] = [];
  if (!status.ready) out.push({level: 'bad', text: 'It is not ready: a balancer sends it nobody.'});
  const requests = sum(status.series.requests), errors = sum(status.series.errors);
  if (errors > 0) {
    const share = errors / Math.max(1, requests);
    out.push({level: share >= 0.01 ? 'bad' : 'warn',
              text: `${plural(errors, 'error')} in the last ten minutes: ${digits(share * 100)} % of requests.`});
  }
  const full = status.waiting / Math.max(1, status.most_waiting);
  if (full >= 0.5) {
    out.push({level: full >= 0.9 ? 'bad' : 'warn',
              text: `${count(status.waiting)} of ${count(status.most_waiting)} places for requests under way are taken.`});
  }
  const degraded = sum(Object.values(status.degraded));
  if (degraded > 0) out.push({level: 'warn', text: `${plural(degraded, 'answer')} went without a stage since it started.`});
  return out.sort((a, b) => (a.level === b.level ? 0 : a.level === 'bad' ? -1 : 1));
}

// The stage that takes the longest, of those that ran.
export function slowest(status: Status): {stage: string; text: string} | null {
  const ran = status.stages.filter((s) => s.count > 0 && s.p99_ms !== null);
  const total = ran.reduce((a, s) => a + (s.p50_ms ?? 0), 0);
  const worst = ran.reduce<(typeof ran)[number] | null>((a, s) => (a && a.p99_ms! >= s.p99_ms! ? a : s), null);
  if (!worst) return null;
  const share = total > 0 ? Math.round((100 * (worst.p50_ms ?? 0)) / total) : 0;
  return {stage: worst.stage,
          text: `${worst.stage}: ${ms(worst.p99_ms)} at p99, ${share} % of the time of a usual request.`};
}

// A second, over the last minute.
export function rate(status: Status): number {
  const steps = Math.max(1, Math.round(60 / status.series.step_s));
  return sum(status.series.requests.slice(-steps)) / (steps * status.series.step_s);
}

export function last(list: (number | null)[]): number | null {
  for (let i = list.length - 1; i >= 0; --i) if (list[i] !== null && list[i] !== undefined) return list[i]!;
  return null;
}

export const lastErrors = (status: Status): number => sum(status.series.errors);
export const memory = (status: Status): string => bytes(status.rss_bytes);
