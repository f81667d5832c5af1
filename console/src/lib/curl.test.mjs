import {execFileSync} from 'node:child_process';
import {expect, it} from 'vitest';
import {curl} from './curl';

// The words as a shell hands them to curl.
const words = (line) =>
  execFileSync('sh', ['-c', `curl() { for w; do printf '%s\\0' "$w"; done; }; PODIUM_KEY=k; ${line}`], {encoding: 'utf8'})
    .split('\0').slice(0, -1);

it('a body with quotes survives the shell', () => {
  const body = {user: `o'neil "$HOME" \`id\` \\`, k: 3};
  const line = words(curl('http://h:1', 'POST', '/v1/recommend', body, false));
  expect(line.slice(0, 4)).toEqual(['-sS', '-X', 'POST', 'http://h:1/v1/recommend']);
  expect(JSON.parse(line.at(-1))).toEqual(body);
});

it('the key is a variable', () => {
  const line = curl('http://h', 'GET', '/v1/status', undefined, true);
  expect(line).toBe(`curl -sS -X GET 'http://h/v1/status' -H "Authorization: Bearer $PODIUM_KEY"`);
  expect(words(line)).toContain('Authorization: Bearer k');
});
