import {useState} from 'preact/hooks';
import {api} from '../api/client';
import type {Item} from '../api/types';
import {count, digits, plain, plural} from '../lib/format';
import {go, href, route} from '../route';
import {useAction, useLoad} from '../ui/load';
import {Codes, Confirm, Facts, ItemLink, PageHead, Tags, Trouble, Waiting} from '../ui/parts';
import {ItemPicker} from '../ui/picker';
import {WhoSees} from './who_sees';

const kFewEvents = 5;

export function ItemPage() {
  const {id} = route.value;
  return (
    <>
      <PageHead title="Item" question="Who sees it, and why not?" />
      <ItemPicker label="Item" button="Show" onPick={(item) => go(href('item', item.id))} />
      {id ? <Told key={id} id={id} /> : <p class="dim">Give an item’s id or title, or search above.</p>}
    </>
  );
}

function Told({id}: {id: string}) {
  const loaded = useLoad<Item>((signal) => api.item(id, signal), [id]);
  const item = loaded.data;
  return (
    <>
      <Waiting loaded={loaded} what="the facts of an item" />
      {item && <AboutItem item={item} />}
      {(item || loaded.problem?.missing) && <WhoSees item={id} />}
      {item && <Neighbours item={item} />}
      {item?.origin === 'live' && <Remove item={item} />}
    </>
  );
}

export function coldStart(item: Item): string {
  if (item.origin === 'live') {
    return 'Cold: it came after training. Only its words lead to it, until the next training.';
  }
  if (item.events === 0) return 'Cold: nobody took it in training. Only its words lead to it.';
  if (item.events < kFewEvents) return `Nearly cold: ${plural(item.events, 'event')} in training, too few for its company to say much.`;
  return `Warm: ${plural(item.events, 'event')} in training.`;
}

export function AboutItem({item}: {item: Item}) {
  return (
    <>
      <h2><bdi>{plain(item.title || item.id)}</bdi></h2>
      <p class={item.events < kFewEvents ? 'note warn' : 'dim'}>{coldStart(item)}</p>
      <Facts facts={[
        ['Id', <bdi>{plain(item.id)}</bdi>],
        ...(item.brand ? [['Brand', <bdi>{plain(item.brand)}</bdi>] as [string, preact.JSX.Element]] : []),
        ...(item.price !== undefined ? [['Price', digits(item.price)] as [string, string]] : []),
        ['From', item.origin === 'live' ? 'after training' : 'training'],
        ['Events in training', count(item.events)],
        ['Semantic ID', <Codes codes={item.semantic_id} />],
      ]} />
      {item.categories && item.categories.length > 0 && <p><Tags list={item.categories} /></p>}
      {item.description && <p><bdi>{plain(item.description)}</bdi></p>}
    </>
  );
}

function Neighbours({item}: {item: Item}) {
  return (
    <div class="lists">
      <section>
        <h2>By semantic ID</h2>
        <p>Those that share its first codes, the most first.</p>
        {item.same_prefix.length === 0 && <p class="dim">None shares its first code.</p>}
        <ul class="events">
          {item.same_prefix.map((other) => (
            <li key={other.id}>
              <ItemLink item={other} /> <Codes codes={other.semantic_id} />{' '}
              <small>{plural(other.common, 'code')} in common</small>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2>By text</h2>
        <p>Those whose words are nearest.</p>
        {item.similar.length === 0 && <p class="dim">None.</p>}
        <ul class="events">
          {item.similar.map((other) => (
            <li key={other.id}><ItemLink item={other} /> <small>{other.score.toFixed(2)}</small></li>
          ))}
        </ul>
      </section>
    </div>
  );
}

function Remove({item}: {item: Item}) {
  const [asked, setAsked] = useState(false);
  const action = useAction();
  return (
    <div>
      <button type="button" onClick={() => setAsked(true)}>Take this item away</button>
      <Trouble problem={action.problem} />
      {asked && (
        <Confirm title="Take the item away?" yes="Take it away" onNo={() => setAsked(false)} onYes={() => {
          setAsked(false);
          void action.run(async () => {
            await api.removeItem(item.id);
            go(href('item'));
          });
        }}>
          <p><bdi>{plain(item.title || item.id)}</bdi> is recommended no more.</p>
        </Confirm>
      )}
    </div>
  );
}
