// The server's calls. Each throws a Problem, or AbortError when its signal says so.
import {apiKey, askForKey} from './key';
import {Problem, problemOf} from './problem';
import type * as T from './types';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

async function send(method: Method, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {Accept: 'application/json'};
  const key = apiKey();
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, {
      method, headers, signal, cache: 'no-store', body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, 'No answer', 'the server did not answer', 'is podium serve running, and can it be reached?');
  }
}

async function call<R>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<R> {
  let reply = await send(method, path, body, signal);
  if (reply.status === 401 && (await askForKey('server'))) reply = await send(method, path, body, signal);
  const text = await reply.text();
  if (!reply.ok) throw problemOf(reply.status, text);
  try {
    return (text ? JSON.parse(text) : undefined) as R;
  } catch {
    throw new Problem(reply.status, 'Not JSON', 'the answer is no JSON', 'does this address lead to podium serve?');
  }
}

const part = encodeURIComponent;

export const api = {
  status: (signal?: AbortSignal) => call<T.Status>('GET', '/v1/status', undefined, signal),
  recommend: (request: T.RecommendRequest, signal?: AbortSignal) =>
    call<T.Answer>('POST', '/v1/recommend', request, signal),
  rerank: (request: T.RerankRequest, signal?: AbortSignal) => call<T.Answer>('POST', '/v1/rerank', request, signal),
  explain: (request: T.ExplainRequest, signal?: AbortSignal) =>
    call<T.Explanation>('POST', '/v1/explain', request, signal),
  user: (id: string, signal?: AbortSignal) => call<T.User>('GET', `/v1/users/${part(id)}`, undefined, signal),
  items: (query: string, limit: number, signal?: AbortSignal) =>
    call<{items: T.ItemName[]}>('GET', `/v1/items?query=${part(query)}&limit=${limit}`, undefined, signal),
  item: (id: string, signal?: AbortSignal) => call<T.Item>('GET', `/v1/items/${part(id)}`, undefined, signal),
  putItem: (id: string, item: T.NewItem) => call<void>('PUT', `/v1/items/${part(id)}`, item),
  removeItem: (id: string) => call<void>('DELETE', `/v1/items/${part(id)}`),
  map: (limit: number, signal?: AbortSignal) => call<T.MapAnswer>('GET', `/v1/map?limit=${limit}`, undefined, signal),
  bundles: (signal?: AbortSignal) => call<T.Bundles>('GET', '/v1/bundles', undefined, signal),
  evaluateBundle: (dir: string) => call<T.BundleTrial>('POST', '/v1/bundles/evaluate', {dir}),
  activate: (dir: string, force: boolean) => call<T.Bundles>('POST', '/v1/bundles/activate', force ? {dir, force} : {dir}),
  rollBack: () => call<T.Bundles>('POST', '/v1/bundles/roll-back', {}),
  rules: (signal?: AbortSignal) => call<T.Rules>('GET', '/v1/rules', undefined, signal),
  saveRules: (toml: string) => call<T.Rules>('PUT', '/v1/rules', {toml}),
  previewRules: (toml: string, requests: number) =>
    call<T.RulesPreview>('POST', '/v1/rules/preview', {toml, requests}),
};
