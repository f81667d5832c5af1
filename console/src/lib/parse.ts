// What people type into the console's fields.
import type {Candidate} from '../api/types';

// Ids by line, comma or space.
export const ids = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export interface Candidates { list: Candidate[]; problem?: string }

// One a line: "id" or "id score". The server's own rules are told before it is asked.
export function candidates(text: string): Candidates {
  const rows = text.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => line.split(/[\s,]+/));
  const bad = rows.find((row) => row.length > 2 || (row.length === 2 && !isNumber(row[1]!)));
  if (bad) return {list: [], problem: `“${bad.join(' ')}” is no id, nor an id and a score`};
  const scored = rows.filter((row) => row.length === 2).length;
  if (scored > 0 && scored < rows.length) return {list: [], problem: 'either all have a score or none'};
  const seen = new Set<string>();
  for (const [id] of rows) {
    if (seen.has(id!)) return {list: [], problem: `${id} is there twice`};
    seen.add(id!);
  }
  if (rows.length < 2 || rows.length > 100) return {list: [], problem: 'give 2 to 100 candidates'};
  return {list: rows.map(([id, score]) => (score === undefined ? id! : {item: id!, score: Number(score)}))};
}

const isNumber = (text: string): boolean => text !== '' && Number.isFinite(Number(text));

export const idOf = (candidate: Candidate): string => (typeof candidate === 'string' ? candidate : candidate.item);

export const lines = (list: Candidate[]): string =>
  list.map((c) => (typeof c === 'string' ? c : `${c.item} ${c.score}`)).join('\n');

// The line that a complaint about a text names.
export function lineIn(detail: string): number | null {
  const found = /\bline (\d+)/i.exec(detail);
  return found ? Number(found[1]) : null;
}

// Where a line of a text begins and ends.
export function lineSpan(text: string, line: number): [number, number] {
  const all = text.split('\n');
  const at = Math.min(Math.max(1, line), all.length);
  const start = all.slice(0, at - 1).reduce((sum, l) => sum + l.length + 1, 0);
  return [start, start + all[at - 1]!.length];
}
