import {useState} from 'preact/hooks';
import {api} from '../api/client';
import type {BundleInfo, Bundles} from '../api/types';
import {count, date, plain} from '../lib/format';
import {metricText, verdict} from '../lib/metrics';
import {useAction, useLoad} from '../ui/load';
import {Confirm, PageHead, Trouble, Waiting} from '../ui/parts';

type Wish = {kind: 'activate'; dir: string} | {kind: 'back'};

export function BundlesPage() {
  const loaded = useLoad<Bundles>((signal) => api.bundles(signal), []);
  const [wish, setWish] = useState<Wish | null>(null);
  const action = useAction();
  const carryOut = (wanted: Wish) => action.run(async () => {
    setWish(null);
    await (wanted.kind === 'back' ? api.rollBack() : api.activate(wanted.dir));
    loaded.reload();
  });
  const data = loaded.data;
  return (
    <>
      <PageHead title="Bundles" question="Is the new one better?" />
      <Waiting loaded={loaded} what="several bundles" />
      <Trouble problem={action.problem} />
      {data && (
        <>
          <List data={data} busy={action.busy} onActivate={(dir) => setWish({kind: 'activate', dir})} />
          <p><button type="button" disabled={!data.can_roll_back || action.busy} onClick={() => setWish({kind: 'back'})}>
            Roll back to the one before</button></p>
          <Metrics data={data} />
        </>
      )}
      {wish && (
        <Confirm title={wish.kind === 'back' ? 'Roll back?' : 'Activate this bundle?'}
                 yes={wish.kind === 'back' ? 'Roll back' : 'Activate'}
                 onYes={() => void carryOut(wish)} onNo={() => setWish(null)}>
          <p>{wish.kind === 'back' ? 'The bundle that served before this one serves from then on.'
                                   : <><code>{plain(wish.dir)}</code> serves from then on.</>} Requests under way end with the old one.</p>
        </Confirm>
      )}
    </>
  );
}

function List({data, busy, onActivate}: {data: Bundles; busy: boolean; onActivate: (dir: string) => void}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Bundles">
      <table>
        <thead><tr><th scope="col">Bundle</th><th scope="col" class="text">Serves</th>
          <th scope="col" class="text">Dataset</th><th scope="col">Items</th></tr></thead>
        <tbody>
          {data.bundles.map((bundle) => (
            <tr key={bundle.dir} class={bundle.active ? 'strong' : ''}>
              <th scope="row"><code>{plain(bundle.dir)}</code></th>
              <td class="text">{bundle.active
                ? `now${bundle.since ? `, since ${date(bundle.since)}` : ''}`
                : <button type="button" disabled={busy} aria-label={`Activate ${plain(bundle.dir)}`}
                          onClick={() => onActivate(bundle.dir)}>Activate</button>}</td>
              <td class="text">{plain(bundle.dataset)}</td>
              <td>{count(bundle.items)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Metrics({data}: {data: Bundles}) {
  const names = [...new Set(data.bundles.flatMap((b) => Object.keys(b.metrics ?? {})))];
  const active = data.bundles.find((b) => b.active);
  if (names.length === 0) return <p class="dim">No bundle here tells its metrics.</p>;
  return (
    <>
      <h2>Metrics</h2>
      <p>A bundle is higher or lower than the active one where their intervals do not touch.</p>
      <div class="charts">
        {names.map((name) => <Metric key={name} name={name} bundles={data.bundles} active={active} />)}
      </div>
    </>
  );
}

function Metric({name, bundles, active}: {name: string; bundles: BundleInfo[]; active?: BundleInfo}) {
  const have = bundles.filter((b) => b.metrics?.[name]);
  const ends = have.flatMap((b) => {
    const m = b.metrics![name]!;
    return [m.low ?? m.value, m.high ?? m.value];
  });
  const low = Math.min(...ends), span = Math.max(...ends) - low || 1;
  const at = (value: number) => (4 + (92 * (value - low)) / span).toFixed(2);
  const now = active?.metrics?.[name];
  return (
    <figure>
      <figcaption><strong>{plain(name)}</strong></figcaption>
      <div class="bars">
        {have.map((bundle) => {
          const m = bundle.metrics![name]!;
          const said = bundle.active ? 'active' : verdict(now, m);
          return (
            <div class={bundle.active ? 'bar worst' : 'bar'} key={bundle.dir}>
              <span class="name">{plain(bundle.dir.split('/').at(-1) ?? bundle.dir)}</span>
              <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                <path class="rail" d="M0 5H100" />
                {m.low !== undefined && m.high !== undefined && <path class="range" d={`M${at(m.low)} 5H${at(m.high)}`} />}
                <path class="dot" d={`M${at(m.value)} 5h.01`} />
              </svg>
              <span class="num">{metricText(m)} <small>{said}</small></span>
            </div>
          );
        })}
      </div>
    </figure>
  );
}
