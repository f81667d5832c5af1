// Time per stage: a bar to p50, a line to p99.
import type {StageTimes} from '../api/types';
import {count, ms} from '../lib/format';

export function Stages({stages, worst}: {stages: StageTimes[]; worst?: string}) {
  const most = Math.max(1e-9, ...stages.map((s) => s.p99_ms ?? 0));
  return (
    <div class="bars">
      {stages.map((s) => (
        <div class={s.stage === worst ? 'bar worst' : 'bar'} key={s.stage}>
          <span class="name">{s.stage}</span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <path class="rail" d="M0 5H100" />
            <path class="range" d={`M0 5H${(100 * (s.p99_ms ?? 0)) / most}`} />
            <rect y="1" height="8" width={(100 * (s.p50_ms ?? 0)) / most} />
          </svg>
          <span class="num">{ms(s.p50_ms)} <small>p99 {ms(s.p99_ms)} · {count(s.count)} times</small></span>
        </div>
      ))}
    </div>
  );
}
