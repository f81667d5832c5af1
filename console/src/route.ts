// The address after the #: #/user/196?k=20.
import {signal} from '@preact/signals';

export const pages = ['live', 'user', 'item', 'slate', 'bundles', 'rules', 'map'] as const;
export type PageName = (typeof pages)[number];
export interface Route { page: PageName; id: string; params: URLSearchParams }

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [name = '', ...rest] = path.split('/');
  const page = pages.find((p) => p === name) ?? 'live';
  return {page, id: decode(rest.join('/')), params: new URLSearchParams(query)};
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function href(page: PageName, id = '', params: Record<string, string> = {}): string {
  const query = new URLSearchParams(params).toString();
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ''}${query ? `?${query}` : ''}`;
}

export const route = signal<Route>(parseRoute(location.hash));

export function go(address: string): void {
  location.hash = address;
}

addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});
