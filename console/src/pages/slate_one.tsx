// One request of the slate lab: whose, which candidates; ordered, and shuffled.
import {api} from '../api/client';
import {apiKey} from '../api/key';
import type {Answer, RerankRequest, Whose} from '../api/types';
import {curl} from '../lib/curl';
import {candidates, idOf, ids, lines} from '../lib/parse';
import {random, shuffled} from '../lib/random';
import {AnswerView} from '../ui/answer';
import {useAction} from '../ui/load';
import {Copy, Trouble} from '../ui/parts';
import {ShuffleTest} from './slate_shuffle';

export interface Draft { whose: 'user' | 'history'; user: string; history: string; candidates: string; explain: boolean }

const kTake = 12;

const whoseOf = (draft: Draft): Whose =>
  draft.whose === 'user' ? {user: draft.user.trim()} : {history: ids(draft.history)};

export function Slate({name, draft, setDraft, answer, onAnswer}: {
  name: string; draft: Draft; setDraft: (draft: Draft) => void; answer: Answer | null; onAnswer: (answer: Answer | null) => void;
}) {
  const action = useAction();
  const set = (change: Partial<Draft>) => setDraft({...draft, ...change});
  const read = candidates(draft.candidates);
  const ready = !read.problem && (draft.whose === 'history' || draft.user.trim() !== '');
  const request: RerankRequest = {...whoseOf(draft), candidates: read.list, explain: draft.explain};
  const order = () => action.run(async () => onAnswer(await api.rerank(request)));
  const take = () => action.run(async () => {
    const found = await api.recommend({...whoseOf(draft), k: kTake});
    const upstream = [...found.items].sort((a, b) => a.upstream_rank - b.upstream_rank);
    set({candidates: upstream.map((item) => item.id).join('\n')});
  });
  return (
    <section class="slate" aria-label={name ? `Request ${name}` : 'Request'}>
      <div>
        {name && <h2>{name}</h2>}
        <form onSubmit={(event) => {
          event.preventDefault();
          void order();
        }}>
          <Owner draft={draft} set={set} name={name} />
          <label>Candidates, one a line: an id, or an id and a score
            <textarea rows={10} spellcheck={false} value={draft.candidates}
                      onInput={(e) => set({candidates: e.currentTarget.value})} />
          </label>
          <label class="check">
            <input type="checkbox" checked={draft.explain} onChange={(e) => set({explain: e.currentTarget.checked})} />
            Let it explain: the reasoning policy answers, not the fast one
          </label>
          <div class="row">
            <button type="submit" class="strong" disabled={!ready || action.busy}>Order them</button>
            <button type="button" disabled={action.busy} onClick={() => void take()}>
              {draft.whose === 'user' ? 'Take what she gets' : 'Take what it leads to'}</button>
            <button type="button" disabled={!ready}
                    onClick={() => set({candidates: lines(shuffled(read.list, random(Date.now())))})}>Shuffle</button>
          </div>
          {draft.candidates.trim() && read.problem && <p class="note warn">{read.problem}.</p>}
        </form>
        <Trouble problem={action.problem} what="re-ranking" />
        {ready && <ShuffleTest key={`${draft.explain} ${read.list.map(idOf).sort().join(' ')}`} request={request} />}
      </div>
      <div>
        {answer && (
          <>
            <AnswerView answer={answer} />
            <div class="row">
              <Copy text={curl(location.origin, 'POST', '/v1/rerank', request, apiKey() !== null)}>Copy as curl</Copy>
            </div>
          </>
        )}
      </div>
    </section>
  );
}

function Owner({draft, set, name}: {draft: Draft; set: (change: Partial<Draft>) => void; name: string}) {
  return (
    <fieldset>
      <legend>For</legend>
      {(['user', 'history'] as const).map((whose) => (
        <label class="check" key={whose}>
          <input type="radio" name={`whose${name}`} checked={draft.whose === whose} onChange={() => set({whose})} />
          {whose === 'user' ? 'a user' : 'a history'}
        </label>
      ))}
      {draft.whose === 'user'
        ? <label>User <input value={draft.user} autocomplete="off" onInput={(e) => set({user: e.currentTarget.value})} /></label>
        : <label>Item ids, oldest first
            <input value={draft.history} autocomplete="off" onInput={(e) => set({history: e.currentTarget.value})} /></label>}
    </fieldset>
  );
}
