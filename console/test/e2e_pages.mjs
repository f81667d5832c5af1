// Every page: loads under the strict policy without an error, on desk and phone, light and dark, with
// no serious finding of axe-core.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';
import {findings, launch, open, overflows, serve, shoot, sizes} from './browser.mjs';

const pages = [
  ['live', '#/live', 'text=Requests a second'],
  ['user', '#/user/196', '.proof'],
  ['item', '#/item/6', 'text=By semantic ID'],
  ['slate', '#/slate?user=196', 'text=An item of your own'],
  ['bundles', '#/bundles', 'text=A new bundle'],
  ['rules', '#/rules', 'textarea'],
  ['map', '#/map', 'canvas'],
];

describe('every page', () => {
  let browser, mock;
  before(async () => {
    browser = await launch();
    mock = await serve();
  });
  after(async () => {
    await browser.close();
    mock.close();
  });
  for (const [name, hash, sign] of pages) {
    for (const [kind, size] of Object.entries(sizes)) {
      for (const dark of [false, true]) {
        it(`${name}, ${kind}, ${dark ? 'dark' : 'light'}`, async () => {
          const {page, errors, close} = await open(browser, mock.address, {hash, size, dark});
          await page.waitForSelector(sign);
          await page.waitForTimeout(150);
          await shoot(page, `${name}-${kind}-${dark ? 'dark' : 'light'}`);
          assert.deepEqual(await findings(page), []);
          assert.equal(await overflows(page), 0, 'it scrolls sideways');
          assert.deepEqual(errors, []);
          await close();
        });
      }
    }
  }
});
