// Is the new one better? Compared, refused, activated, taken back.
import assert from 'node:assert/strict';
import {after, afterEach, before, beforeEach, describe, it} from 'node:test';
import {findings, launch, open, overflows, serve, shoot, sizes} from './browser.mjs';

const kNew = '/srv/podium/2026-11-27', kNow = '/srv/podium/2026-11-20', kWorse = '/srv/podium/2026-11-13';

describe('bundles', () => {
  let browser, mock, on;
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    mock = await serve();
    on = await open(browser, mock.address, {hash: '#/bundles'});
  });
  afterEach(async () => {
    await on.close();
    mock.close();
  });
  const name = (page, dir) => page.getByLabel('Its directory on the server').fill(dir);
  const button = (page, text) => page.getByRole('button', {name: text, exact: true});
  const active = () => mock.world.shelf.list().active;
  const fine = (expected = /^$/) => assert.deepEqual(on.errors.filter((text) => !expected.test(text)), []);

  it('the new one is compared, and activated from there', async () => {
    const {page} = on;
    mock.world.shelf.pace = 300;
    await name(page, kNew);
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=answers beside the active one');
    assert.ok(await button(page, 'Roll back to the one before').isDisabled(), 'one thing at a time');
    await page.waitForSelector('text=Nothing speaks against it');
    assert.deepEqual(await page.locator('.bars .bar .num').allTextContents(), ['▲ better', ' too close to say']);
    assert.ok(!(await page.getByText('+0.0212').isVisible()), 'figures on demand');
    await page.getByText('The figures').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('td >> text=+0.0095 to +0.0329');
    await page.waitForSelector('dd >> text=73.4 %');
    await page.waitForSelector('text=The active one went without: policy late (1).');
    assert.equal(active(), kNow, 'it is only compared');
    await page.keyboard.press('1');
    await page.keyboard.press('5');
    await page.waitForSelector('text=Nothing speaks against it');  // still there
    await button(page, 'Activate it').click();
    await page.locator('dialog').getByRole('button', {name: 'Activate'}).click();
    await page.waitForSelector('tr.strong >> text=2026-11-27');
    assert.equal(await page.getByRole('region', {name: 'Compared'}).count(), 0, 'it was beside another');
    fine();
  });

  it('each change is confirmed, and the one before comes back', async () => {
    const {page} = on;
    await name(page, kNew);
    await button(page, 'Activate').click();
    await page.waitForSelector('dialog >> text=is compared with the active one first');
    assert.deepEqual(await findings(page), []);
    await page.keyboard.press('Escape');
    assert.equal(active(), kNow);
    await button(page, 'Activate').click();
    await page.locator('dialog').getByRole('button', {name: 'Activate'}).click();
    await page.waitForSelector('tr.strong >> text=2026-11-27');
    await button(page, 'Roll back to the one before').click();
    await page.locator('dialog').getByRole('button', {name: 'Roll back'}).click();
    await page.waitForSelector('tr.strong >> text=2026-11-20');
    fine();
  });

  it('a worse one is refused with its figure, and forced only on purpose', async () => {
    const {page} = on;
    await button(page, `Activate ${kWorse}`).click();
    await page.locator('dialog').getByRole('button', {name: 'Activate'}).click();
    await page.waitForSelector('[role=alert] >> text=N@10 on 412 events held out: -0.0181 [-0.0283, -0.0079]');
    assert.equal(active(), kNow);
    await shoot(page, 'bundles-refused');
    assert.deepEqual(await findings(page), []);
    await button(page, 'Activate it nevertheless …').click();
    await page.waitForSelector('dialog >> text=wholly below 0');
    assert.deepEqual(await findings(page), []);
    await shoot(page, 'bundles-force');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog', {state: 'detached'});
    assert.equal(active(), kNow, 'Enter cancels');
    await button(page, 'Activate it nevertheless …').click();
    await button(page, 'Activate nevertheless').click();
    await page.waitForFunction(() => document.querySelector('tr.strong')?.textContent.includes('2026-11-13'));
    assert.equal(await page.locator('[role=alert]').count(), 0);
    assert.equal(active(), kWorse);
    fine(/409/);
  });

  it('one that fails is told of, and taken back', async () => {
    const {page} = on;
    await name(page, '/srv/podium/broken');
    await button(page, 'Compare').click();
    await page.waitForSelector('text=It would be refused.');
    await page.waitForSelector('text=/^The new one failed first with: .*<b>do not fit<.b>$/');
    await page.waitForSelector('text=Which one foresees more cannot be said');
    await page.waitForSelector('text=450 questions, each asked of both; 612 were planned');
    assert.equal(await page.locator('main b').count(), 0, 'a failure is text');
    await button(page, 'Activate it nevertheless …').click();
    await button(page, 'Activate nevertheless').click();
    const taken = page.getByRole('region', {name: 'Taken back'});
    await taken.getByText('33 of its newest 200 answers failed or were degraded').waitFor();
    assert.match(await taken.textContent(), /\/srv\/podium\/broken, 2026-11-\d\d \d\d:\d\d: 33 of/);
    assert.equal(active(), kNow);
    await shoot(page, 'bundles-taken-back');
    assert.deepEqual(await findings(page), []);
    fine();
  });

  it('a conflict that is no refusal is not to be forced', async () => {
    const {page} = on;
    mock.world.shelf.comparing = true;
    await name(page, kNew);
    await button(page, 'Activate').click();
    await page.locator('dialog').getByRole('button', {name: 'Activate'}).click();
    await page.waitForSelector('[role=alert] >> text=another bundle is being compared');
    assert.equal(await page.getByText('nevertheless').count(), 0);
    await name(page, '/nowhere');
    await button(page, 'Compare').click();
    await page.waitForSelector('[role=alert] >> text=/nowhere: there is no bundle');
    fine(/409|404/);
  });

  it('a comparison fits, wide and narrow, light and dark', async () => {
    for (const [kind, size] of Object.entries(sizes)) {
      for (const dark of [false, true]) {
        const {page, errors, close} = await open(browser, mock.address, {hash: '#/bundles', size, dark});
        await button(page, `Compare ${kWorse}`).click();
        await page.waitForSelector('text=It would be refused.');
        await page.getByText('The figures').click();
        await shoot(page, `bundles-trial-${kind}-${dark ? 'dark' : 'light'}`);
        assert.deepEqual(await findings(page), []);
        assert.equal(await overflows(page), 0, 'it scrolls sideways');
        assert.deepEqual(errors, []);
        await close();
      }
    }
  });
});
