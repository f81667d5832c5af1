// Users and items by id, items by title: a combobox.
import {useEffect, useRef, useState} from 'preact/hooks';
import {api} from '../api/client';
import type {ItemName} from '../api/types';
import {named, plain} from '../lib/format';
import {go, href} from '../route';

interface Choice { key: string; text: string; kind: string; to: string }

function choices(text: string, items: ItemName[]): Choice[] {
  const id = text.trim();
  if (!id) return [];
  return [
    {key: 'user', kind: 'user', text: plain(id), to: href('user', id)},
    ...items.map((item) => ({key: `i:${item.id}`, kind: `item ${plain(item.id)}`, text: named(item), to: href('item', item.id)})),
    ...(items.some((item) => item.id === id) ? [] : [{key: 'item', kind: 'item', text: plain(id), to: href('item', id)}]),
  ];
}

// Items whose title or id holds the text, a moment after the last key.
export function useFound(text: string, limit: number): ItemName[] {
  const [found, setFound] = useState<ItemName[]>([]);
  useEffect(() => {
    if (!text.trim()) return setFound([]);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api.items(text.trim(), limit, abort.signal).then((answer) => setFound(answer.items), () => setFound([]));
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, limit]);
  return found;
}

export function Search() {
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = choices(text, useFound(text, 8));
  const shown = open && list.length > 0;
  const active = Math.min(at, list.length - 1);

  const take = (choice: Choice) => {
    go(choice.to);
    setText('');
    setOpen(false);
    input.current?.blur();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const by = event.key === 'ArrowDown' ? 1 : list.length - 1;
      setOpen(true);
      setAt(list.length ? (active + by) % list.length : 0);
    } else if (event.key === 'Enter' && list[active]) take(list[active]);
    else if (event.key === 'Escape') {
      if (shown) setOpen(false);
      else input.current?.blur();
    } else return;
    event.preventDefault();
  };

  return (
    <div class="search" role="search">
      <input ref={input} id="search" type="text" role="combobox" autocomplete="off" spellcheck={false}
             placeholder="User or item" aria-label="Search for a user or an item" aria-autocomplete="list"
             aria-expanded={shown} aria-controls="found" aria-activedescendant={shown ? `found-${active}` : undefined}
             value={text} onKeyDown={onKeyDown} onFocus={() => setOpen(true)} onBlur={() => setOpen(false)}
             onInput={(event) => {
               setText(event.currentTarget.value);
               setAt(0);
               setOpen(true);
             }} />
      <ul id="found" role="listbox" aria-label="Found" hidden={!shown}>
        {list.map((choice, i) => (
          <li key={choice.key} id={`found-${i}`} role="option" aria-selected={i === active}
              onMouseDown={(event) => {
                event.preventDefault();
                take(choice);
              }}>
            <bdi>{choice.text}</bdi> <small>{choice.kind}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
