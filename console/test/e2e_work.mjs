// What people do with the pages.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';
import {findings, launch, open, serve, shoot, sizes} from './browser.mjs';

describe('work', () => {
  let browser, mock;
  before(async () => {
    browser = await launch();
    mock = await serve();
  });
  after(async () => {
    await browser.close();
    mock.close();
  });
  // Runs a job on a fresh page; nothing may have been complained about in the console.
  const on = (hash, job, options = {}) => async () => {
    const {page, errors, close} = await open(browser, options.address?.() ?? mock.address, {hash, ...options});
    try {
      await job(page);
      assert.deepEqual(errors.filter((text) => !options.expected?.test(text)), []);
    } finally {
      await close();
    }
  };

  it('titles are text, never markup', on('#/item/6', async (page) => {
    await page.waitForSelector('h2 >> text=<img src=x onerror=alert(1)>');
    assert.equal(await page.locator('main img, main script, main b').count(), 0);
    for (const id of ['7', '9', '10']) {
      await page.goto(`${mock.address}/console/#/item/${id}`);
      await page.waitForSelector(id === '7' ? 'h2 >> text=⟨202E⟩tsrif' : 'h2 >> text=/^(L{180}|"><script>)/');
    }
    assert.notEqual(await page.title(), 'owned');
  }));

  it('keys: help, pages, search', on('#/live', async (page) => {
    await page.waitForSelector('text=Stages');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog >> text=Shortcuts');
    assert.deepEqual(await findings(page), []);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', {state: 'detached'});
    await page.keyboard.press('5');
    await page.waitForSelector('h1 >> text=Bundles');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
    await page.keyboard.press('/');
    await page.keyboard.type('golden har');
    await page.waitForSelector('#found li >> text=The Golden Harbour');
    assert.deepEqual(await findings(page), []);
    await shoot(page, 'search');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForSelector('h2 >> text=The Golden Harbour');
    await page.keyboard.press('/');
    await page.keyboard.type('196');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.flow');
    assert.match(page.url(), /#\/user\/196$/);
  }));

  it('the first stop of Tab leads to the content', on('#/live', async (page) => {
    await page.waitForSelector('text=Stages');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'To the content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  }));

  it('shortcuts can be turned off', on('#/live', async (page) => {
    await page.keyboard.press('?');
    await page.click('text=Shortcuts of one key are on');
    await page.keyboard.press('Escape');
    await page.keyboard.press('7');
    assert.match(page.url(), /#\/live$/);
  }));

  it('colours are kept', on('#/rules', async (page) => {
    await page.waitForSelector('textarea');
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    await page.reload();
    await page.waitForSelector('button >> text=Dark');
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(17, 20, 24)');
  }));

  it('live polls, and rests while hidden', on('#/live', async (page) => {
    await page.waitForSelector('text=Stages');
    const asked = () => mock.seen.filter((r) => r.path === '/v1/status').length;
    const before = asked();
    await page.waitForTimeout(2500);
    assert.ok(asked() > before, 'it polls');
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', {value: true, configurable: true});
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.waitForTimeout(300);
    const hidden = asked();
    await page.waitForTimeout(2500);
    assert.equal(asked(), hidden, 'it rests');
  }));

  it('user: what if, and curl', on('#/user/196', async (page) => {
    await page.waitForSelector('.flow');
    await page.getByRole('region', {name: 'What if'}).getByLabel('Item').fill('50');
    await page.getByRole('button', {name: 'Try'}).click();
    await page.waitForSelector('h3 >> text=After');
    const sent = mock.seen.filter((r) => r.path === '/v1/events');
    assert.equal(sent.length, 0, 'nothing is written');
    await page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => void (window.copied = text);
    });
    await page.getByRole('button', {name: 'Copy as curl'}).click();
    assert.match(await page.evaluate(() => window.copied), /^curl -sS -X POST 'http.*\/v1\/recommend' .*"user":"196"/);
    await shoot(page, 'what-if');
  }));

  it('user: each item has the reasons that are proved, or none', on('#/user/77?k=40', async (page) => {
    await page.waitForSelector('text=/reasons proved, for \\d+ of 40 items\\. 2 more could not be proved/');
    const of = (id) => page.locator('ol.answer > li').filter({has: page.locator(`a.item[href="#/item/${id}"]`)});
    assert.match(await of('8').locator('.proof').textContent(), /^No reason could be proved\.$/);
    assert.match(await of('7').locator('.proof li').first().textContent(),
                 /^You took “"><script>document\.title="owned"<\/script>” on .* took this, too\. item 10/);
    assert.match(await of('6').locator('.proof li').first().textContent(), /^You took “⟨202E⟩tsrif em knar⟨202C⟩ and ⟨200B⟩hidden” on /);
    assert.equal(await page.locator('main img, main script').count(), 0);
    assert.notEqual(await page.title(), 'owned');
    assert.equal(await page.getByText('said by the policy').count(), 2);
    await of('7').getByRole('link', {name: 'item 10'}).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('h2 >> text=/^"><script>/');
    assert.match(page.url(), /#\/item\/10$/);
  }));

  it('user: unknown', on('#/user/nobody', async (page) => {
    await page.waitForSelector("text=no user 'nobody' in this bundle");
  }, {expected: /404/}));

  it('user: an answer that went without a stage', on('#/user/13', async (page) => {
    await page.waitForSelector('text=This answer went without a stage: policy late.');
  }));

  it('item: whom it reaches', on('#/item/8', async (page) => {
    await page.getByLabel('Users').fill('196, 22 nobody');
    await page.getByRole('button', {name: 'Ask'}).click();
    await page.waitForFunction(() => document.querySelectorAll('[aria-label="Whom it reaches"] tbody tr').length === 3);
    await page.waitForSelector("text=no user 'nobody' in this bundle");
    await shoot(page, 'who-sees');
    assert.deepEqual(await findings(page), []);
  }, {expected: /404/}));

  it('slate lab: order, shuffle, compare, an own item', on('#/slate?user=196', async (page) => {
    await page.getByRole('button', {name: 'Take what she gets'}).click();
    await page.waitForFunction(() => document.querySelector('textarea').value.split('\n').length === 12);
    await page.getByRole('button', {name: 'Order them'}).click();
    await page.waitForSelector('.flow');
    await page.getByText('Does the order depend').click();
    await page.getByRole('button', {name: 'Shuffle 20 times'}).click();
    await page.waitForSelector('text=20 shuffles:');
    await shoot(page, 'slate-shuffled');
    await page.getByLabel('Or a hostile one').selectOption({index: 2});
    await page.getByRole('button', {name: 'Add it'}).click();
    await page.waitForSelector('.events >> text=<img src=x onerror=alert(1)>');
    assert.match(await page.locator('textarea').inputValue(), /\nlab-/);
    await page.getByRole('button', {name: 'Compare with a second request'}).click();
    await page.locator('textarea').nth(1).fill((await page.locator('textarea').nth(0).inputValue()).split('\n').reverse().join('\n'));
    for (const i of [0, 1]) await page.getByRole('button', {name: 'Order them'}).nth(i).click();
    await page.waitForSelector('h2 >> text=From A to B');
    assert.deepEqual(await findings(page), []);
    await shoot(page, 'slate-pair');
    await page.getByRole('button', {name: 'Take it away'}).click();
    await page.waitForFunction(() => !document.querySelector('textarea').value.includes('lab-'));
    assert.equal(mock.world.catalogue.live.size, 0);
  }));

  it('slate lab: what is wrong is told before it is sent', on('#/slate?user=196', async (page) => {
    await page.locator('textarea').fill('1 0.5\n2');
    await page.waitForSelector('text=either all have a score or none');
    assert.ok(await page.getByRole('button', {name: 'Order them'}).isDisabled());
  }));

  it('rules: preview, a wrong line, saving', on('#/rules', async (page) => {
    const area = page.locator('textarea');
    const text = await area.inputValue();
    await area.fill(`${text}\nwhat is this`);
    await page.getByRole('button', {name: 'Try them'}).click();
    await page.getByRole('button', {name: /Go to line \d+/}).click();
    assert.equal(await page.evaluate(() => {
      const a = document.activeElement;
      return a.value.slice(a.selectionStart, a.selectionEnd);
    }), 'what is this');
    await area.fill(text.replace('count = 2', 'count = 1'));
    await page.getByRole('button', {name: 'Try them'}).click();
    await page.waitForSelector('text=7 of 100 requests change');
    await page.locator('details summary').first().click();
    await shoot(page, 'rules-preview');
    assert.deepEqual(await findings(page), []);
    await page.getByRole('button', {name: 'Save'}).click();
    await page.waitForSelector('dialog >> text=They change 7 of the last 100 requests');
    await page.locator('dialog').getByRole('button', {name: 'Save'}).click();
    await page.waitForSelector('text=Saved: in force now.');
    assert.match(mock.world.admin.toml, /count = 1/);
  }, {expected: /400/}));

  it('the map: choose, search, keys', on('#/map', async (page) => {
    const box = await page.locator('canvas').boundingBox();
    await page.waitForTimeout(200);
    for (let x = 0.3; x < 0.7; x += 0.02) await page.mouse.move(box.x + box.width * x, box.y + box.height * 0.5);
    await page.mouse.move(box.x + box.width * 0.56, box.y + box.height * 0.5);
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForSelector('aside h2');
    await page.getByLabel('Find').fill('golden harbour');
    await page.waitForSelector('text=/items on the map/');
    await page.locator('canvas').focus();
    for (const key of ['+', '+', 'ArrowLeft', '-', '0']) await page.keyboard.press(key);
    await shoot(page, 'map-found');
    assert.deepEqual(await findings(page), []);
  }));

  it('the map of 20,000 points draws a frame in time', on('#/map', async (page) => {
    await page.waitForSelector('canvas');
    const [idle, drawn] = await page.evaluate(async () => {
      const canvas = document.querySelector('canvas');
      const median = async (before) => {
        const times = [];
        for (let i = 0; i < 31; ++i) {
          const start = performance.now();
          before(i);
          await new Promise(requestAnimationFrame);
          times.push(performance.now() - start);
        }
        return times.sort((x, y) => x - y)[15];
      };
      const wheel = (i) => canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: i % 2 ? 40 : -40, cancelable: true}));
      return [await median(() => {}), await median(wheel)];
    });
    assert.ok(drawn < idle + 30, `${drawn} ms a frame, ${idle} ms without drawing`);
  }));
});

describe('other servers', () => {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  const against = async (options, hash, job, size = sizes.desk) => {
    const mock = await serve(options);
    const {page, close} = await open(browser, mock.address, {hash, size});
    try {
      await job(page, mock);
    } finally {
      await close();
      mock.close();
    }
  };

  it('a key is asked for, kept in the tab, and named only in curl', () => against({key: 'secret'}, '#/user/196', async (page) => {
    await page.waitForSelector('dialog >> text=API key');
    assert.deepEqual(await findings(page), []);
    await page.getByLabel('Key', {exact: true}).fill('secret');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.flow');
    assert.equal(await page.evaluate(() => sessionStorage.getItem('podium.key')), 'secret');
    await page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => void (window.copied = text);
    });
    await page.getByRole('button', {name: 'Copy as curl'}).click();
    const copied = await page.evaluate(() => window.copied);
    assert.ok(copied.includes('$PODIUM_KEY') && !copied.includes('secret'));
  }));

  it('a wrong key is told of', () => against({key: 'secret'}, '#/bundles', async (page) => {
    for (const key of ['wrong', 'secret']) {
      await page.waitForSelector(`dialog >> text=${key === 'wrong' ? 'The server wants a key.' : 'The server refused the key'}`);
      await page.getByLabel('Key', {exact: true}).fill(key);
      await page.keyboard.press('Enter');
      if (key === 'wrong') await page.keyboard.press('7');
    }
    await page.waitForSelector('canvas');
  }));

  it('without a key it says so, and does not ask again by itself', () => against({key: 'secret'}, '#/bundles', async (page) => {
    await page.waitForSelector('dialog');
    await page.keyboard.press('Escape');
    await page.waitForSelector('text=no key, or a wrong one');
    await page.keyboard.press('1');
    await page.waitForSelector('text=no key, or a wrong one');
    assert.equal(await page.locator('dialog').count(), 0);
  }));

  it('an older server is told of plainly', () => against({absent: /status|bundles|rules|map|items/}, '#/live', async (page) => {
    for (const [key, what] of [['1', 'live numbers'], ['5', 'several bundles'], ['6', 'rules'], ['7', 'the map']]) {
      await page.keyboard.press(key);
      await page.waitForSelector(`text=This server does not have ${what} yet.`);
    }
    await page.goto(page.url().replace(/#.*/, '#/item/50'));
    await page.waitForSelector('text=This server does not have the facts of an item yet.');
  }));

  it('a server that proves no reasons still recommends', () => against({absent: /explain/}, '#/user/196', async (page) => {
    await page.waitForSelector('text=This server does not have reasons that are proved yet.');
    await page.waitForSelector('.flow');
    assert.equal(await page.locator('.proof').count(), 0);
  }));

  it('trouble is told, the worst first', () => against({troubled: true}, '#/live', async (page) => {
    await page.waitForSelector('.note.bad >> text=It is not ready');
    await page.waitForSelector('text=121 of 128 places');
    await page.waitForSelector('text=policy late');
    assert.deepEqual(await findings(page), []);
    await shoot(page, 'live-troubled');
  }));

  it('a server that ends is told of, and found again', () => against({}, '#/live', async (page, mock) => {
    await page.waitForSelector('text=Stages');
    const {port} = mock.server.address();
    mock.server.closeAllConnections();
    await new Promise((done) => mock.server.close(done));
    await page.waitForSelector('text=the server did not answer', {timeout: 8000});
    await new Promise((done) => mock.server.listen(port, '127.0.0.1', done));
    await page.waitForSelector('text=the server did not answer', {state: 'detached', timeout: 8000});
  }));

  it('a million items are not fetched', () => against({items: 1_000_000}, '#/map', async (page, mock) => {
    await page.waitForSelector('text=20,000 of 1,000,000 items are drawn');
    await page.getByLabel('Find').fill('Golden Harbour 3901');
    await page.locator('aside button.plain').first().click();
    await page.waitForSelector('aside h2 >> text=The Golden Harbour 3901');
    const bytes = mock.seen.reduce((sum, r) => sum + r.bytes, 0);
    assert.ok(bytes < 4e6, `${bytes} bytes`);
  }));
});
