// Numbers and times as people read them.
const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

export const count = (n: number): string => whole.format(n);

// Three digits that count: 0.64, 3.31, 91.2, 1,234.
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return whole.format(value);
  return value.toFixed(size >= 10 ? 1 : 2);
}

export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return value >= 10000 ? `${digits(value / 1000)} s` : `${digits(value)} ms`;
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let step = 0;
  while (n >= 1000 && step + 1 < units.length) {
    n /= 1000;
    ++step;
  }
  return `${digits(n)} ${units[step]}`;
}

export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function date(unix: number): string {
  const time = new Date(unix * 1000);
  if (Number.isNaN(time.getTime())) return String(unix);
  return time.toISOString().slice(0, 16).replace('T', ' ');
}

export const clock = (unix: number): string => date(unix).slice(11);

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

// Characters that turn or hide text are shown as their code, so that a title looks like what it is.
export function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
                      (c) => `⟨${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

export const named = (item: {id: string; title?: string}): string => plain(item.title || item.id);
