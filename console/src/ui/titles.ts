// Titles of items of which only the id was told, asked for once each.
import {signal} from '@preact/signals';
import {useEffect} from 'preact/hooks';
import {api} from '../api/client';
import {each} from '../lib/query';

const known = signal<ReadonlyMap<string, string | undefined>>(new Map());

export function useTitles(ids: string[] | null): ReadonlyMap<string, string | undefined> {
  useEffect(() => {
    if (!ids) return;
    const abort = new AbortController();
    const missing = ids.filter((id) => !known.peek().has(id));
    void each(missing, 2, abort.signal, async (id) => {
      const title = await api.item(id, abort.signal).then((item) => item.title, () => undefined);
      if (!abort.signal.aborted) known.value = new Map(known.peek()).set(id, title);
    });
    return () => abort.abort();
  }, [ids?.join('\n')]);
  return known.value;
}
