// For some users: does the item reach them, and if not, where is it lost?
import {useEffect, useState} from 'preact/hooks';
import {api} from '../api/client';
import {asProblem} from '../api/problem';
import type {User} from '../api/types';
import {plain} from '../lib/format';
import {ids} from '../lib/parse';
import {each} from '../lib/query';
import {placeIn, whyNot, type Place} from '../lib/why';
import {useAction} from '../ui/load';
import {Tags, Trouble, UserLink} from '../ui/parts';

const kShown = 10, kDeep = 200, kMostUsers = 20, kName = 'podium.users';

interface Row { user: string; place: Place; why: string }

async function lookAt(item: string, user: string, signal: AbortSignal): Promise<Row> {
  const answer = await api.recommend({user, k: kDeep}, signal);
  const place = placeIn(answer, item);
  if (place.rank !== null && place.rank < kShown) return {user, place, why: 'She gets it.'};
  const known: User | null = await api.user(user, signal).catch(() => null);
  const hers = answer.items.slice(0, kShown).map((i) => i.id);
  const tried = place.rank === null && hers.length > 0
    ? await api.rerank({user, candidates: [...hers, item]}, signal).catch(() => null) : null;
  return {user, place, why: whyNot(place, item, known, kShown, tried)};
}

// A user whom the server refuses has a row that says so; a server without the route is told of once.
function failed(user: string, error: unknown): Row {
  const problem = asProblem(error);
  if (problem.missing) throw problem;
  return {user, place: {rank: null}, why: `${plain(problem.detail)}.`};
}

export function WhoSees({item}: {item: string}) {
  const [text, setText] = useState(sessionStorage.getItem(kName) ?? '');
  const [rows, setRows] = useState<Row[]>([]);
  const [abort] = useState(() => new AbortController());
  useEffect(() => () => abort.abort(), []);
  const action = useAction();
  const ask = () => action.run(async () => {
    const users = [...new Set(ids(text))].slice(0, kMostUsers);
    sessionStorage.setItem(kName, users.join(' '));
    setRows([]);
    await each(users, 2, abort.signal, async (user) => {
      const row = await lookAt(item, user, abort.signal).catch((error) => failed(user, error));
      setRows((all) => [...all, row].sort((a, b) => users.indexOf(a.user) - users.indexOf(b.user)));
    });
  });
  return (
    <section aria-label="Who sees it">
      <h2>Does it reach them?</h2>
      <p>Of each user the first {kDeep} are asked for; {kShown} of them count as seen.</p>
      <form class="row" onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}>
        <label>Users <input value={text} placeholder={`up to ${kMostUsers} ids`} autocomplete="off"
                            onInput={(e) => setText(e.currentTarget.value)} /></label>
        <button type="submit" disabled={action.busy}>{action.busy ? 'Asking …' : 'Ask'}</button>
      </form>
      <Trouble problem={action.problem} what="recommendations" />
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Whom it reaches">
          <table>
            <thead><tr><th scope="col">User</th><th scope="col">Rank</th><th scope="col">Upstream</th>
              <th scope="col" class="text">Why</th></tr></thead>
            <tbody>
              {rows.map(({user, place, why}) => (
                <tr key={user}>
                  <th scope="row"><UserLink user={user} /></th>
                  <td>{place.rank === null ? '–' : place.rank + 1}</td>
                  <td>{place.upstream === undefined ? '–' : place.upstream + 1}</td>
                  <td class="text why-not">{why} <Tags list={place.reasons} />
                    {place.sources && <small>found by {place.sources.map(plain).join(', ')}</small>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
