// Why she got it, as far as the data prove it.
import {api} from '../api/client';
import type {Answer, Claim, Explanation} from '../api/types';
import {plain} from '../lib/format';
import {sentence, summary} from '../lib/reasons';
import {href} from '../route';
import {useLoad, type Loaded} from '../ui/load';
import {Waiting} from '../ui/parts';

// Of the items as they were answered, so that both lists are the same.
export function useReasons(user: string, answer: Answer | null): Loaded<Explanation> {
  const items = answer?.items.map((item) => item.id) ?? [];
  return useLoad(items.length === 0 ? null : (signal) => api.explain({user, items}, signal), [user, items.join('\n')]);
}

export function ReasonsNote({loaded}: {loaded: Loaded<Explanation>}) {
  const {data} = loaded;
  return (
    <>
      <Waiting loaded={loaded} what="reasons that are proved" />
      {data && <p class="dim" role="status">{summary(data)}
        {data.degraded && ` The explanation went without: ${plain(data.degraded.join(', '))}.`}</p>}
    </>
  );
}

export function Reasons({item, of}: {item: string; of: Explanation | null}) {
  const told = of?.items.find((one) => one.id === item);
  if (!told) return null;
  if (told.reasons.length === 0) return <p class="proof dim">No reason could be proved.</p>;
  return <ul class="proof">{told.reasons.map((claim, i) => <Reason key={i} claim={claim} />)}</ul>;
}

function Reason({claim}: {claim: Claim}) {
  return (
    <li>
      <bdi>{sentence(claim)}</bdi>
      {claim.other !== undefined && <small> <a href={href('item', claim.other)}>item <bdi>{plain(claim.other)}</bdi></a></small>}
      {claim.from === 'trace' && <> <span class="tag">said by the policy</span></>}
    </li>
  );
}
