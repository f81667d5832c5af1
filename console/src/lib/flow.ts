// Where the lines and labels of a rank flow stand: sources, upstream rank, final rank.
import type {AnswerItem} from '../api/types';

export interface FlowNode { key: string; text: string; x: number; y: number }
export interface FlowLine { item: string; kind: 'source' | 'up' | 'down' | 'same'; path: string }
export interface Flow { width: number; height: number; heads: FlowNode[]; nodes: FlowNode[]; titles: FlowNode[]; lines: FlowLine[] }

const kRow = 30, kTop = 38, kNumber = 20, kHalfHead = 32;

function curve(x0: number, y0: number, x1: number, y1: number): string {
  const middle = (x0 + x1) / 2;
  return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
}

// Spread evenly over the rows.
const yOf = (index: number, of: number, rows: number): number =>
  kTop + kRow * ((index + 0.5) * (rows / Math.max(1, of)));

// width: of the drawing, in px. Titles stand at the right where there is room.
export function layFlow(items: readonly AnswerItem[], width: number): Flow {
  const rows = Math.max(1, items.length);
  const sources = [...new Set(items.flatMap((item) => item.sources ?? []))].sort();
  const wide = width >= 560;
  const left = Math.min(104, width * 0.27);
  const right = wide ? width - Math.min(280, width * 0.36) : width - kNumber;
  const middle = sources.length > 0 ? left + (right - left) * 0.5 : kHalfHead;

  const nodes: FlowNode[] = [], titles: FlowNode[] = [], lines: FlowLine[] = [];
  const heads: FlowNode[] = [{key: 'upstream', text: 'upstream', x: middle, y: 16}, {key: 'final', text: 'final', x: right, y: 16}];
  if (sources.length > 0) heads.unshift({key: 'source', text: 'found by', x: left, y: 16});

  const sourceY = new Map(sources.map((name, i) => [name, yOf(i, sources.length, rows)]));
  for (const [name, y] of sourceY) nodes.push({key: `s:${name}`, text: name, x: left, y});
  const upstream = [...items].sort((a, b) => a.upstream_rank - b.upstream_rank);
  const upstreamY = new Map(upstream.map((item, i) => [item.id, yOf(i, items.length, rows)]));

  items.forEach((item, rank) => {
    const y = yOf(rank, items.length, rows), from = upstreamY.get(item.id)!;
    const kind = item.upstream_rank === rank ? 'same' : item.upstream_rank > rank ? 'up' : 'down';
    for (const source of item.sources ?? []) {
      lines.push({item: item.id, kind: 'source', path: curve(left + 6, sourceY.get(source)!, middle - kNumber, from)});
    }
    lines.push({item: item.id, kind, path: curve(middle + kNumber, from, right - kNumber, y)});
    nodes.push({key: `u:${item.id}`, text: String(item.upstream_rank + 1), x: middle, y: from});
    nodes.push({key: `f:${item.id}`, text: String(rank + 1), x: right, y});
    if (wide) titles.push({key: item.id, text: item.title || item.id, x: right + kNumber, y});
  });
  return {width, height: kTop + kRow * rows + 8, heads, nodes, titles, lines};
}

export function flowSummary(items: readonly AnswerItem[]): string {
  const up = items.filter((item, rank) => item.upstream_rank > rank).length;
  const down = items.filter((item, rank) => item.upstream_rank < rank).length;
  return `${items.length} items: the policy moved ${up} up and ${down} down, and left ${items.length - up - down} in place.`;
}
