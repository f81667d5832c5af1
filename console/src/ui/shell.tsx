// Header, help, key: what stands around every page.
import {useState} from 'preact/hooks';
import {answerKey, apiKey, askForKey, asking, forgetKey} from '../api/key';
import {helpOpen, keysOn, setKeys, shortcuts} from '../keys';
import {href, pages, route, type PageName} from '../route';
import {nextTheme, theme} from '../theme';
import {Dialog} from './parts';
import {Search} from './search';

export const names: Record<PageName, string> = {
  live: 'Live', user: 'User', item: 'Item', slate: 'Slate lab', bundles: 'Bundles', rules: 'Rules', map: 'Map',
};

const colours = {system: 'Auto', light: 'Light', dark: 'Dark'};

export function Header() {
  return (
    <header>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.querySelector<HTMLElement>('h1')?.focus();
      }}>To the content</a>
      <a class="brand" href={href('live')}>podium</a>
      <nav aria-label="Pages">
        {pages.map((page) => (
          <a key={page} href={href(page)} aria-current={route.value.page === page ? 'page' : undefined}>{names[page]}</a>
        ))}
      </nav>
      <Search />
      <div class="tools">
        <button type="button" onClick={() => void changeKey()}>Key</button>
        <button type="button" onClick={nextTheme} aria-label={`${colours[theme.value]} colours`}>{colours[theme.value]}</button>
        <button type="button" onClick={() => (helpOpen.value = true)} aria-label="Help: shortcuts">?</button>
      </div>
    </header>
  );
}

// What stands on the page was answered for the key before.
async function changeKey() {
  if (await askForKey('person')) location.reload();
}

export function Help() {
  if (!helpOpen.value) return null;
  return (
    <Dialog title="Shortcuts" onClose={() => (helpOpen.value = false)}>
      <table class="keys">
        <tbody>
          {shortcuts.map(([key, what]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{what}</td></tr>)}
        </tbody>
      </table>
      <label class="check">
        <input type="checkbox" checked={keysOn.value} onChange={(e) => setKeys(e.currentTarget.checked)} />
        Shortcuts of one key are on
      </label>
      <div class="row"><button type="button" onClick={() => (helpOpen.value = false)}>Close</button></div>
    </Dialog>
  );
}

export function KeyDialog() {
  const [key, setKey] = useState('');
  if (!asking.value) return null;
  const close = (given: string | null) => {
    setKey('');
    answerKey(given);
  };
  return (
    <Dialog title="API key" onClose={() => close(null)}>
      <form onSubmit={(event) => {
        event.preventDefault();
        close(key.trim() || null);
      }}>
        {asking.value === 'server' && <p>{apiKey() ? 'The server refused the key that it was given.' : 'The server wants a key.'}</p>}
        <p>The key stays in this tab, and goes when the tab is closed.</p>
        <label>Key
          <input type="password" autocomplete="off" value={key} onInput={(e) => setKey(e.currentTarget.value)} />
        </label>
        <div class="row">
          <button type="submit" class="strong">Use it</button>
          <button type="button" onClick={() => close(null)}>Cancel</button>
          {apiKey() && <button type="button" onClick={() => {
            forgetKey();
            close(null);
          }}>Forget the key</button>}
        </div>
      </form>
    </Dialog>
  );
}
