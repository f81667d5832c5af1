// Orders compared: two of them, and many.

export interface Move { id: string; before: number | null; after: number | null }  // ranks from 0

// By the order after; then what left, in the order before.
export function moves(before: readonly string[], after: readonly string[]): Move[] {
  const was = new Map(before.map((id, rank) => [id, rank]));
  const is = new Set(after);
  return [
    ...after.map((id, rank) => ({id, before: was.get(id) ?? null, after: rank})),
    ...before.filter((id) => !is.has(id)).map((id) => ({id, before: was.get(id)!, after: null})),
  ];
}

// Of the items in both, without what only moves up because another left.
export function reordered(before: readonly string[], after: readonly string[]): Move[] {
  const was = new Set(before), is = new Set(after);
  return changed(moves(before.filter((id) => is.has(id)), after.filter((id) => was.has(id))));
}

export const changed = (list: readonly Move[]): Move[] => list.filter((move) => move.before !== move.after);

export function told(move: Move): string {
  if (move.before === null) return `new at ${move.after! + 1}`;
  if (move.after === null) return `left, was ${move.before + 1}`;
  if (move.before === move.after) return 'same';
  const by = move.before - move.after;
  return by > 0 ? `up ${by}, from ${move.before + 1}` : `down ${-by}, from ${move.before + 1}`;
}

export interface Spread { id: string; ranks: number[]; low: number; high: number; mean: number }

// Of each item over several orders of the same items, by mean rank.
export function spreads(orders: readonly (readonly string[])[]): Spread[] {
  const ranks = new Map<string, number[]>();
  for (const order of orders) {
    order.forEach((id, rank) => {
      const list = ranks.get(id) ?? [];
      list.push(rank);
      ranks.set(id, list);
    });
  }
  return [...ranks].map(([id, list]) => ({
    id, ranks: list, low: Math.min(...list), high: Math.max(...list),
    mean: list.reduce((a, b) => a + b, 0) / list.length,
  })).sort((a, b) => a.mean - b.mean || (a.id < b.id ? -1 : 1));
}

export interface Steadiness { runs: number; items: number; moved: number; largest: number; firsts: number }

export function steadiness(list: readonly Spread[], runs: number): Steadiness {
  return {
    runs, items: list.length,
    moved: list.filter((s) => s.high > s.low).length,
    largest: Math.max(0, ...list.map((s) => s.high - s.low)),
    firsts: list.filter((s) => s.low === 0).length,
  };
}
