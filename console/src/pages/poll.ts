// /v1/status every two seconds, while somebody looks.
import {useEffect, useState} from 'preact/hooks';
import {api} from '../api/client';
import {asProblem, type Problem} from '../api/problem';
import type {Status} from '../api/types';

const kEvery = 2000;

export interface Polled { status: Status | null; problem: Problem | null; failing: boolean }

export function useStatus(): Polled {
  const [polled, setPolled] = useState<Polled>({status: null, problem: null, failing: false});
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0, asking = false;
    const ask = async () => {
      clearTimeout(timer);
      if (document.hidden || asking) return;
      asking = true;
      let gone = false;
      try {
        const status = await api.status(abort.signal);
        setPolled({status, problem: null, failing: false});
      } catch (error) {
        if (abort.signal.aborted) return;
        const problem = asProblem(error);
        gone = problem.missing;
        setPolled((was) => ({status: was.status, problem, failing: true}));
      }
      asking = false;
      if (!gone) timer = window.setTimeout(ask, kEvery);
    };
    void ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }, []);
  return polled;
}
