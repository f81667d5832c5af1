// Runs the e2e_*.mjs beside it, one after the other, and says how many passed.
import {spawnSync} from 'node:child_process';
import {readdirSync} from 'node:fs';

const folder = new URL('.', import.meta.url).pathname;
const files = readdirSync(folder).filter((name) => name.startsWith('e2e_')).map((name) => folder + name);
const run = spawnSync(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files], {stdio: 'inherit'});
process.exit(run.status ?? 1);
