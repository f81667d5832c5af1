// Shortcuts of one key. They can be turned off, and rest while somebody types.
import {signal} from '@preact/signals';
import {go, href, pages} from './route';
import {nextTheme} from './theme';

const kName = 'podium.keys';
export const keysOn = signal(localStorage.getItem(kName) !== 'off');
export const helpOpen = signal(false);

export function setKeys(on: boolean): void {
  keysOn.value = on;
  localStorage.setItem(kName, on ? 'on' : 'off');
}

export const shortcuts: [string, string][] = [
  ['?', 'This help'],
  ['/', 'Search for a user or an item'],
  ['1 … 7', 'The pages, from Live to Map'],
  ['t', 'System, light or dark colours'],
  ['Esc', 'Close what is open'],
  ['← ↑ → ↓', 'Move the map, once it has the focus'],
  ['+ − 0', 'Zoom the map; all of it'],
];

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null;
}

export function listen(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    if (event.key === '?') helpOpen.value = true;
    else if (!keysOn.value) return;
    else if (event.key === '/') document.getElementById('search')?.focus();
    else if (event.key === 't') nextTheme();
    else if (/^[1-7]$/.test(event.key)) go(href(pages[Number(event.key) - 1]!));
    else return;
    event.preventDefault();
  });
}
