// A bundle beside the active one, as the server compared them.
import type {BundleAnswers, BundleTrial, Paired} from '../api/types';
import {count, digits, plain, plural} from '../lib/format';
import {interval, placeOn, share, sides, signed, verdict} from '../lib/trial';
import {Facts} from '../ui/parts';

const kArrows = {better: '▲', worse: '▼', 'too close to say': ''};
const kClasses = {better: 'up', worse: 'down', 'too close to say': ''};

export function TrialView({trial, busy, onActivate}: {trial: BundleTrial; busy: boolean; onActivate: () => void}) {
  const against = trial.objections;
  return (
    <section aria-label="Compared">
      <h2>{plain(trial.candidate)} beside the active one</h2>
      {against.length === 0 ? <p class="note good" role="status">Nothing speaks against it: it may be activated.</p> : (
        <div class="note bad" role="status">
          <strong>It would be refused.</strong>
          <ul>{against.map((text) => <li key={text}>{plain(text)}</li>)}</ul>
        </div>
      )}
      <Foreseen trial={trial} />
      <h3>What both answered</h3>
      <Sides trial={trial} />
      <h3>How far the answers differ</h3>
      <p>Of the first ten items of both. A large difference is neither good nor bad; it says how much users will notice.</p>
      <Facts facts={[
        ['Items in common', trial.overlap === null ? '–' : share(trial.overlap, 1)],
        ['The same item first', trial.same_first === null ? '–' : share(trial.same_first, 1)],
        ['A common item moves', trial.rank_change === null ? '–' : `${digits(trial.rank_change)} places`],
        ['Time, new to old', trial.latency_ratio === null ? '–' : `${digits(trial.latency_ratio)} times`],
      ]} />
      <button type="button" class={against.length === 0 ? 'strong' : ''} disabled={busy} onClick={onActivate}>
        {against.length === 0 ? 'Activate it' : 'Activate it nevertheless …'}</button>
    </section>
  );
}

// The paired differences against zero; the figures for who asks.
function Foreseen({trial}: {trial: BundleTrial}) {
  const {foreseen} = trial;
  if (!foreseen) {
    return <p class="note">Which one foresees more cannot be said: the log has no event after what both were trained on.</p>;
  }
  const metrics: [string, Paired][] = [['N@10', foreseen['N@10']], ['R@10', foreseen['R@10']]];
  const at = placeOn(metrics.map(([, of]) => of.difference));
  const x = (value: number) => at(value).toFixed(2);
  return (
    <>
      <h3>Does it foresee more?</h3>
      <p>{plural(foreseen.events, 'event')} of {plural(foreseen.users, 'user')} that neither was trained on. The dot is the
        difference, the line its interval of 95 %. Dashed is zero: an interval to the right of it says better, to the left worse.</p>
      <div class="bars trial">
        {metrics.map(([name, {difference}]) => {
          const said = verdict(difference);
          return (
            <div class={`bar ${kClasses[said]}`} key={name}>
              <span class="name">{name}</span>
              <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                <path class="rail" d="M0 5H100" />
                <path class="zero" d={`M${x(0)} -4V14`} />
                <path class="range" d={`M${x(difference.low)} 5H${x(difference.high)}`} />
                <path class="dot" d={`M${x(difference.value)} 5h.01`} />
              </svg>
              <span class="num"><span class={kClasses[said]}>{kArrows[said]} {said}</span></span>
            </div>
          );
        })}
      </div>
      <details>
        <summary>The figures</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="Figures">
          <table>
            <thead><tr><th scope="col">Metric</th><th scope="col">Active</th><th scope="col">New</th>
              <th scope="col">Difference <small>its 95 %</small></th></tr></thead>
            <tbody>
              {metrics.map(([name, {active, candidate, difference}]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{active.value.toFixed(4)}</td><td>{candidate.value.toFixed(4)}</td><td>{signed(difference.value)} <small>{interval(difference)}</small></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p>Paired over users. p of N@10: {foreseen.p < 0.001 ? 'below 0.001' : foreseen.p.toFixed(3)}.</p>
      </details>
    </>
  );
}

function Sides({trial}: {trial: BundleTrial}) {
  const {of_active: active, of_candidate: candidate, questions, planned} = trial;
  return (
    <>
      <p>{plural(questions, 'question')}, each asked of both
        {questions < planned && `; ${count(planned)} were planned, and the time was over`}.</p>
      <div class="scroll" tabIndex={0} role="region" aria-label="What both answered">
        <table>
          <thead><tr><th scope="col">What</th><th scope="col">Active</th><th scope="col">New</th></tr></thead>
          <tbody>
            {sides(active, candidate, questions).map(([what, now, next]) => (
              <tr key={what}><th scope="row">{what}</th><td>{now}</td><td>{next}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      <Wrong name="The active one" side={active} />
      <Wrong name="The new one" side={candidate} />
    </>
  );
}

function Wrong({name, side}: {name: string; side: BundleAnswers}) {
  const without = Object.entries(side.went_without);
  return (
    <>
      {side.failure && <p class="note bad">{name} failed first with: {plain(side.failure)}</p>}
      {without.length > 0 && (
        <p class="dim">{name} went without: {without.map(([what, times]) => `${plain(what)} (${count(times)})`).join(', ')}.</p>
      )}
    </>
  );
}
