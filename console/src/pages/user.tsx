import {useState} from 'preact/hooks';
import {api} from '../api/client';
import {apiKey} from '../api/key';
import type {Answer, RecommendRequest, User} from '../api/types';
import {curl} from '../lib/curl';
import {plural} from '../lib/format';
import {changed, moves} from '../lib/ranks';
import {go, href, route} from '../route';
import {AnswerView, Moves, titlesOf, Trace} from '../ui/answer';
import {useLoad} from '../ui/load';
import {Copy, PageHead, Waiting} from '../ui/parts';
import {History} from './history';
import {Reasons, ReasonsNote, useReasons} from './reasons';
import {WhatIf} from './what_if';

const kMost = 100;

export function UserPage() {
  const {id, params} = route.value;
  const k = Math.min(kMost, Math.max(1, Number(params.get('k')) || 10));
  return (
    <>
      <PageHead title="User" question="Why did she get this?" />
      <Ask key={`${id} ${k}`} id={id} k={k} />
      {id ? <Told key={id} id={id} k={k} /> : <p class="dim">Give a user’s id, or search above.</p>}
    </>
  );
}

function Ask({id, k}: {id: string; k: number}) {
  const [user, setUser] = useState(id);
  const [most, setMost] = useState(String(k));
  return (
    <form class="row" onSubmit={(event) => {
      event.preventDefault();
      if (user.trim()) go(href('user', user.trim(), {k: most}));
    }}>
      <label>User <input value={user} autocomplete="off" onInput={(e) => setUser(e.currentTarget.value)} /></label>
      <label>Items <input type="number" min="1" max={kMost} value={most} onInput={(e) => setMost(e.currentTarget.value)} /></label>
      <button type="submit" class="strong">Recommend</button>
    </form>
  );
}

function Told({id, k}: {id: string; k: number}) {
  const request: RecommendRequest = {user: id, k};
  const user = useLoad<User>((signal) => api.user(id, signal), [id]);
  const answer = useLoad((signal) => api.recommend(request, signal), [id, k]);
  const traced = useLoad((signal) => api.recommend({...request, explain: true}, signal), [id, k]);
  const reasons = useReasons(id, answer.data);
  return (
    <div class="two">
      <section aria-label="Recommendations">
        <h2>What she gets now</h2>
        <Waiting loaded={answer} what="recommendations" />
        {answer.data && (
          <>
            <ReasonsNote loaded={reasons} />
            <AnswerView answer={answer.data} below={(item) => <Reasons item={item.id} of={reasons.data} />} />
            {traced.data && <Traced served={answer.data} traced={traced.data} />}
            <div class="row">
              <Copy text={curl(location.origin, 'POST', '/v1/recommend', request, apiKey() !== null)}>Copy as curl</Copy>
              <button type="button" onClick={() => {
                answer.reload();
                traced.reload();
                reasons.reload();
                user.reload();
              }}>Ask again</button>
              <a href={href('slate', '', {user: id})}>Take it to the slate lab</a>
            </div>
            {user.data?.trained && <WhatIf user={user.data} now={answer.data} k={k} />}
          </>
        )}
      </section>
      <section aria-label="History">
        <h2>Her history</h2>
        <Waiting loaded={user} what="the history of a user" />
        {user.data && <History user={user.data} />}
      </section>
    </div>
  );
}

// Requests are served by the fast policy; the reasoning one, from which it learnt, writes why.
function Traced({served, traced}: {served: Answer; traced: Answer}) {
  if (!traced.explanation) return null;
  const list = changed(moves(served.items.map((i) => i.id), traced.items.map((i) => i.id)));
  return (
    <>
      <Trace text={traced.explanation} />
      {list.length === 0 ? <p class="dim">The reasoning policy has the same order as was served.</p> : (
        <details>
          <summary>The reasoning policy has another order: {plural(list.length, 'item')} differ from what was served</summary>
          <Moves list={list} titles={titlesOf(served, traced)} />
        </details>
      )}
    </>
  );
}
