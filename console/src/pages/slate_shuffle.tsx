// Does the order depend on the order of the input? The same candidates, shuffled again and again.
import {useEffect, useState} from 'preact/hooks';
import {api} from '../api/client';
import type {RerankRequest} from '../api/types';
import {count, plain, plural} from '../lib/format';
import {each} from '../lib/query';
import {random, shuffled} from '../lib/random';
import {spreads, steadiness, type Spread, type Steadiness} from '../lib/ranks';
import {useAction} from '../ui/load';
import {Trouble} from '../ui/parts';

const kRuns = 20;

export function ShuffleTest({request}: {request: RerankRequest}) {
  const [orders, setOrders] = useState<string[][]>([]);
  const [titles, setTitles] = useState(new Map<string, string | undefined>());
  const [abort] = useState(() => new AbortController());
  useEffect(() => () => abort.abort(), []);
  const action = useAction();
  const scored = typeof request.candidates[0] !== 'string';
  const run = () => action.run(async () => {
    setOrders([]);
    const seeds = Array.from({length: kRuns}, (_, i) => i + 1);
    await each(seeds, 2, abort.signal, async (seed) => {
      const answer = await api.rerank(
        {...request, candidates: shuffled(request.candidates, random(seed))}, abort.signal);
      setOrders((all) => [...all, answer.items.map((item) => item.id)]);
      setTitles(new Map(answer.items.map((item) => [item.id, item.title])));
    });
  });
  const list = spreads(orders);
  return (
    <details>
      <summary>Does the order depend on the input’s order?</summary>
      <p>The candidates are shuffled {kRuns} times. {scored
        ? 'They have scores, which say the order before the policy: only ties can move.'
        : 'Without scores their order counts as the order before the policy, so some dependence is meant.'}</p>
      <button type="button" disabled={action.busy} onClick={() => void run()}>
        {action.busy ? `${orders.length} of ${kRuns} …` : `Shuffle ${kRuns} times`}
      </button>
      <Trouble problem={action.problem} what="re-ranking" />
      {orders.length > 1 && (
        <>
          <p role="status">{steadyText(steadiness(list, orders.length))}</p>
          <Spreads list={list} titles={titles} />
        </>
      )}
    </details>
  );
}

export function steadyText(s: Steadiness): string {
  if (s.moved === 0) return `${s.runs} shuffles, one order: it does not depend on the input’s order.`;
  return `${s.runs} shuffles: ${count(s.moved)} of ${plural(s.items, 'item')} change their rank, by up to ${s.largest}; ` +
         `${plural(s.firsts, 'item')} came first at least once.`;
}

function Spreads({list, titles}: {list: Spread[]; titles: Map<string, string | undefined>}) {
  const step = 100 / Math.max(1, list.length);
  const at = (rank: number) => ((rank + 0.5) * step).toFixed(2);
  return (
    <div class="bars spread">
      {list.map((s) => (
        <div class="bar" key={s.id}>
          <span class="name"><bdi>{plain(titles.get(s.id) ?? s.id)}</bdi></span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <path class="rail" d="M0 5H100" />
            <path class="range" d={`M${at(s.low)} 5H${at(s.high)}`} />
            {[...new Set(s.ranks)].map((rank) => <path key={rank} class="dot" d={`M${at(rank)} 5h.01`} />)}
          </svg>
          <span class="num">{s.low === s.high ? s.low + 1 : `${s.low + 1} to ${s.high + 1}`}{' '}
            <small>mean {(s.mean + 1).toFixed(1)}</small></span>
        </div>
      ))}
    </div>
  );
}
