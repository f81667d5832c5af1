import {describe, expect, it} from 'vitest';
import {bytes, clock, date, digits, duration, ms, named, plain, plural} from './format';

describe('numbers', () => {
  it('show three digits that count', () => {
    expect([0, 0.638346, 3.306065, 91.220788, 1234.5].map(digits)).toEqual(['0', '0.64', '3.31', '91.2', '1,235']);
  });
  it('times to answer', () => {
    expect([null, undefined, 0.64, 12345].map(ms)).toEqual(['–', '–', '0.64 ms', '12.3 s']);
  });
  it('bytes', () => {
    expect([0, 999, 214748364].map(bytes)).toEqual(['0 B', '999 B', '215 MB']);
  });
  it('durations', () => {
    expect([-5, 59, 61, 3700, 93784].map(duration)).toEqual(['0 s', '59 s', '1 min', '1 h 1 min', '1 d 2 h']);
  });
  it('plurals', () => {
    expect([plural(1, 'event'), plural(2000, 'event'), plural(2, 'person', 'people')]).toEqual(['1 event', '2,000 events', '2 people']);
  });
});

describe('dates', () => {
  it('are of UTC', () => {
    expect(date(893286638)).toBe('1998-04-22 23:10');
    expect(clock(893286638)).toBe('23:10');
  });
  it('that cannot be are shown as they are', () => {
    expect(date(9e15)).toBe('9000000000000000');
  });
});

describe('texts of others', () => {
  it('keep their letters, marks and emoji', () => {
    expect(plain('Amélie – שלום مرحبا 👩‍🚀 <b>')).toBe('Amélie – שלום مرحبا 👩‍🚀 <b>');
  });
  it('show what turns or hides', () => {
    expect(plain('\u202Eabc\u2066\u200B\u0000\n')).toBe('⟨202E⟩abc⟨2066⟩⟨200B⟩⟨0000⟩⟨000A⟩');
  });
  it('an item without a title has its id', () => {
    expect([named({id: '7'}), named({id: '7', title: ''}), named({id: '7', title: 'Fargo'})]).toEqual(['7', '7', 'Fargo']);
  });
});
