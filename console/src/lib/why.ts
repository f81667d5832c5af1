// Why an item does not stand in somebody's list.
import type {Answer, User} from '../api/types';

export interface Place { rank: number | null; upstream?: number; sources?: string[]; reasons?: string[] }

export function placeIn(answer: Answer, item: string): Place {
  const rank = answer.items.findIndex((i) => i.id === item);
  if (rank < 0) return {rank: null};
  const found = answer.items[rank]!;
  return {rank, upstream: found.upstream_rank, sources: found.sources, reasons: found.reasons};
}

// shown: how many she gets. tried: the order of those and the item, where it was put among them.
export function whyNot(place: Place, item: string, user: User | null, shown: number, tried: Answer | null): string {
  if (place.rank !== null && place.rank < shown) return 'She gets it.';
  const had = user && [...(user.trained ?? []), ...user.events].some((event) => event.item === item);
  if (had) return 'She has had it already.';
  if (place.rank !== null && place.upstream !== undefined && place.upstream < shown) {
    return `It stood at ${place.upstream + 1}, and the policy moved it down.`;
  }
  if (place.rank !== null) return `It was found, but ${place.rank} stand before it: ranking holds it back.`;
  const rank = tried ? tried.items.findIndex((i) => i.id === item) : -1;
  if (rank < 0) return 'No source found it for her.';
  const hers = tried!.items.length - 1;
  if (rank >= hers) return `No source found it for her. Put among her first ${hers} by hand, it comes last.`;
  return `No source found it for her. Put among her first ${hers} by hand, it comes at ${rank + 1}: retrieval misses it.`;
}
