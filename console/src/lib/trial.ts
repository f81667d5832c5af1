// Two bundles compared: what the figures of a trial say.
import type {BundleAnswers, Estimate} from '../api/types';
import {count, ms} from './format';

export type Verdict = 'better' | 'worse' | 'too close to say';

// Of a paired difference: its interval of 95 % lies beside zero, or says nothing.
export function verdict(difference: Estimate): Verdict {
  if (difference.low > 0) return 'better';
  if (difference.high < 0) return 'worse';
  return 'too close to say';
}

const kEdge = 4;  // percent of the width, so that a dot at the end is whole

// Where values stand on a line of 100 that has zero and all of the intervals.
export function placeOn(differences: readonly Estimate[]): (value: number) => number {
  const ends = [0, ...differences.flatMap((d) => [d.low, d.high])];
  const low = Math.min(...ends), span = Math.max(...ends) - low || 1;
  return (value) => kEdge + ((100 - 2 * kEdge) * (value - low)) / span;
}

export function signed(value: number): string {
  const text = Math.abs(value).toFixed(4);
  if (Number(text) === 0) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

export const interval = (e: Estimate): string => `${signed(e.low)} to ${signed(e.high)}`;

export function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

// What both answered, in the order in which the gate looks at it.
export function sides(active: BundleAnswers, candidate: BundleAnswers, questions: number): [string, string, string][] {
  const row = (what: string, tell: (side: BundleAnswers) => string): [string, string, string] =>
    [what, tell(active), tell(candidate)];
  return [
    row('Answers that failed', (s) => share(s.failed, questions)),
    row('Degraded answers', (s) => share(s.degraded, questions)),
    row('Events of items not known', (s) => share(s.unknown, s.history)),
    row('Median time', (s) => ms(s.p50_ms)),
    row('99th percentile', (s) => ms(s.p99_ms)),
    row('Of the catalogue shown', (s) => share(s.shown, s.items)),
    row('Items of the catalogue', (s) => count(s.items)),
  ];
}
