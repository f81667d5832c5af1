import {expect, it} from 'vitest';
import type {Explanation} from '../api/types';
import {sentence, summary} from './reasons';

const told = (dropped: number, ...reasons: number[]): Explanation => ({
  dropped, items: reasons.map((n, i) => ({id: String(i), reasons: Array(n).fill({kind: 'popular', item: String(i)})})),
});

it('says how much is proved, and what is not told', () => {
  expect(summary(told(0, 3, 0, 1))).toBe('4 reasons proved, for 2 of 3 items.');
  expect(summary(told(1, 1))).toBe('1 reason proved, for 1 of 1 item. 1 more could not be proved, and is not told.');
  expect(summary(told(1312, 0, 0))).toBe('0 reasons proved, for 0 of 2 items. 1,312 more could not be proved, and are not told.');
});

it('a sentence shows what turns or hides text', () => {
  expect(sentence({item: '1', kind: 'words', text: 'You took “\u202Eabc”.'})).toBe('You took “⟨202E⟩abc”.');
  expect(sentence({item: '1', kind: 'new'})).toBe('new');
});
