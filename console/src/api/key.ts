// The API key: kept for this tab alone, asked for when the server wants one.
import {signal} from '@preact/signals';

const kName = 'podium.key';
let waiting: ((key: string | null) => void) | null = null;
let asked: Promise<string | null> | null = null;
let declined = false;

// Who wants it: the person, to change it, or the server.
export const asking = signal<null | 'person' | 'server'>(null);

export function apiKey(): string | null {
  return sessionStorage.getItem(kName);
}

// Null: the person gave none, and is not asked again until they ask for it.
export function askForKey(who: 'person' | 'server'): Promise<string | null> {
  if (declined && who === 'server') return Promise.resolve(null);
  asked ??= new Promise((resolve) => {
    waiting = resolve;
    asking.value = who;
  });
  return asked;
}

export function answerKey(key: string | null): void {
  if (key) sessionStorage.setItem(kName, key);
  declined = key === null;
  asking.value = null;
  waiting?.(key);
  waiting = asked = null;
}

export function forgetKey(): void {
  sessionStorage.removeItem(kName);
}
