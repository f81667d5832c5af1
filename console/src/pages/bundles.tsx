import {signal} from '@preact/signals';
import {useState} from 'preact/hooks';
import {api} from '../api/client';
import {asProblem, type Problem} from '../api/problem';
import type {Bundles, BundleTrial, TakenBack} from '../api/types';
import {count, date, plain} from '../lib/format';
import {useAction, useLoad} from '../ui/load';
import {Confirm, PageHead, Trouble, Waiting} from '../ui/parts';
import {TrialView} from './bundle_trial';

// against: why the gate would not have it; only then it is forced.
type Wish = {kind: 'activate'; dir: string; against?: string} | {kind: 'back'};

// A comparison takes a while: its outcome outlives a look at another page.
const trial = signal<BundleTrial | null>(null);

export function BundlesPage() {
  const loaded = useLoad<Bundles>((signal) => api.bundles(signal), []);
  const [wish, setWish] = useState<Wish | null>(null);
  const [comparing, setComparing] = useState<string | null>(null);
  const [refused, setRefused] = useState<{dir: string; problem: Problem} | null>(null);
  const action = useAction();
  const run = (compared: string | null, job: () => Promise<void>) => action.run(async () => {
    setWish(null);
    setRefused(null);
    setComparing(compared);
    try {
      await job();
    } finally {
      setComparing(null);
    }
  });
  const compare = (dir: string) => run(dir, async () => {
    trial.value = null;
    trial.value = await api.evaluateBundle(dir);
  });
  const activate = (dir: string, force: boolean) => run(force ? null : dir, async () => {
    try {
      await api.activate(dir, force);
    } catch (error) {
      const problem = asProblem(error);
      if (!problem.refusedByGate) throw problem;
      return setRefused({dir, problem});
    }
    loaded.reload();
  });
  const rollBack = () => run(null, async () => {
    await api.rollBack();
    loaded.reload();
  });
  const carryOut = (wanted: Wish) =>
    (wanted.kind === 'back' ? rollBack() : activate(wanted.dir, wanted.against !== undefined));
  const data = loaded.data, seen = trial.value;
  return (
    <>
      <PageHead title="Bundles" question="Is the new one better?" />
      <Waiting loaded={loaded} what="several bundles" />
      {data && (
        <>
          <Taken list={data.taken_back} />
          <List data={data} busy={action.busy} onCompare={(dir) => void compare(dir)}
                onActivate={(dir) => setWish({kind: 'activate', dir})} />
          <p><button type="button" disabled={!data.can_roll_back || action.busy} onClick={() => setWish({kind: 'back'})}>
            Roll back to the one before</button></p>
          <Another busy={action.busy} onCompare={(dir) => void compare(dir)} onActivate={(dir) => setWish({kind: 'activate', dir})} />
        </>
      )}
      <p role="status" class="dim">{comparing && <><code>{plain(comparing)}</code> answers beside the active one. That takes up to a minute …</>}</p>
      <Trouble problem={action.problem} what="comparisons of bundles" />
      {refused && <Refused {...refused} onCompare={() => void compare(refused.dir)}
                           onForce={() => setWish({kind: 'activate', dir: refused.dir, against: refused.problem.detail})} />}
      {seen && seen.active === data?.active && (
        <TrialView trial={seen} busy={action.busy} onActivate={() => setWish({
          kind: 'activate', dir: seen.candidate, against: seen.objections.length > 0 ? seen.objections.join('; ') : undefined})} />
      )}
      {wish && <Sure wish={wish} onYes={() => void carryOut(wish)} onNo={() => setWish(null)} />}
    </>
  );
}

function Taken({list}: {list: TakenBack[]}) {
  if (list.length === 0) return null;
  return (
    <section aria-label="Taken back">
      <h2>Taken back by the server itself</h2>
      <ul class="note list warn">
        {list.map((one, i) => <li key={i}><code>{plain(one.dir)}</code>, {date(one.at)}: {plain(one.why)}</li>)}
      </ul>
    </section>
  );
}

// The server lists each time that a bundle began to serve, so one may stand here twice.
function List({data, busy, onCompare, onActivate}: {
  data: Bundles; busy: boolean; onCompare: (dir: string) => void; onActivate: (dir: string) => void;
}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Bundles">
      <table>
        <thead><tr><th scope="col">Bundle</th><th scope="col" class="text">Serves</th>
          <th scope="col" class="text">Dataset</th><th scope="col">Items</th></tr></thead>
        <tbody>
          {data.bundles.map((bundle, i) => (
            <tr key={i} class={bundle.active ? 'strong' : ''}>
              <th scope="row"><code>{plain(bundle.dir)}</code></th>
              <td class="text">{bundle.active && 'now'}<small class="whole">since {date(bundle.since)}</small>
                {bundle.dir !== data.active && (
                  <div class="row">
                    <button type="button" disabled={busy} aria-label={`Compare ${plain(bundle.dir)}`}
                            onClick={() => onCompare(bundle.dir)}>Compare</button>
                    <button type="button" disabled={busy} aria-label={`Activate ${plain(bundle.dir)}`}
                            onClick={() => onActivate(bundle.dir)}>Activate</button>
                  </div>
                )}</td>
              <td class="text">{bundle.dataset === undefined ? '–' : plain(bundle.dataset)}</td>
              <td>{bundle.items === undefined ? '–' : count(bundle.items)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// What has not served yet is known by its directory alone.
function Another({busy, onCompare, onActivate}: {busy: boolean; onCompare: (dir: string) => void; onActivate: (dir: string) => void}) {
  const [text, setText] = useState('');
  const dir = text.trim();
  return (
    <section aria-label="A new bundle">
      <h2>A new bundle</h2>
      <p>Compared, it answers the newest requests, and what users did since, beside the active one. Nothing changes by that.</p>
      <form class="row" onSubmit={(event) => {
        event.preventDefault();
        if (dir && !busy) onCompare(dir);
      }}>
        <label>Its directory on the server
          <input class="wide" value={text} autocomplete="off" spellcheck={false} placeholder="out/ml2/bundle"
                 onInput={(e) => setText(e.currentTarget.value)} /></label>
        <button type="submit" class="strong" disabled={busy || !dir}>Compare</button>
        <button type="button" disabled={busy || !dir} onClick={() => onActivate(dir)}>Activate</button>
      </form>
    </section>
  );
}

function Refused({dir, problem, onCompare, onForce}: {dir: string; problem: Problem; onCompare: () => void; onForce: () => void}) {
  return (
    <div class="note bad" role="alert">
      <strong>Not activated.</strong> <code>{plain(dir)}</code> is worse than the active one: {plain(problem.detail)}
      <div class="row">
        <button type="button" onClick={onCompare}>Compare in full</button>
        <button type="button" onClick={onForce}>Activate it nevertheless …</button>
      </div>
    </div>
  );
}

function Sure({wish, onYes, onNo}: {wish: Wish; onYes: () => void; onNo: () => void}) {
  if (wish.kind === 'back') {
    return (
      <Confirm title="Roll back?" yes="Roll back" onYes={onYes} onNo={onNo}>
        <p>The bundle that served before this one serves from then on. Requests under way end with the old one.</p>
      </Confirm>
    );
  }
  const {dir, against} = wish;
  if (against === undefined) {
    return (
      <Confirm title="Activate this bundle?" yes="Activate" onYes={onYes} onNo={onNo}>
        <p><code>{plain(dir)}</code> is compared with the active one first; unless it is worse, it serves from then on. Requests
          under way end with the old one.</p>
      </Confirm>
    );
  }
  return (
    <Confirm title="Activate it nevertheless?" yes="Activate nevertheless" careful onYes={onYes} onNo={onNo}>
      <p><code>{plain(dir)}</code> serves from then on, without another comparison, although:</p>
      <p class="note bad">{plain(against)}</p>
      <p>Should more than a tenth of its answers fail or be degraded, the server takes it back by itself.</p>
    </Confirm>
  );
}
