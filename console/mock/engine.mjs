// Answers that look like podium's: the same question has the same answer.
import {hash} from './catalogue.mjs';

export class Refusal extends Error {
  constructor(status, detail, extra = {}) {
    super(detail);
    Object.assign(this, {status, extra});
  }
}

const kSources = ['popularity', 'item-to-item', 'content', 'sasrec'];
const kReasons = ['similar', 'same category', 'fits history', 'together', 'popular', 'next in sequence'];
const kUsers = 943;
const some = (list, ...seed) => {
  const taken = list.filter((name) => hash(name, ...seed) < 0.5);
  return taken.length > 0 ? taken : [list[Math.floor(hash(...seed) * list.length)]];
};

export class Engine {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.events = new Map();
    this.erased = new Set();
    this.offset = 12804;
  }

  user(user) {
    const known = /^[1-9]\d*$/.test(user) && Number(user) <= kUsers && !this.erased.has(user);
    const named = (event) => ({...event, ...(this.catalogue.titleOf(event.item) && {title: this.catalogue.titleOf(event.item)})});
    const trained = known ? Array.from({length: 20 + Math.floor(hash('n', user) * 60)}, (_, i) => named({
      item: String(1 + Math.floor(hash('h', user, i) * Math.min(1682, this.catalogue.size))), time: 880000000 + i * 5400,
    })) : [];
    return {user, erased: this.erased.has(user), known, trained, events: (this.events.get(user) ?? []).map(named)};
  }

  historyOf(request) {
    if (request.history) return request.history;
    const user = this.user(String(request.user ?? ''));
    if (!user.known && user.events.length === 0) throw new Refusal(404, `no user '${request.user}' in this bundle`, {cure: 'check the id'});
    return [...user.trained, ...user.events].map((event) => event.item);
  }

  answer(request, items, history) {
    const ordered = [...items].sort((a, b) => b.policy - a.policy).map(({policy, ...item}) => item);
    const best = ordered.slice(0, 2).map((item) => `"${item.title ?? item.id}" ${(item.reasons ?? ['no evidence'])[0]} strong`);
    return {
      items: ordered, history: history.length,
      ...(request.explain && ordered.length > 0 && {explanation: `pattern: Drama. ${best.join('; ')}. best "${ordered[0].title ?? ordered[0].id}"`}),
      ...(history.length === 0 && {new_user: true}), took_ms: {retrieval: 0.64, ranking: 1.21, policy: 3.31},
    };
  }

  recommend(request) {
    const history = this.historyOf(request), had = new Set(history), k = request.k ?? 10;
    const seed = [String(request.user ?? ''), ...history.slice(-3)];
    const pool = new Set([...Array.from({length: 2 * k + 8}, (_, i) => String(1 + Math.floor(hash('pool', i, history[0] ?? '') * Math.min(1682, this.catalogue.size))))]);
    for (const id of ['6', '7', '8', '9']) pool.add(id);
    const items = [...pool].filter((id) => !had.has(id)).map((id) => ({id, score: (hash('score', id, history[0] ?? '') + 0.3 * hash(id, ...seed)) / 1.3}))
      .sort((a, b) => b.score - a.score).slice(0, k + 6).map(({id, score}, rank) => ({
        ...this.catalogue.named(id), score, upstream_rank: rank, sources: some(kSources, id), reasons: some(kReasons, id).slice(0, 3),
        ...(hash('rule', id) < 0.05 && {rules: ['at least one of a small brand']}), policy: -rank + 5 * hash('policy', id, ...seed),
      }));
    items.sort((a, b) => b.policy - a.policy);
    const answer = this.answer(request, items.slice(0, k), history);
    return request.user === '13' ? {...answer, degraded: ['policy late']} : answer;
  }

  rerank(request) {
    const history = this.historyOf(request), seed = [String(request.user ?? ''), ...history.slice(-3)];
    const given = request.candidates.map((c) => (typeof c === 'string' ? {item: c} : c));
    if (given.length < 2) throw new Refusal(400, 'must be an array of 2 to 100 items', {field: 'candidates'});
    if (given[0].score !== undefined) given.sort((a, b) => b.score - a.score);
    const items = given.map(({item: id}, rank) => (this.catalogue.has(id)
      ? {...this.catalogue.named(id), upstream_rank: rank, reasons: some(kReasons, id).slice(0, 3), policy: 10 * hash('policy', id, ...seed) - 0.35 * rank}
      : {id, upstream_rank: rank, known: false, policy: -rank}));
    return this.answer(request, items, history);
  }

  addEvents(events) {
    for (const {user, item, time} of events) {
      const list = this.events.get(user) ?? [];
      list.push({item, time: time ?? Math.floor(Date.now() / 1000)});
      this.events.set(user, list);
    }
    this.offset += events.length;
    return {offset: this.offset, events: events.length};
  }
}
