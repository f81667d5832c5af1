// An event tried: her history and one item more, without writing anything.
import {useState} from 'preact/hooks';
import {api} from '../api/client';
import type {Answer, ItemName, User} from '../api/types';
import {named, plain, plural} from '../lib/format';
import {changed, moves} from '../lib/ranks';
import {Moves, titlesOf} from '../ui/answer';
import {useAction} from '../ui/load';
import {Trouble} from '../ui/parts';
import {ItemPicker} from '../ui/picker';

const kMostHistory = 1000;

// The history as a request gives it, with an item taken now.
function historyWith(user: User, item?: string): {history: string[]; times: number[]} {
  const now = Math.floor(Date.now() / 1000);
  const events = [...(user.trained ?? []), ...user.events, ...(item === undefined ? [] : [{item, time: now}])]
    .slice(-kMostHistory);
  return {history: events.map((e) => e.item), times: events.map((e) => e.time)};
}

export function WhatIf({user, now, k}: {user: User; now: Answer; k: number}) {
  const [tried, setTried] = useState<{item: ItemName; before: Answer; after: Answer} | null>(null);
  const action = useAction();
  const attempt = (item: ItemName) => action.run(async () => {
    const [before, after] = await Promise.all([
      api.recommend({...historyWith(user), k}), api.recommend({...historyWith(user, item.id), k})]);
    setTried({item, before, after});
  });
  return (
    <section aria-label="What if">
      <h2>What if she took …</h2>
      <p>Her history is sent with one item more. Nothing is written.</p>
      <div class="row">
        <ItemPicker label="Item" button="Try" onPick={(item) => void attempt(item)} suggestions={now.items} />
      </div>
      <Trouble problem={action.problem} />
      {tried && <Outcome {...tried} />}
    </section>
  );
}

function Outcome({item, before, after}: {item: ItemName; before: Answer; after: Answer}) {
  const list = moves(before.items.map((i) => i.id), after.items.map((i) => i.id));
  const differing = changed(list);
  return (
    <div aria-live="polite">
      <h3>After <bdi>{named(item)}</bdi></h3>
      <p>{differing.length === 0 ? 'Nothing changes.' : `${plural(differing.length, 'item')} differ from before.`}
        {after.unknown_history ? ' The server does not know every item of this history.' : ''}
        {after.degraded?.length ? ` It went without a stage: ${plain(after.degraded.join(', '))}.` : ''}</p>
      {differing.length > 0 && <Moves list={list} titles={titlesOf(before, after)} />}
    </div>
  );
}
