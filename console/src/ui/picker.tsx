// A field for one item, by id or title, with the browser's own list of suggestions.
import {useId, useState} from 'preact/hooks';
import type {ItemName} from '../api/types';
import {plain} from '../lib/format';
import {useFound} from './search';

export function ItemPicker({label, button, onPick, suggestions = []}: {
  label: string; button: string; onPick: (item: ItemName) => void; suggestions?: ItemName[];
}) {
  const [text, setText] = useState('');
  const list = useId();
  const found = useFound(text, 8);
  const shown = text.trim() ? found : suggestions;
  // What is picked is an id; a title typed in full counts as its item's.
  const pick = () => {
    const typed = text.trim();
    if (!typed) return;
    onPick(shown.find((i) => i.id === typed) ?? shown.find((i) => i.title === typed) ?? {id: typed});
    setText('');
  };
  return (
    <form class="row" onSubmit={(event) => {
      event.preventDefault();
      pick();
    }}>
      <label>{label}
        <input list={list} value={text} autocomplete="off" placeholder="id or title" onInput={(e) => setText(e.currentTarget.value)} />
      </label>
      <datalist id={list}>
        {shown.map((item) => <option key={item.id} value={item.id}>{plain(item.title ?? '')}</option>)}
      </datalist>
      <button type="submit">{button}</button>
    </form>
  );
}
