import {expect, it} from 'vitest';
import {each} from './query';

it('runs everything, a few at once', async () => {
  let now = 0, most = 0;
  const done: number[] = [];
  await each([1, 2, 3, 4, 5], 2, new AbortController().signal, async (value) => {
    most = Math.max(most, ++now);
    await new Promise((go) => setTimeout(go, 1));
    --now;
    done.push(value);
  });
  expect(done.sort()).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it('stops when told, and tells what went wrong', async () => {
  const abort = new AbortController(), begun: number[] = [];
  await each([1, 2, 3], 1, abort.signal, async (value) => {
    begun.push(value);
    abort.abort();
  });
  expect(begun).toEqual([1]);
  await expect(each([1], 2, new AbortController().signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
