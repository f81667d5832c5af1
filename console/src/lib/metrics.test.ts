import {expect, it} from 'vitest';
import {metricText, verdict} from './metrics';

it('intervals decide', () => {
  const now = {value: 0.125, low: 0.117, high: 0.133};
  expect(verdict(now, {value: 0.147, low: 0.139, high: 0.155})).toBe('higher');
  expect(verdict(now, {value: 0.101, low: 0.093, high: 0.109})).toBe('lower');
  expect(verdict(now, {value: 0.13, low: 0.122, high: 0.138})).toBe('too close to say');
  expect(verdict(now, {value: 0.2})).toBe('too close to say');
  expect(verdict(undefined, now)).toBe('too close to say');
  expect(verdict(now, {...now})).toBe('same');
});

it('metrics have three places', () => {
  expect([0.1254, 1, -0.02].map((value) => metricText({value}))).toEqual(['.125', '1.000', '-0.020']);
});
