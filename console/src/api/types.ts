// The server's JSON. What podium/serve/openapi.json describes in full is taken from there (`npm run types` writes
// generated/described.d.ts), so that a page which reads another field does not compile. An interface that extends a description
// tells more of it, and does not compile where the two contradict each other.
import type {components, paths} from '../../generated/described';

type Described = components['schemas'];
type DescribedRerank = Described['RerankRequest'];
type DescribedStatus = Described['Status'];
type DescribedItem = Described['ItemStory'];
type DescribedRules = Described['Rules'];
type DescribedPreview = Described['RulesPreview'];

export type RecommendRequest = Described['RecommendRequest'];
export type Whose = Pick<RecommendRequest, 'user' | 'history' | 'times'>;
export type Candidate = string | {item: string; score: number};
export interface RerankRequest extends DescribedRerank { candidates: Candidate[] }
export type AnswerItem = Described['AnswerItem'];
export type Answer = Described['Answer'];
export type ExplainRequest = Described['ExplainRequest'];
export type Claim = Described['Claim'];
export type Explanation = Described['Explanation'];
export type UserEvent = Described['UserEvent'];
export type User = Described['User'];
export type NewItem = Described['Item'];
export type Estimate = Described['Estimate'];
export type Paired = Described['Paired'];
export type BundleAnswers = Described['BundleAnswers'];
export type BundleTrial = Described['BundleTrial'];
export type Bundles = Described['Bundles'];
export type TakenBack = Bundles['taken_back'][number];

export interface ItemName { id: string; title?: string }

export type Series = {
  step_s: number;
  end: number;
  requests: (number | null)[];
  errors: (number | null)[];
  p50_ms: (number | null)[];
  p99_ms: (number | null)[];
};
export type RouteTimes = {
  route: string; count: number; errors: number; refused: number; p50_ms: number | null; p99_ms: number | null;
};
export type StageTimes = {stage: string; count: number; p50_ms: number | null; p99_ms: number | null};
export interface Status extends DescribedStatus {
  bundle: {dir: string; dataset: string; items: number; users: number; slate_size: number; added_items: number};
  store: {offset: number};
  routes: RouteTimes[];
  stages: StageTimes[];
  degraded: Record<string, number>;
  series: Series;
}

export type PrefixItem = NonNullable<DescribedItem['same_prefix']>[number];
export type ScoredItem = ItemName & {score: number};
export interface Item extends DescribedItem { same_prefix: PrefixItem[]; similar: ScoredItem[] }

export type MapAnswer = paths['/v1/map']['get']['responses'][200]['content']['application/json'];
export type MapPoint = MapAnswer['items'][number];

export interface Rules extends DescribedRules { rules: {name: string; kind: string; reason: string}[] }
export type RuleDifference = {
  user: string;
  before: string[];
  after: string[];
  removed: {item: string; rule: string; reason: string}[];
  unmet: {rule: string; why: string}[];
};
export interface RulesPreview extends DescribedPreview { differences: RuleDifference[] }
