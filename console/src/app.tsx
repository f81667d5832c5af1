import type {ComponentType} from 'preact';
import {useLayoutEffect, useRef} from 'preact/hooks';
import {BundlesPage} from './pages/bundles';
import {ItemPage} from './pages/item';
import {LivePage} from './pages/live';
import {MapPage} from './pages/map';
import {RulesPage} from './pages/rules';
import {SlatePage} from './pages/slate';
import {UserPage} from './pages/user';
import {route, type PageName} from './route';
import {Header, Help, KeyDialog} from './ui/shell';

const bodies: Record<PageName, ComponentType> = {
  live: LivePage, user: UserPage, item: ItemPage, slate: SlatePage, bundles: BundlesPage, rules: RulesPage, map: MapPage,
};

export function App() {
  const {page} = route.value;
  const first = useRef(true);
  // Before the page is painted, so that a key pressed at once meets the new focus.
  useLayoutEffect(() => {
    if (!first.current) document.querySelector<HTMLElement>('h1')?.focus();
    first.current = false;
  }, [page]);
  const Body = bodies[page];
  return (
    <>
      <Header />
      <main id="main"><Body key={page} /></main>
      <Help />
      <KeyDialog />
    </>
  );
}
