// What rules would change, request by request; only what differs is shown.
import type {RuleDifference, RulesPreview} from '../api/types';
import {plain, plural} from '../lib/format';
import {changed, moves, told} from '../lib/ranks';
import {ItemLink, UserLink} from '../ui/parts';

export function Differences({preview}: {preview: RulesPreview}) {
  const unmet = preview.differences.filter((d) => d.unmet.length > 0).length;
  return (
    <section aria-label="Preview">
      <h2>{preview.changed === 0 ? 'Nothing changes' : `${preview.changed} of ${plural(preview.requests, 'request')} change`}</h2>
      {preview.requests === 0 && <p class="dim">The server has seen no requests yet.</p>}
      {unmet > 0 && <p class="note warn">{plural(unmet, 'request')} cannot meet every rule.</p>}
      {preview.differences.map((difference, i) => <Difference key={i} difference={difference} />)}
    </section>
  );
}

function Difference({difference: d}: {difference: RuleDifference}) {
  const removed = new Map(d.removed.map((r) => [r.item, r]));
  const list = changed(moves(d.before, d.after));
  const most = 8;
  return (
    <details>
      <summary>User <bdi>{plain(d.user)}</bdi>: {summaryOf(d)}</summary>
      <p><UserLink user={d.user} /> · {plural(list.length, 'place')} differ</p>
      <ul class="events">
        {list.filter((move) => move.after === null).map((move) => (
          <li key={move.id} class="gone"><ItemLink item={{id: move.id}} /> <span class="down">left</span>
            {removed.has(move.id)
              ? <> by <span class="tag rule">{plain(removed.get(move.id)!.rule)}</span> {plain(removed.get(move.id)!.reason)}</>
              : ' the list: others stand before it now'}</li>
        ))}
        {list.filter((move) => move.after !== null).slice(0, most).map((move) => (
          <li key={move.id}><ItemLink item={{id: move.id}} /> <span class="dim">{told(move)}</span></li>
        ))}
        {d.unmet.map((u) => <li key={u.rule} class="down">Not met: {plain(u.rule)}, {plain(u.why)}</li>)}
      </ul>
    </details>
  );
}

export function summaryOf(d: RuleDifference): string {
  const list = changed(moves(d.before, d.after));
  const left = list.filter((m) => m.after === null).length;
  const came = list.filter((m) => m.before === null).length;
  const parts = [
    left > 0 && `${left} left`, came > 0 && `${came} new`,
    left + came === 0 && list.length > 0 && `${list.length} moved`,
    d.unmet.length > 0 && `${plural(d.unmet.length, 'rule')} not met`,
  ].filter(Boolean);
  return parts.join(', ') || 'no change';
}
