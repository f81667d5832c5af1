// The server's JSON, as docs/serving.md tells it. A field that a server may leave out is optional.

export interface ItemName { id: string; title?: string }

export interface Series {
  step_s: number;
  end: number;
  requests: (number | null)[];
  errors: (number | null)[];
  p50_ms: (number | null)[];
  p99_ms: (number | null)[];
}
export interface RouteTimes {
  route: string; count: number; errors: number; refused: number; p50_ms: number | null; p99_ms: number | null;
}
export interface StageTimes { stage: string; count: number; p50_ms: number | null; p99_ms: number | null }
export interface Status {
  podium: string;
  started: number;
  now: number;
  ready: boolean;
  bundle: {dir: string; dataset: string; items: number; users: number; slate_size: number; added_items: number};
  store: {offset: number};
  waiting: number;
  most_waiting: number;
  rss_bytes: number;
  routes: RouteTimes[];
  stages: StageTimes[];
  degraded: Record<string, number>;
  series: Series;
}

export interface AnswerItem extends ItemName {
  score?: number;
  upstream_rank: number;
  sources?: string[];
  reasons?: string[];
  rules?: string[];
  label?: string;
  known?: boolean;
}
export interface Answer {
  id?: string;
  items: AnswerItem[];
  explanation?: string;
  degraded?: string[];
  history: number;
  new_user?: boolean;
  unknown_history?: number;
  unknown_candidates?: number;
  took_ms: {retrieval: number; ranking: number; policy: number};
}
export interface Whose { user?: string; history?: string[]; times?: number[] }
export interface RecommendRequest extends Whose { time?: number; k?: number; explain?: boolean; deadline_ms?: number }
export type Candidate = string | {item: string; score: number};
export interface RerankRequest extends Whose { candidates: Candidate[]; explain?: boolean }

export interface ExplainRequest extends Whose {
  items?: string[]; k?: number; reasons?: number; trace?: boolean; deadline_ms?: number;
}
export interface Claim {
  kind?: string; item: string; other?: string; count?: number; category?: string; brand?: string; words?: string[]; date?: string;
  price?: number; low?: number; high?: number; text?: string; from?: 'trace' | 'evidence';
}
export interface Explanation {
  id?: string;
  items: {id: string; title?: string; known?: boolean; reasons: Claim[]}[];
  explanation?: string;
  dropped: number;
  degraded?: string[];
}

export interface UserEvent { item: string; title?: string; time: number }
export interface User {
  user: string; erased: boolean; known?: boolean; trained?: UserEvent[]; events: UserEvent[];
}

export interface ScoredItem extends ItemName { score: number }
export interface PrefixItem extends ItemName { semantic_id: number[]; common: number }
export interface Item extends ItemName {
  brand?: string;
  description?: string;
  categories?: string[];
  price?: number;
  origin: 'trained' | 'live';
  events: number;
  semantic_id: number[];
  same_prefix: PrefixItem[];
  similar: ScoredItem[];
}
export interface NewItem { title?: string; brand?: string; description?: string; categories?: string[]; price?: number }

export interface MapPoint extends ItemName { x: number; y: number; semantic_id: number[] }
export interface MapAnswer { items: MapPoint[]; of: number }

export interface BundleInfo { dir: string; active: boolean; since: number; dataset?: string; items?: number }
export interface TakenBack { dir: string; at: number; why: string }
export interface Bundles { active: string; bundles: BundleInfo[]; can_roll_back: boolean; taken_back: TakenBack[] }
export interface Estimate { value: number; low: number; high: number }
export interface Paired { active: Estimate; candidate: Estimate; difference: Estimate }
export interface BundleAnswers {
  failed: number; failure?: string; degraded: number; went_without: Record<string, number>;
  p50_ms: number | null; p99_ms: number | null; items: number; shown: number; history: number; unknown: number;
}
export interface BundleTrial {
  active: string;
  candidate: string;
  questions: number;
  planned: number;
  of_active: BundleAnswers;
  of_candidate: BundleAnswers;
  overlap: number | null;
  same_first: number | null;
  rank_change: number | null;
  latency_ratio: number | null;
  foreseen: {events: number; users: number; p: number; 'R@10': Paired; 'N@10': Paired} | null;
  objections: string[];
}

export interface Rules { file?: string; toml: string; rules: {name: string; kind: string; reason: string}[] }
export interface RuleDifference {
  user: string;
  before: string[];
  after: string[];
  removed: {item: string; rule: string; reason: string}[];
  unmet: {rule: string; why: string}[];
}
export interface RulesPreview { requests: number; changed: number; differences: RuleDifference[] }
