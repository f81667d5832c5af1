// Dark or light: as the system has it, unless chosen here.
import {effect, signal} from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const kName = 'podium.theme';
const kThemes: Theme[] = ['system', 'light', 'dark'];

export const theme = signal<Theme>(kThemes.find((t) => t === localStorage.getItem(kName)) ?? 'system');
// Grows when colours change, for what is drawn by hand.
export const palette = signal(0);

export function nextTheme(): void {
  theme.value = kThemes[(kThemes.indexOf(theme.value) + 1) % kThemes.length]!;
  localStorage.setItem(kName, theme.value);
}

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  palette.value = palette.peek() + 1;
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => ++palette.value);

// A colour of the style sheet as the browser resolves it.
export function colour(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

export function isDark(): boolean {
  if (theme.value !== 'system') return theme.value === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}
