// Bundles: which serve, what a comparison tells, what the gate refuses, what is taken back.
import {setTimeout as sleep} from 'node:timers/promises';
import {Refusal} from './engine.mjs';

const kStarted = 1795500000, kItems = 1682;
const answers = (more = {}) => ({
  failed: 0, degraded: 1, went_without: {'policy late': 1}, p50_ms: 4.92, p99_ms: 18.4, items: kItems, shown: 611, history: 8240, unknown: 0,
  ...more,
});
const paired = (active, difference, wide) => {
  const about = (value) => ({value, low: value - wide, high: value + wide});
  return {active: about(active), candidate: about(active + difference), difference: about(difference)};
};
const kFailure = 'policy.bin: the weights of “block 3” <b>do not fit</b>';

// By directory: how a bundle does beside the one of 2026-11-20.
const kKinds = new Map([
  ['/srv/podium/2026-11-13', {of: answers({p50_ms: 5.1, shown: 590}), by: [-0.0181, 0.0102], objections: [
    'N@10 on 412 events held out: -0.0181 [-0.0283, -0.0079], wholly below 0']}],
  ['/srv/podium/2026-11-20', {of: answers(), by: [0, 0.0001], objections: []}],
  ['/srv/podium/2026-11-27', {of: answers({degraded: 0, went_without: {}, p50_ms: 4.61, shown: 688}), by: [0.0212, 0.0117], objections: []}],
  ['/srv/podium/broken', {of: answers({failed: 74, failure: kFailure, p50_ms: 6.2, items: 1490, unknown: 903}), by: null, objections: [
    `answers that fail: 16.4 % with it, 0.0 % now, 1 more are allowed (${kFailure})`,
    'events of items not known: 11.0 % with it, 0.0 % now, 10 more are allowed']}],
]);

export class BundleShelf {
  constructor() {
    this.served = [{dir: '/srv/podium/2026-11-13', since: kStarted - 604800}, {dir: '/srv/podium/2026-11-20', since: kStarted}];
    this.takenBack = [];
    this.comparing = false;
    this.pace = 60;  // ms that a comparison takes
  }

  list() {
    const bundles = this.served.map((one, i) => (i + 1 < this.served.length ? {...one, active: false}
      : {...one, active: true, dataset: 'ml-100k', items: kItems})).reverse();
    return {active: this.served.at(-1).dir, bundles, can_roll_back: this.served.length > 1, taken_back: this.takenBack};
  }

  async evaluate({dir}) {
    if (!kKinds.has(dir)) throw new Refusal(404, `${dir}: there is no bundle`, {cure: 'name a directory that podium train wrote'});
    if (this.comparing) throw new Refusal(409, 'another bundle is being compared', {cure: 'ask again when that has ended'});
    this.comparing = true;
    await sleep(this.pace);
    this.comparing = false;
    const {of, by, objections} = kKinds.get(dir);
    return {
      active: this.served.at(-1).dir, candidate: dir, questions: 450, planned: by ? 450 : 612, of_active: answers(), of_candidate: of,
      overlap: 0.734, same_first: 0.412, rank_change: 1.83, latency_ratio: of.p50_ms / answers().p50_ms, objections,
      foreseen: by && {events: 412, users: 187, p: by[0] === 0 ? 1 : 0.0004, 'R@10': paired(0.1931, by[0] * 0.4, by[1] * 1.6),
                       'N@10': paired(0.1094, by[0], by[1])},
    };
  }

  async activate({dir, force = false}) {
    const {objections} = force && kKinds.has(dir) ? {objections: []} : await this.evaluate({dir});
    if (objections.length > 0) {
      throw new Refusal(409, objections.join('; '),
                        {cure: '/v1/bundles/evaluate tells all of it; "force": true activates the bundle as it is', objections});
    }
    if (kKinds.get(dir).of.failed > 0) {  // watched, and found out at once
      this.takenBack.unshift({dir, at: kStarted + 86400,
                              why: '33 of its newest 200 answers failed or were degraded, 0.5 % of those of the bundle before'});
    } else {
      this.served.push({dir, since: kStarted + 86400});
    }
    return this.list();
  }

  rollBack() {
    if (this.served.length < 2) throw new Refusal(409, 'there is no bundle before this one');
    this.served.pop();
    return this.list();
  }
}
