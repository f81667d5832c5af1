import {useState} from 'preact/hooks';
import type {User, UserEvent} from '../api/types';
import {date, plural} from '../lib/format';
import {ItemLink} from '../ui/parts';

const kFirst = 15;

export function History({user}: {user: User}) {
  if (user.erased) return <p class="note">She was erased: nothing of her history counts any more.</p>;
  return (
    <>
      <h3>Since training</h3>
      <Events list={user.events} none="Nothing since." />
      <h3>In training</h3>
      {user.trained ? <Events list={user.trained} none="The bundle knows nothing of her." />
                    : <p class="dim">This server does not tell what the bundle knows of her, so no event can be tried.</p>}
    </>
  );
}

function Events({list, none}: {list: UserEvent[]; none: string}) {
  const [all, setAll] = useState(false);
  if (list.length === 0) return <p class="dim">{none}</p>;
  const newest = [...list].reverse();
  return (
    <>
      <p class="dim">{plural(list.length, 'event')}, the newest first.</p>
      <ul class="events">
        {(all ? newest : newest.slice(0, kFirst)).map((event, i) => (
          <li key={i}>
            <ItemLink item={{id: event.item, title: event.title}} /> <time>{date(event.time)}</time>
          </li>
        ))}
      </ul>
      {list.length > kFirst && !all && <button type="button" onClick={() => setAll(true)}>Show all</button>}
    </>
  );
}
