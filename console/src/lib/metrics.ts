// A bundle's metrics beside the active one's.
import type {Metric} from '../api/types';

export type Verdict = 'higher' | 'lower' | 'too close to say' | 'same';

// By intervals that do not touch; without intervals nobody can say.
export function verdict(now: Metric | undefined, other: Metric | undefined): Verdict {
  if (!now || !other) return 'too close to say';
  if (now.value === other.value) return 'same';
  if (other.low !== undefined && now.high !== undefined && other.low > now.high) return 'higher';
  if (other.high !== undefined && now.low !== undefined && other.high < now.low) return 'lower';
  return 'too close to say';
}

export const metricText = (metric: Metric): string => metric.value.toFixed(3).replace(/^0\./, '.');
