import {beforeAll, describe, expect, it, vi} from 'vitest';

describe('addresses', () => {
  let route: typeof import('./route');
  beforeAll(async () => {
    vi.stubGlobal('location', {hash: '#/user/7'});
    vi.stubGlobal('addEventListener', () => {});
    route = await import('./route');
  });
  it('hold any id', () => {
    for (const id of ['196', 'a/b', 'a?b#c', 'ü%', '..', ' ']) {
      const read = route.parseRoute(route.href('user', id, {k: '20'}));
      expect([read.page, read.id, read.params.get('k')]).toEqual(['user', id, '20']);
    }
  });
  it('that are none lead to Live', () => {
    for (const hash of ['', '#', '#/', '#/nothing', '#main']) expect(route.parseRoute(hash).page).toBe('live');
    expect(route.parseRoute('#/item/%').id).toBe('%');
  });
  it('are read at the start', () => {
    expect([route.route.value.page, route.route.value.id]).toEqual(['user', '7']);
  });
});
