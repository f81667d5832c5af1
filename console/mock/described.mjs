// Holds the mock, and what the pages send to it, against the server's own description.
import {readFileSync} from 'node:fs';
import Ajv from 'ajv/dist/2020.js';

const api = JSON.parse(readFileSync(new URL('../../podium/serve/openapi.json', import.meta.url), 'utf8'));
const ajv = new Ajv({strict: false, allErrors: true}).addSchema(api, 'api');
const part = (text) => text.replaceAll('~', '~0').replaceAll('/', '~1');
const paths = Object.keys(api.paths).map((path) => [path, new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`)]);
const known = new Map();

// What is wrong with a body of the request, or of the answer; empty: nothing.
export function faults(method, path, side, body) {
  const route = paths.find(([, pattern]) => pattern.test(path))?.[0];
  const told = route && api.paths[route][method.toLowerCase()];
  const within = side === 'request' ? ['requestBody'] : ['responses', '200'];
  const schema = told && within.reduce((at, key) => at?.[key], told)?.content?.['application/json'];
  if (!told) return `${method} ${path} is not described`;
  if (!schema) return body === undefined || method === 'DELETE' || side === 'request' ? '' : `${method} ${route} tells nothing`;
  const pointer = ['paths', part(route), method.toLowerCase(), ...within, 'content', part('application/json'), 'schema'].join('/');
  const check = known.get(pointer) ?? ajv.compile({$ref: `api#/${pointer}`});
  known.set(pointer, check);
  return check(body) ? '' : `${method} ${route}, ${side}: ${ajv.errorsText(check.errors.slice(0, 6))}`;
}
