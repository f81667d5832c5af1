import {useState} from 'preact/hooks';
import type {Answer} from '../api/types';
import {changed, moves} from '../lib/ranks';
import {plural} from '../lib/format';
import {route} from '../route';
import {Moves, titlesOf} from '../ui/answer';
import {PageHead} from '../ui/parts';
import {OwnItem} from './slate_own';
import {Slate, type Draft} from './slate_one';

const emptyDraft = (user: string): Draft => ({whose: 'user', user, history: '', candidates: '', explain: true});

export function SlatePage() {
  const [first, setFirst] = useState(emptyDraft(route.value.params.get('user') ?? ''));
  const [second, setSecond] = useState<Draft | null>(null);
  const [answers, setAnswers] = useState<[Answer | null, Answer | null]>([null, null]);
  const put = (draft: Draft, id: string): Draft =>
    ({...draft, candidates: `${draft.candidates.trim()}\n${id}`.trim()});
  const drop = (draft: Draft, id: string): Draft =>
    ({...draft, candidates: draft.candidates.split('\n').filter((line) => line.trim().split(/\s/)[0] !== id).join('\n')});
  const both = (change: (draft: Draft, id: string) => Draft, id: string) => {
    setFirst((draft) => change(draft, id));
    setSecond((draft) => draft && change(draft, id));
  };
  return (
    <>
      <PageHead title="Slate lab" question="What would change the order?" />
      <div class={second ? 'pair' : 'solo'}>
        <Slate name={second ? 'A' : ''} draft={first} setDraft={setFirst} answer={answers[0]}
               onAnswer={(a) => setAnswers(([, b]) => [a, b])} />
        {second && <Slate name="B" draft={second} setDraft={setSecond} answer={answers[1]}
                          onAnswer={(b) => setAnswers(([a]) => [a, b])} />}
      </div>
      <p>
        {second ? <button type="button" onClick={() => {
          setSecond(null);
          setAnswers(([a]) => [a, null]);
        }}>Close B</button>
                : <button type="button" onClick={() => setSecond(first)}>Compare with a second request</button>}
      </p>
      {second && answers[0] && answers[1] && <Compared a={answers[0]} b={answers[1]} />}
      <OwnItem onAdd={(id) => both(put, id)} onRemove={(id) => both(drop, id)} />
    </>
  );
}

function Compared({a, b}: {a: Answer; b: Answer}) {
  const list = moves(a.items.map((i) => i.id), b.items.map((i) => i.id));
  const differing = changed(list);
  return (
    <section aria-label="A and B compared">
      <h2>From A to B</h2>
      <p>{differing.length === 0 ? 'Both have the same order.' : `${plural(differing.length, 'item')} of ${list.length} stand elsewhere in B.`}</p>
      {differing.length > 0 && <Moves list={list} titles={titlesOf(a, b)} />}
    </section>
  );
}
