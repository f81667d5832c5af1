// What rules would change, request by request; only what differs is shown.
import {useState} from 'preact/hooks';
import type {RuleDifference, RulesPreview} from '../api/types';
import {plain, plural} from '../lib/format';
import {changed, moves, reordered, told} from '../lib/ranks';
import {href} from '../route';
import {ItemLink} from '../ui/parts';
import {useTitles} from '../ui/titles';

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
  const [open, setOpen] = useState(false);
  const removed = new Map(d.removed.map((r) => [r.item, r]));
  const all = changed(moves(d.before, d.after)), order = reordered(d.before, d.after);
  const left = all.filter((m) => m.after === null), came = all.filter((m) => m.before === null);
  const titles = useTitles(open ? [...left, ...came, ...order].map((m) => m.id) : null);
  const item = (id: string) => <ItemLink item={{id, title: titles.get(id)}} />;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>User <bdi>{plain(d.user)}</bdi>: {summaryOf(d)}</summary>
      <ul class="events">
        {left.map((move) => (
          <li key={move.id}><span class="gone">{item(move.id)}</span> <span class="down">left {move.before! + 1}</span>
            {removed.has(move.id)
              ? <> by <span class="tag rule">{plain(removed.get(move.id)!.rule)}</span> {plain(removed.get(move.id)!.reason)}</>
              : ', others stand before it now'}</li>
        ))}
        {came.map((move) => <li key={move.id}>{item(move.id)} <span class="up">{told(move)}</span></li>)}
        {order.map((move) => <li key={move.id}>{item(move.id)} <span class="dim">{told(move)}, among those that stay</span></li>)}
        {d.unmet.map((u) => <li key={u.rule} class="down">Not met: {plain(u.rule)}, {plain(u.why)}</li>)}
      </ul>
      <p>{order.length === 0 && 'The others keep their order. '}<a href={href('user', d.user)}>What she gets now</a></p>
    </details>
  );
}

export function summaryOf(d: RuleDifference): string {
  const all = moves(d.before, d.after);
  const left = all.filter((m) => m.after === null).length, came = all.filter((m) => m.before === null).length;
  const order = reordered(d.before, d.after).length;
  const parts = [
    left > 0 && `${left} left`, came > 0 && `${came} new`, order > 0 && `${order} in another order`,
    d.unmet.length > 0 && `${plural(d.unmet.length, 'rule')} not met`,
  ].filter(Boolean);
  return parts.join(', ') || 'no change';
}
