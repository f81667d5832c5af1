// podium serve's API over a made-up catalogue, and the built console at /console/ with the headers
// that the real server sends.
import {createReadStream, existsSync, statSync} from 'node:fs';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';
import {Admin, status} from './admin.mjs';
import {BundleShelf} from './bundles.mjs';
import {Catalogue} from './catalogue.mjs';
import {faults} from './described.mjs';
import {Engine, Refusal} from './engine.mjs';
import {explain} from './reasons.mjs';

export const kPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
const kTypes = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml'};

function routes(world) {
  const {catalogue, engine, admin, shelf} = world;
  const item = (id) => {
    if (!catalogue.has(id)) throw new Refusal(404, `no item '${id}'`);
    return catalogue.facts(id);
  };
  return [
    ['GET', /^\/v1\/status$/, () => status(world)],
    ['POST', /^\/v1\/recommend$/, ({body}) => engine.recommend(body)],
    ['POST', /^\/v1\/rerank$/, ({body}) => engine.rerank(body)],
    ['POST', /^\/v1\/explain$/, ({body}) => explain(engine, body)],
    ['POST', /^\/v1\/similar$/, ({body}) => ({item: body.item, items: item(body.item).similar.slice(0, body.k)})],
    ['POST', /^\/v1\/events$/, ({body}) => engine.addEvents(body.events)],
    ['GET', /^\/v1\/users\/([^/]+)$/, ({id}) => engine.user(id)],
    ['DELETE', /^\/v1\/users\/([^/]+)$/, ({id}) => void engine.erased.add(id)],
    ['GET', /^\/v1\/items$/, ({query}) => ({items: catalogue.search(query.get('query') ?? '', Number(query.get('limit') ?? 20))})],
    ['GET', /^\/v1\/items\/([^/]+)$/, ({id}) => item(id)],
    ['PUT', /^\/v1\/items\/([^/]+)$/, ({id, body}) => (catalogue.live.set(id, body), {id, offset: ++engine.offset})],
    ['DELETE', /^\/v1\/items\/([^/]+)$/, ({id}) => {
      if (!catalogue.live.delete(id)) throw new Refusal(404, 'no item of this id came after training');
    }],
    ['GET', /^\/v1\/map$/, ({query}) => catalogue.map(Number(query.get('limit') ?? 20000))],
    ['GET', /^\/v1\/bundles$/, () => shelf.list()],
    ['POST', /^\/v1\/bundles\/evaluate$/, ({body}) => shelf.evaluate(body)],
    ['POST', /^\/v1\/bundles\/activate$/, ({body}) => shelf.activate(body)],
    ['POST', /^\/v1\/bundles\/roll-back$/, () => shelf.rollBack()],
    ['GET', /^\/v1\/rules$/, () => admin.rules()],
    ['PUT', /^\/v1\/rules$/, ({body}) => admin.saveRules(body.toml)],
    ['POST', /^\/v1\/rules\/preview$/, ({body}) => admin.preview(body)],
  ];
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    throw new Refusal(400, 'the body is no JSON');
  }
}

function sendFile(dist, path, reply) {
  const file = join(dist, normalize(path.slice('/console/'.length) || 'index.html'));
  if (!file.startsWith(dist) || !existsSync(file) || !statSync(file).isFile()) return reply.writeHead(404).end();
  reply.writeHead(200, {'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': kPolicy,
                        'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer'});
  createReadStream(file).pipe(reply);
}

// items: the catalogue's size.  key: asked for, if any.  troubled: status tells of trouble.
// absent: a pattern of paths that this server does not have.
export function mockServer({items = 20000, key = '', troubled = false, absent = null, dist = ''} = {}) {
  const catalogue = new Catalogue(items), engine = new Engine(catalogue);
  const world = {catalogue, engine, admin: new Admin(engine), shelf: new BundleShelf(), started: Math.floor(Date.now() / 1000) - 93784, troubled};
  const table = routes(world);
  const seen = [];

  const answer = async (request, url) => {
    if (key && request.headers.authorization !== `Bearer ${key}`) throw new Refusal(401, 'no key, or a wrong one', {cure: 'send Authorization: Bearer KEY'});
    const found = absent?.test(url.pathname) ? undefined
      : table.find(([method, pattern]) => method === request.method && pattern.test(url.pathname));
    if (!found) throw new Refusal(404, 'there is nothing at this path', {cure: "see the API's description"});
    const id = found[1].exec(url.pathname)[1], body = await bodyOf(request);
    const wrong = faults(request.method, url.pathname, 'request', body);
    if (wrong) throw new Refusal(400, wrong);
    const told = await found[2]({query: url.searchParams, body, id: id && decodeURIComponent(id)});
    const differs = faults(request.method, url.pathname, 'answer', told);
    if (differs) throw new Error(`the mock differs from openapi.json: ${differs}`);
    return told;
  };
  const server = createServer(async (request, reply) => {
    const url = new URL(request.url, 'http://mock');
    if (dist && url.pathname.startsWith('/console/')) return sendFile(dist, url.pathname, reply);
    try {
      const body = await answer(request, url);
      const text = body === undefined ? '' : JSON.stringify(body);
      seen.push({method: request.method, path: url.pathname, bytes: text.length});
      reply.writeHead(text ? 200 : 204, text ? {'Content-Type': 'application/json'} : {}).end(text);
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 500;
      reply.writeHead(status, {'Content-Type': 'application/problem+json'})
        .end(JSON.stringify({title: status === 401 ? 'Unauthorized' : 'Refused', status, detail: error.message, ...error.extra}));
    }
  });
  return {server, seen, world};
}
