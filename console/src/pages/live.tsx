import type {Status} from '../api/types';
import {count, date, digits, duration, ms, plain} from '../lib/format';
import {findings, last, lastErrors, memory, rate, slowest} from '../lib/health';
import {Chart} from '../ui/chart';
import {Facts, PageHead, Trouble} from '../ui/parts';
import {Stages} from '../ui/stages';
import {useStatus} from './poll';

export function LivePage() {
  const {status, problem} = useStatus();
  return (
    <>
      <PageHead title="Live" question="Is it healthy, and which stage hurts?" />
      <Trouble problem={problem} what="live numbers" />
      {!status && !problem && <p class="dim" role="status">Loading …</p>}
      {status && problem && <p class="dim">These numbers are of {date(status.now)} UTC.</p>}
      {status && <Numbers status={status} />}
    </>
  );
}

function Numbers({status}: {status: Status}) {
  const {series} = status;
  const times = series.requests.map((_, i, all) => series.end - (all.length - 1 - i) * series.step_s);
  const perSecond = (list: (number | null)[]) => list.map((n) => (n === null ? null : n / series.step_s));
  return (
    <>
      <Health status={status} />
      <Facts facts={[
        ['Requests', `${digits(rate(status))} /s`],
        ['Errors, 10 min', count(lastErrors(status))],
        ['p50', ms(last(series.p50_ms))],
        ['p99', ms(last(series.p99_ms))],
        ['Under way', `${count(status.waiting)} of ${count(status.most_waiting)}`],
        ['Memory', memory(status)],
        ['Log offset', count(status.store.offset)],
        ['Up for', duration(status.now - status.started)],
      ]} />
      <div class="charts">
        <Chart title="Requests a second" unit="/s" times={times} lines={[
          {name: 'requests', colour: '--accent', values: perSecond(series.requests)},
          {name: 'errors', colour: '--down', values: perSecond(series.errors), dash: true},
        ]} />
        <Chart title="Time to answer, ms" unit="ms" times={times} lines={[
          {name: 'p50', colour: '--accent', values: series.p50_ms},
          {name: 'p99', colour: '--plain', values: series.p99_ms, dash: true},
        ]} />
      </div>
      <h2>Stages</h2>
      <p>{slowest(status)?.text ?? 'No stage has run yet.'}</p>
      <Stages stages={status.stages} worst={slowest(status)?.stage} />
      <h2>Routes</h2>
      <Routes status={status} />
      <h2>Answers that went without something</h2>
      <Degraded kinds={status.degraded} />
      <h2>Bundle</h2>
      <Facts facts={[
        ['Dataset', plain(status.bundle.dataset)],
        ['Items', `${count(status.bundle.items)} + ${count(status.bundle.added_items)} since`],
        ['Users', count(status.bundle.users)],
        ['Slate', count(status.bundle.slate_size)],
        ['Folder', <code>{plain(status.bundle.dir)}</code>],
        ['podium', plain(status.podium)],
      ]} />
    </>
  );
}

function Health({status}: {status: Status}) {
  const found = findings(status);
  if (found.length === 0) return <p class="note good">Healthy: ready, no errors in ten minutes, no answer went without a stage.</p>;
  return (
    <ul class={`note list ${found[0]!.level}`}>
      {found.map((f) => <li key={f.text}>{f.text}</li>)}
    </ul>
  );
}

function Routes({status}: {status: Status}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Routes">
      <table>
        <thead>
          <tr>{['Route', 'Requests', 'Errors', 'Refused', 'p50', 'p99'].map((h) => <th scope="col" key={h}>{h}</th>)}</tr>
        </thead>
        <tbody>
          {status.routes.map((r) => (
            <tr key={r.route}>
              <th scope="row">{plain(r.route)}</th>
              <td>{count(r.count)}</td>
              <td class={r.errors > 0 ? 'down' : ''}>{count(r.errors)}</td>
              <td class={r.refused > 0 ? 'down' : ''}>{count(r.refused)}</td>
              <td>{ms(r.p50_ms)}</td>
              <td>{ms(r.p99_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Degraded({kinds}: {kinds: Record<string, number>}) {
  const list = Object.entries(kinds).sort((a, b) => b[1] - a[1]);
  if (list.length === 0) return <p>None.</p>;
  return <Facts facts={list.map(([kind, n]) => [plain(kind), count(n)])} />;
}
