// The built console in headless Chromium, against the mock.
import {once} from 'node:events';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {chromium} from 'playwright-core';
import {mockServer} from '../mock/server.mjs';

const dist = new URL('../dist', import.meta.url).pathname;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.SHOTS;  // a folder for screenshots

export function launch() {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!executablePath) throw new Error('no Chromium: apt-get install chromium');
  return chromium.launch({executablePath, args: ['--no-sandbox']});
}

export async function serve(options = {}) {
  const mock = mockServer({dist, ...options});
  mock.server.listen(0, '127.0.0.1');
  await once(mock.server, 'listening');
  const close = () => {
    mock.server.closeAllConnections();
    mock.server.close();
  };
  return {...mock, close, address: `http://127.0.0.1:${mock.server.address().port}`};
}

export const sizes = {desk: {width: 1280, height: 900}, phone: {width: 390, height: 844}};

// A page whose console errors and policy violations are collected.
export async function open(browser, address, {hash = '', size = sizes.desk, dark = false} = {}) {
  const context = await browser.newContext({viewport: size, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce'});
  const page = await context.newPage();
  const errors = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('dialog', (dialog) => {
    if (dialog.type() === 'alert') errors.push('an alert ran');
    void dialog.accept();
  });
  await page.goto(`${address}/console/${hash}`);
  return {page, errors, close: () => context.close()};
}

// Serious and critical findings, as short texts.
export async function findings(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  return result.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
}

export const overflows = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export async function shoot(page, name) {
  if (!shots) return;
  mkdirSync(shots, {recursive: true});
  await page.screenshot({path: `${shots}/${name}.png`, fullPage: true});
}
