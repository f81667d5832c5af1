// Reasons that the data prove, as the server tells them.
import type {Claim, Explanation} from '../api/types';
import {count, plain, plural} from './format';

// A claim without its sentence is of a server that tells less: its kind says more than nothing.
export const sentence = (claim: Claim): string => plain(claim.text ?? claim.kind ?? claim.item);

export function summary({items, dropped}: Explanation): string {
  const reasons = items.reduce((sum, item) => sum + item.reasons.length, 0);
  const explained = items.filter((item) => item.reasons.length > 0).length;
  const left = dropped === 0 ? '' : ` ${count(dropped)} more could not be proved, and ${dropped === 1 ? 'is' : 'are'} not told.`;
  return `${plural(reasons, 'reason')} proved, for ${count(explained)} of ${plural(items.length, 'item')}.${left}`;
}
