import {useState} from 'preact/hooks';
import {api} from '../api/client';
import {apiKey} from '../api/key';
import type {RecommendRequest, User} from '../api/types';
import {curl} from '../lib/curl';
import {go, href, route} from '../route';
import {AnswerView} from '../ui/answer';
import {useLoad} from '../ui/load';
import {Copy, PageHead, Waiting} from '../ui/parts';
import {History} from './history';
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
  const request: RecommendRequest = {user: id, k, explain: true};
  const user = useLoad<User>((signal) => api.user(id, signal), [id]);
  const answer = useLoad((signal) => api.recommend(request, signal), [id, k]);
  return (
    <div class="two">
      <section aria-label="Recommendations">
        <h2>What she gets now</h2>
        <Waiting loaded={answer} what="recommendations" />
        {answer.data && (
          <>
            <AnswerView answer={answer.data} />
            <div class="row">
              <Copy text={curl(location.origin, 'POST', '/v1/recommend', request, apiKey() !== null)}>Copy as curl</Copy>
              <button type="button" onClick={() => {
                answer.reload();
                user.reload();
              }}>Ask again</button>
              <a href={href('slate', '', {user: id})}>Take it to the slate lab</a>
            </div>
            {user.data && <WhatIf user={user.data} now={answer.data} k={k} />}
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
