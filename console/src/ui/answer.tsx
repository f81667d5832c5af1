// An answer told: the list with its reasons, its way, its trace, what it took.
import type {ComponentChildren} from 'preact';
import {useState} from 'preact/hooks';
import type {Answer, AnswerItem} from '../api/types';
import {count, digits, ms, plain, plural} from '../lib/format';
import type {Move} from '../lib/ranks';
import {told} from '../lib/ranks';
import {RankFlow} from './flow';
import {Facts, ItemLink, Tags} from './parts';

// below: what the page adds to an item.
type Below = (item: AnswerItem) => ComponentChildren;

export function AnswerView({answer, below}: {answer: Answer; below?: Below}) {
  const [chosen, setChosen] = useState<string | null>(null);
  const {took_ms: took} = answer;
  return (
    <>
      <Notes answer={answer} />
      <RankFlow items={answer.items} chosen={chosen} onChoose={(id) => setChosen(id === chosen ? null : id)} />
      <AnswerList items={answer.items} chosen={chosen} below={below} />
      {answer.explanation && <Trace text={answer.explanation} />}
      <Facts facts={[
        ['Retrieval', ms(took.retrieval)], ['Ranking', ms(took.ranking)], ['Policy', ms(took.policy)],
        ['History used', plural(answer.history, 'event')],
      ]} />
    </>
  );
}

function Notes({answer}: {answer: Answer}) {
  const notes = [
    ...(answer.degraded ?? []).map((kind) => `This answer went without a stage: ${plain(kind)}.`),
    ...(answer.new_user ? ['She is new here: nothing is known of her.'] : []),
    ...(answer.unknown_history ? [`${count(answer.unknown_history)} of the history are unknown items.`] : []),
    ...(answer.unknown_candidates ? [`${plural(answer.unknown_candidates, 'candidate')} unknown to the server; they keep their places.`] : []),
  ];
  return notes.length > 0 ? <ul class="note list warn">{notes.map((n) => <li key={n}>{n}</li>)}</ul> : null;
}

function AnswerList({items, chosen, below}: {items: AnswerItem[]; chosen: string | null; below?: Below}) {
  return (
    <ol class="answer">
      {items.map((item, rank) => (
        <li key={item.id} class={item.id === chosen ? 'chosen' : ''}>
          <ItemLink item={item} />
          {item.label && <span class="tag label">{plain(item.label)}</span>}
          {item.known === false && <span class="tag label">unknown</span>}
          <div class="why">
            <Change from={item.upstream_rank} to={rank} />
            {item.score !== undefined && <span class="dim">score {digits(item.score)}</span>}
            <Tags list={item.reasons} />
            {item.sources && <span class="dim">found by {item.sources.map(plain).join(', ')}</span>}
            {item.rules?.map((rule) => <span class="tag rule" key={rule}>rule: {plain(rule)}</span>)}
          </div>
          {below?.(item)}
        </li>
      ))}
    </ol>
  );
}

function Change({from, to}: {from: number; to: number}) {
  if (from === to) return <span class="dim">in place</span>;
  return <span class={from > to ? 'up' : 'down'}>{from > to ? '▲' : '▼'} from {from + 1}</span>;
}

export function Trace({text}: {text: string}) {
  return (
    <>
      <h3>What the policy wrote</h3>
      <blockquote>{plain(text)}</blockquote>
    </>
  );
}

// Two orders compared, by the later one.
export function Moves({list, titles}: {list: Move[]; titles: Map<string, string | undefined>}) {
  return (
    <ol class="answer moves">
      {list.map((move) => (
        <li key={move.id} class={move.after === null ? 'gone' : ''} value={move.after === null ? undefined : move.after + 1}>
          <ItemLink item={{id: move.id, title: titles.get(move.id)}} />{' '}
          <span class={move.after === null ? 'down' : move.before === null || move.before > move.after ? 'up'
                       : move.before < move.after ? 'down' : 'dim'}>{told(move)}</span>
        </li>
      ))}
    </ol>
  );
}

export const titlesOf = (...answers: Answer[]): Map<string, string | undefined> =>
  new Map(answers.flatMap((answer) => answer.items.map((item) => [item.id, item.title] as const)));
