// The mock's answers are those that the server describes, and a request that it would refuse is refused.
import {expect, it} from 'vitest';
import {faults} from './described.mjs';
import {mockServer} from './server.mjs';

it('a body is held against the description', () => {
  expect(faults('POST', '/v1/bundles/activate', 'request', {dir: 'out/ml2/bundle', force: true})).toBe('');
  expect(faults('POST', '/v1/bundles/activate', 'request', {dir: 'x', force: 1})).toMatch(/force must be boolean/);
  expect(faults('POST', '/v1/explain', 'request', {user: '196', explain: true})).toMatch(/additional properties/);
  const bundles = {active: 'a', bundles: [{dir: 'a', active: true, since: 1}], can_roll_back: false, taken_back: []};
  expect(faults('GET', '/v1/bundles', 'answer', bundles)).toBe('');
  expect(faults('GET', '/v1/bundles', 'answer', {...bundles, taken_back: undefined})).toMatch(/taken_back/);
  expect(faults('GET', '/v1/users/a b', 'answer', {user: 'a b'})).toMatch(/erased/);
  expect(faults('GET', '/v1/nothing', 'answer', {})).toBe('GET /v1/nothing is not described');
});

it('what the mock answers is described', async () => {
  const {server} = mockServer({items: 3000});
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const ask = async ([method, path, body]) => {
    const reply = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {method, body: body && JSON.stringify(body)});
    return reply.ok ? reply.status : `${method} ${path}: ${await reply.text()}`;
  };
  const calls = [
    ['GET', '/v1/status'], ['POST', '/v1/recommend', {user: '13', k: 100, explain: true}], ['POST', '/v1/recommend', {history: []}],
    ['POST', '/v1/rerank', {user: '196', candidates: ['1', '2', 'unknown']}], ['POST', '/v1/similar', {item: '6'}],
    ['POST', '/v1/explain', {user: '196', items: ['1', '6', '8', 'unknown']}], ['POST', '/v1/explain', {user: '22', k: 3, reasons: 10}],
    ['POST', '/v1/events', {events: [{user: '1', item: '2'}]}], ['GET', '/v1/users/1'], ['GET', '/v1/items?query=go'],
    ['PUT', '/v1/items/x', {title: 'X', price: 3}], ['GET', '/v1/items/x'], ['GET', '/v1/items/6'], ['GET', '/v1/map?limit=2000'],
    ['POST', '/v1/bundles/evaluate', {dir: '/srv/podium/2026-11-27'}], ['POST', '/v1/bundles/evaluate', {dir: '/srv/podium/broken'}],
    ['POST', '/v1/bundles/activate', {dir: '/srv/podium/broken', force: true}], ['GET', '/v1/bundles'], ['POST', '/v1/bundles/roll-back', {}],
    ['GET', '/v1/rules'], ['POST', '/v1/rules/preview', {toml: '# none', requests: 100}], ['PUT', '/v1/rules', {toml: '# none'}],
  ];
  for (const call of calls) expect(await ask(call)).toBe(200);
  expect(await ask(['POST', '/v1/recommend', {usr: '1'}])).toMatch(/"status":400/);
  server.close();
});
