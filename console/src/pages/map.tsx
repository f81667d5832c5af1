import {useMemo, useState} from 'preact/hooks';
import {api} from '../api/client';
import type {MapAnswer, MapPoint} from '../api/types';
import {count, named, plain, plural} from '../lib/format';
import {codeColour} from '../lib/scatter';
import {isDark, palette} from '../theme';
import {useLoad} from '../ui/load';
import {ItemLink, PageHead, Waiting} from '../ui/parts';
import {useFound} from '../ui/search';
import {AboutItem} from './item';
import {MapCanvas} from './map_canvas';
import {kMost} from './map_draw';

const kShown = 20;

export function MapPage() {
  const loaded = useLoad<MapAnswer>((signal) => api.map(kMost, signal), []);
  return (
    <>
      <PageHead title="Map" question="Where does an item stand in the catalogue?" />
      <Waiting loaded={loaded} what="the map" />
      {loaded.data && (loaded.data.items.length > 0 ? <Drawn answer={loaded.data} />
                                                    : <p class="dim">The catalogue is empty.</p>)}
    </>
  );
}

// The points whose title, id or first code holds the text.
function matching(points: MapPoint[], text: string): Set<number> {
  const wanted = text.trim().toLowerCase();
  const out = new Set<number>();
  if (!wanted) return out;
  points.forEach((p, i) => {
    if (p.id === wanted || p.title?.toLowerCase().includes(wanted)) out.add(i);
  });
  return out;
}

function Drawn({answer}: {answer: MapAnswer}) {
  const points = answer.items;
  const [text, setText] = useState('');
  const [code, setCode] = useState<number | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [hover, setHover] = useState<number>(-1);
  const found = useMemo(() => matching(points, text), [points, text]);
  const byId = useMemo(() => new Map(points.map((p, i) => [p.id, i])), [points]);
  const lit = useMemo(() => {
    if (code === null) return found;
    return new Set(points.flatMap((p, i) => (p.semantic_id[0] === code ? [i] : [])));
  }, [points, found, code]);
  const elsewhere = useFound(answer.of > points.length ? text : '', kShown).filter((item) => !byId.has(item.id));
  return (
    <>
      <p class="dim">{answer.of > points.length
        ? `${count(points.length)} of ${count(answer.of)} items are drawn; the search finds the others too.`
        : `All ${plural(points.length, 'item')}.`} Coloured by the first code of the semantic ID.</p>
      <div class="map">
        <div>
          <MapCanvas points={points} lit={lit} dimOthers={code !== null || text.trim() !== ''}
                     chosen={byId.get(chosen ?? '') ?? -1} onHover={setHover}
                     onChoose={(i) => setChosen(i < 0 ? null : points[i]!.id)} />
          <p class="hover" aria-hidden="true">{hover >= 0 ? <><bdi>{named(points[hover]!)}</bdi> · {points[hover]!.semantic_id.join(' ')}</> : ' '}</p>
        </div>
        <aside aria-label="Details">
          <label>Find
            <input type="search" value={text} autocomplete="off" onInput={(e) => {
              setText(e.currentTarget.value);
              setCode(null);
            }} />
          </label>
          {text.trim() && <FoundList points={points} found={found} elsewhere={elsewhere} onChoose={setChosen} />}
          {!text.trim() && <Codes points={points} code={code} onCode={setCode} />}
          {chosen !== null && <Details id={chosen} />}
        </aside>
      </div>
    </>
  );
}

function FoundList({points, found, elsewhere, onChoose}: {
  points: MapPoint[]; found: Set<number>; elsewhere: {id: string; title?: string}[]; onChoose: (id: string) => void;
}) {
  const first = [...found].slice(0, kShown);
  return (
    <>
      <p class="dim" role="status">{plural(found.size, 'item')} on the map{found.size > kShown ? `, ${kShown} shown` : ''}</p>
      <ul class="events found">
        {first.map((i) => (
          <li key={points[i]!.id}><button type="button" class="plain" onClick={() => onChoose(points[i]!.id)}>
            <bdi>{named(points[i]!)}</bdi></button></li>
        ))}
        {elsewhere.map((item) => (
          <li key={item.id}><button type="button" class="plain" onClick={() => onChoose(item.id)}>
            <bdi>{named(item)}</bdi></button> <small>not drawn</small></li>
        ))}
      </ul>
    </>
  );
}

function Codes({points, code, onCode}: {points: MapPoint[]; code: number | null; onCode: (code: number | null) => void}) {
  const largest = useMemo(() => {
    const sizes = new Map<number, number>();
    for (const p of points) sizes.set(p.semantic_id[0] ?? -1, (sizes.get(p.semantic_id[0] ?? -1) ?? 0) + 1);
    return [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 12);
  }, [points]);
  const dark = palette.value > 0 && isDark();
  return (
    <div role="group" aria-label="The largest first codes">
      <h2>The largest first codes</h2>
      <div class="row">
        {largest.map(([first, size]) => (
          <button type="button" key={first} aria-pressed={code === first} onClick={() => onCode(code === first ? null : first)}>
            <svg class="swatch" width="10" height="10" aria-hidden="true"><rect width="10" height="10" fill={`rgb(${codeColour(first, dark)})`} /></svg>{' '}
            {first} <small>{count(size)}</small>
          </button>
        ))}
      </div>
    </div>
  );
}

function Details({id}: {id: string}) {
  const loaded = useLoad((signal) => api.item(id, signal), [id]);
  return (
    <section aria-label="The item chosen" aria-live="polite">
      <Waiting loaded={loaded} what="the facts of an item" />
      {loaded.data?.id === id && (
        <>
          <AboutItem item={loaded.data} />
          <p><a href={`#/item/${encodeURIComponent(id)}`}>All about it</a></p>
          <h3>Nearest by text</h3>
          <ul class="events">{loaded.data.similar.slice(0, 5).map((s) => <li key={s.id}><ItemLink item={s} /></li>)}</ul>
        </>
      )}
      {loaded.problem?.missing && <p><a href={`#/item/${encodeURIComponent(id)}`}>{plain(id)}</a></p>}
    </section>
  );
}
