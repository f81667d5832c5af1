// All that a browser loads, gzipped, must stay small.
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';

const kMost = 100_000;
const filesIn = (dir) => readdirSync(dir).flatMap((name) => {
  const path = join(dir, name);
  return statSync(path).isDirectory() ? filesIn(path) : [path];
});
const sizes = filesIn(new URL('../dist', import.meta.url).pathname).map((path) => gzipSync(readFileSync(path), {level: 9}).length);
const total = sizes.reduce((a, b) => a + b, 0);
console.log(`${(total / 1000).toFixed(1)} kB gzipped, of ${kMost / 1000} kB at most`);
process.exit(total > kMost ? 1 : 0);
