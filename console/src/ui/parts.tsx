// Small parts that every page is made of.
import type {ComponentChildren} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';
import type {Problem} from '../api/problem';
import {named, plain} from '../lib/format';
import {href} from '../route';
import type {Loaded} from './load';

export function PageHead({title, question}: {title: string; question: string}) {
  useEffect(() => {
    document.title = `${title} – podium`;
  }, [title]);
  return (
    <>
      <h1 tabIndex={-1}>{title}</h1>
      <p class="lead">{question}</p>
    </>
  );
}

export function Trouble({problem, what}: {problem: Problem | null; what?: string}) {
  if (!problem) return null;
  if (problem.missing && what) {
    return <p class="note" role="status">This server does not have {what} yet. A newer podium does.</p>;
  }
  return (
    <div class="note bad" role="alert">
      <strong>{problem.title}.</strong> {plain(problem.detail)}
      {problem.field && <> (field <code>{plain(problem.field)}</code>)</>}
      {problem.cure && <div>{plain(problem.cure)}</div>}
    </div>
  );
}

export function Waiting({loaded, what}: {loaded: Loaded<unknown>; what?: string}) {
  if (loaded.problem) return <Trouble problem={loaded.problem} what={what} />;
  return loaded.busy && !loaded.data ? <p class="dim" role="status">Loading …</p> : null;
}

export function ItemLink({item}: {item: {id: string; title?: string}}) {
  return (
    <a href={href('item', item.id)} class="item">
      <bdi>{named(item)}</bdi>
      {item.title && <small> {plain(item.id)}</small>}
    </a>
  );
}

export const UserLink = ({user}: {user: string}) => <a href={href('user', user)}><bdi>{plain(user)}</bdi></a>;

export function Facts({facts}: {facts: [string, ComponentChildren][]}) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Codes({codes}: {codes: number[]}) {
  return <span class="codes">{codes.map((code, i) => <code key={i}>{code}</code>)}</span>;
}

export function Tags({list}: {list?: string[]}) {
  return <>{list?.map((text) => <span class="tag" key={text}>{plain(text)}</span>)}</>;
}

export function Copy({text, children}: {text: string; children: ComponentChildren}) {
  const [told, setTold] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setTold('Copied');
    } catch {
      setTold('The browser does not allow copying here');
    }
  };
  return (
    <>
      <button type="button" onClick={copy}>{children}</button>
      <span class="dim" role="status">{told}</span>
    </>
  );
}

// Modal; closes by Esc, and gives the focus back to where it was.
export function Dialog({title, onClose, children}: {title: string; onClose: () => void; children: ComponentChildren}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!, before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} aria-label={title} onCancel={(event) => {
      event.preventDefault();
      onClose();
    }}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

// careful: Enter cancels, so that it takes a deliberate step.
export function Confirm({title, yes, careful = false, onYes, onNo, children}: {
  title: string; yes: string; careful?: boolean; onYes: () => void; onNo: () => void; children: ComponentChildren;
}) {
  return (
    <Dialog title={title} onClose={onNo}>
      {children}
      <div class="row">
        <button type="button" class={careful ? '' : 'strong'} onClick={onYes}>{yes}</button>
        <button type="button" autofocus={careful} onClick={onNo}>Cancel</button>
      </div>
    </Dialog>
  );
}
