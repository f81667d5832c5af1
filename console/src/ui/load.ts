// What a page asks of the server: loaded again when what it depends on changes.
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';
import {asProblem, type Problem} from '../api/problem';

export interface Loaded<T> { data: T | null; problem: Problem | null; busy: boolean; reload: () => void }

// load: null when there is nothing to ask for.
export function useLoad<T>(load: ((signal: AbortSignal) => Promise<T>) | null, depends: unknown[]): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({data: null, problem: null, busy: load !== null});
  const [again, setAgain] = useState(0);
  useEffect(() => {
    if (!load) return setState({data: null, problem: null, busy: false});
    const abort = new AbortController();
    setState((was) => ({data: was.data, problem: null, busy: true}));
    load(abort.signal).then(
      (data) => !abort.signal.aborted && setState({data, problem: null, busy: false}),
      (error) => !abort.signal.aborted && setState({data: null, problem: asProblem(error), busy: false}));
    return () => abort.abort();
  }, [...depends, again]);
  const reload = useCallback(() => setAgain((n) => n + 1), []);
  return {...state, reload};
}

export interface Action { run: (job: () => Promise<void>) => Promise<void>; problem: Problem | null; busy: boolean }

// Something done once, by a button.
export function useAction(): Action {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const there = useRef(true);
  useEffect(() => () => {
    there.current = false;
  }, []);
  const run = useCallback(async (job: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await job();
    } catch (error) {
      if (there.current) setProblem(asProblem(error));
    } finally {
      if (there.current) setBusy(false);
    }
  }, []);
  return {run, problem, busy};
}

// The width of an element in px, as it changes.
export function useWidth<E extends Element>(): [{current: E | null}, number] {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watch.observe(ref.current!);
    return () => watch.disconnect();
  }, []);
  return [ref, width];
}
