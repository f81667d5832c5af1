// What operators look at: status and rules.
import {Refusal} from './engine.mjs';
import {hash} from './catalogue.mjs';

const kSteps = 120, kStep = 5;
const kToml = `# Rules are applied after the policy, in this order.

[[rule]]
name = "no repeats of a series"
kind = "at-most"
field = "title"
count = 2
reason = "variety"

[[rule]]
name = "not for children at night"
kind = "exclude"
category = "Children"
reason = "time of day"
`;

export function status({catalogue, engine, started, troubled}) {
  const now = Math.floor(Date.now() / 1000), end = now - (now % kStep);
  const at = (i) => end - (kSteps - 1 - i) * kStep;
  const quiet = (i) => i < 18;
  const series = (name, f) => Array.from({length: kSteps}, (_, i) => (quiet(i) ? null : f(hash(name, at(i)), i)));
  return {
    podium: '0.2.0', started, now, ready: !troubled,
    bundle: {dir: '/srv/podium/2026-11-20', dataset: 'ml-100k', items: catalogue.size, users: 943, slate_size: 20, added_items: catalogue.live.size},
    store: {offset: engine.offset}, waiting: troubled ? 121 : 3, most_waiting: 128, rss_bytes: 214748364,
    routes: [
      {route: 'POST /v1/recommend', count: 48211, errors: troubled ? 812 : 2, refused: troubled ? 97 : 0, p50_ms: 4.92, p99_ms: 18.4},
      {route: 'POST /v1/rerank', count: 9120, errors: 0, refused: 0, p50_ms: 3.35, p99_ms: 9.81},
      {route: 'POST /v1/events', count: 20877, errors: 0, refused: 0, p50_ms: 0.91, p99_ms: 6.02},
      {route: 'GET /v1/users/{id}', count: 0, errors: 0, refused: 0, p50_ms: null, p99_ms: null},
    ],
    stages: [
      {stage: 'retrieval', count: 48211, p50_ms: 0.64, p99_ms: 2.4},
      {stage: 'ranking', count: 57331, p50_ms: 1.21, p99_ms: 4.05},
      {stage: 'policy', count: 57331, p50_ms: 3.31, p99_ms: 14.7},
    ],
    degraded: troubled ? {'policy late': 412, 'retrieval late': 3} : {},
    series: {
      step_s: kStep, end, requests: series('r', (h, i) => Math.round(180 + 70 * Math.sin(i / 9) + 40 * h)),
      errors: series('e', (h, i) => (troubled && i > 90 ? Math.round(30 * h) : 0)),
      p50_ms: series('p50', (h) => 4.5 + h), p99_ms: series('p99', (h, i) => 15 + 5 * h + (i > 100 ? 6 : 0)),
    },
  };
}

export class Admin {
  constructor(engine) {
    this.engine = engine;
    this.toml = kToml;
  }

  rules(toml = this.toml) {
    const lines = toml.split('\n');
    const bad = lines.findIndex((line) => line.trim() && !/^\s*(#|\[\[rule\]\]\s*$|\w+\s*=\s*\S)/.test(line));
    if (bad >= 0) throw new Refusal(400, `rules: line ${bad + 1}: expected a key, a value or [[rule]]`, {field: 'toml'});
    const of = (key) => lines.filter((line) => line.trim().startsWith(`${key} `)).map((line) => /"(.*)"/.exec(line)?.[1] ?? '');
    const kinds = of('kind'), reasons = of('reason');
    return {file: '/etc/podium/rules.toml', toml, rules: of('name').map((name, i) => ({name, kind: kinds[i] ?? '', reason: reasons[i] ?? ''}))};
  }
  saveRules(toml) {
    const saved = this.rules(toml);
    this.toml = toml;
    return saved;
  }
  preview({toml, requests}) {
    const {rules} = this.rules(toml);
    if (toml === this.toml || rules.length === 0) return {requests, changed: 0, differences: []};
    const differences = Array.from({length: 7}, (_, i) => {
      const user = String(20 + i * 3), before = this.engine.recommend({user, k: 10}).items.map((item) => item.id);
      const out = before[2], after = [...before.filter((id) => id !== out), String(300 + i)];
      return {user, before, after, removed: [{item: out, rule: rules[0].name, reason: rules[0].reason}],
              unmet: i === 3 ? [{rule: rules[0].name, why: 'too few candidates left'}] : []};
    });
    return {requests, changed: differences.length, differences};
  }
}
