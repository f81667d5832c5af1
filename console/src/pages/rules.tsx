import {signal} from '@preact/signals';
import {useEffect, useRef, useState} from 'preact/hooks';
import {api} from '../api/client';
import type {Problem} from '../api/problem';
import type {Rules, RulesPreview} from '../api/types';
import {plain, plural} from '../lib/format';
import {lineIn, lineSpan} from '../lib/parse';
import {useAction, useLoad} from '../ui/load';
import {Confirm, PageHead, Trouble, Waiting} from '../ui/parts';
import {Differences} from './rules_preview';

const kRequests = 100;
// What somebody wrote and has not saved outlives a look at another page.
const draft = signal<string | null>(null);

export function RulesPage() {
  const loaded = useLoad<Rules>((signal) => api.rules(signal), []);
  return (
    <>
      <PageHead title="Rules" question="What will this rule break?" />
      <Waiting loaded={loaded} what="rules" />
      {loaded.data && <Editor rules={loaded.data} onSaved={loaded.reload} />}
    </>
  );
}

function Editor({rules, onSaved}: {rules: Rules; onSaved: () => void}) {
  const [preview, setPreview] = useState<{toml: string; seen: RulesPreview} | null>(null);
  const [asked, setAsked] = useState(false);
  const [saved, setSaved] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const action = useAction();
  const toml = draft.value ?? rules.toml;
  const edited = toml !== rules.toml;
  const fresh = preview?.toml === toml ? preview.seen : null;
  useEffect(() => {
    if (!edited) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [edited]);
  const look = () => action.run(async () => {
    setSaved(false);
    setPreview({toml, seen: await api.previewRules(toml, kRequests)});
  });
  const save = () => action.run(async () => {
    setAsked(false);
    await api.saveRules(toml);
    draft.value = null;
    setSaved(true);
    onSaved();
  });
  return (
    <>
      <p class="dim">{rules.file ? <>They are kept in <code>{plain(rules.file)}</code>. </> : null}
        {plural(rules.rules.length, 'rule')} in force.</p>
      {rules.rules.length > 0 && (
        <ul class="events">
          {rules.rules.map((r, i) => <li key={i}>{plain(r.name)} <small>{plain(r.kind)}</small> <span class="dim">{plain(r.reason)}</span></li>)}
        </ul>
      )}
      <label>Rules, in TOML
        <textarea ref={area} class="code" rows={14} spellcheck={false} wrap="off" value={toml}
                  onInput={(e) => (draft.value = e.currentTarget.value)} />
      </label>
      <div class="row">
        <button type="button" class="strong" disabled={action.busy} onClick={() => void look()}>
          Try them on the last {kRequests} requests</button>
        <button type="button" disabled={!edited || action.busy} onClick={() => setAsked(true)}>Save</button>
        <button type="button" disabled={!edited} onClick={() => (draft.value = null)}>Undo all edits</button>
        <span class="dim" role="status">{saved && !edited ? 'Saved: in force now.' : edited ? 'Not saved.' : ''}</span>
      </div>
      <Trouble problem={action.problem} what="a preview of rules" />
      <Jump problem={action.problem} text={toml} area={area.current} />
      {preview && !fresh && <p class="note warn">The text has changed since this preview.</p>}
      {preview && <Differences preview={preview.seen} />}
      {asked && (
        <Confirm title="Put these rules in force?" yes="Save" onYes={() => void save()} onNo={() => setAsked(false)}>
          <p>{fresh ? `They change ${fresh.changed} of the last ${plural(fresh.requests, 'request')}.`
                    : 'This text was not tried yet: nobody knows what it changes.'}</p>
        </Confirm>
      )}
    </>
  );
}

function Jump({problem, text, area}: {problem: Problem | null; text: string; area: HTMLTextAreaElement | null}) {
  const line = problem && lineIn(problem.detail);
  if (!line || !area) return null;
  return <button type="button" onClick={() => {
    area.focus();
    area.setSelectionRange(...lineSpan(text, line));
  }}>Go to line {line}</button>;
}
