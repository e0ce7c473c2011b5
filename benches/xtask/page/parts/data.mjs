// Data: every path, its units and sources; a filter, a pause, another vessel, copies; a name and zones given and taken back.
import { asking, feed } from '../feed.mjs';

const LEVEL = 'tanks.freshWater.7.currentLevel';
const OVEN = 'environment.inside.galley.temperature';
const META = `/signalk/v1/api/vessels/self/${OVEN.replaceAll('.', '/')}/meta`;
const MANY = 2000;

const row = (page, path) => page.locator('.rows [role=row]', { has: page.locator(`a:text-is("${path}")`) });
const value = (page, path) => row(page, path).locator('.value').innerText();

export async function walk(world) {
  const { boat, admin, visit, until, assert, did } = world;
  const instrument = await feed(visit, boat);
  await instrument.say({ [LEVEL]: 0.5, [OVEN]: 300.15 });
  const reader = await visit({ door: boat, at: '#/data' });
  await list(world, reader.page, instrument);
  await others(world, reader.page, instrument);
  await copies(world, reader);
  await reader.page.goto(`${boat}/#/data/self/${OVEN}`);
  await until('one path', () => reader.page.locator('dialog .one').count());
  assert.equal(await reader.page.locator('text=Change name and zones').count(), 0, 'nobody changes meta at the boat\'s door');
  assert.match(await reader.page.locator('dialog a:has-text("there")').getAttribute('href'), new RegExp(`^${admin}/#/data/self/`));
  did('data', 'at the boat\'s door it is said who changes names');
  const owner = await visit({ door: admin, at: `#/data/self/${OVEN}` });
  await edit(world, owner.page, instrument);
  await looks(world);
  assert.deepEqual(reader.faults, []);
  // The refusal that the test made up is said by the browser, too.
  assert.deepEqual(owner.faults.filter((fault) => !fault.includes('507')), []);
  await many(world, instrument);
  await Promise.all([instrument.end(), reader.context.close(), owner.context.close()]);
}

async function list({ until, becomes, assert, did }, page, instrument) {
  await page.fill('input[type=search]', 'tanks 7');
  await becomes('one path', () => page.locator('.rows .drawn [role=row]').count(), 1);
  await becomes('its value', () => value(page, LEVEL), '50 %');
  await becomes('its source', () => row(page, LEVEL).innerText(), /ws\.\d+/);
  await page.click('text=Pause');
  await instrument.say({ [LEVEL]: 0.6, [OVEN]: 300.15 });
  const ask = asking(page);
  await until('the gateway has it', async () => (await ask('GET', `/signalk/v1/api/vessels/self/${LEVEL.replaceAll('.', '/')}`)).body.value === 0.6);
  assert.equal(await value(page, LEVEL), '50 %', 'what is paused stays');
  await page.click('text=Go on');
  await becomes('the new value', () => value(page, LEVEL), '60 %');
  await page.fill('input[type=search]', 'no such path');
  await becomes('none', () => page.locator('.count').innerText(), /^0 of \d+ paths$/);
  await page.fill('input[type=search]', '');
  did('data', 'a list with units and sources, filtered, paused');
}

async function others({ boat, visit, until, becomes, assert, did }, page, instrument) {
  const other = 'vessels.urn:mrn:imo:mmsi:211000009';
  await instrument.say({ '': { name: 'NINE' }, 'navigation.speedOverGround': 5, 'navigation.position': { latitude: 54, longitude: 10 } }, other);
  await until('another vessel', () => page.locator('.tools option:has-text("NINE")').count());
  await page.selectOption('.tools select', { label: 'NINE' });
  await until('its speed', async () => (await row(page, 'navigation.speedOverGround').count()) && (await value(page, 'navigation.speedOverGround')) === '9.7 kn');
  await becomes('its position', () => value(page, 'navigation.position'), /54°00\.000′ N/);
  assert.equal(await row(page, OVEN).count(), 0, 'what is ours is not theirs');
  await page.selectOption('.tools select', 'self');
  // A second instrument that says the same path.
  const second = await feed(visit, boat);
  await second.say({ [OVEN]: 310.15 });
  await page.goto(`${boat}/#/data/self/${OVEN}`);
  await becomes('two sources', () => page.locator('dialog').innerText(), /2 sources[\s\S]*(27\.0 °C[\s\S]*37\.0 °C|37\.0 °C[\s\S]*27\.0 °C)/);
  await second.end();
  did('data', 'another vessel; two sources of one path');
}

async function copies({ until, becomes, told, did }, { page, context }) {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const copied = async (name, wanted) => {
    await page.click(`dialog >> text=${name}`);
    await told(page, 'Copied');
    await becomes(name, () => page.evaluate(() => navigator.clipboard.readText()), wanted);
  };
  await copied('Copy path', OVEN);
  await copied('Copy JSON', new RegExp(`^\\{[^]*"path": ?"${OVEN.replaceAll('.', '\\.')}"[^]*\\}$`));
  await copied('Copy curl line', /^curl -s .*\/signalk\/v1\/api\/vessels\/self\/environment\/inside\/galley\/temperature'$/);
  // As on a page that came without TLS.
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')); });
  await copied('Copy value', /^3\d\d\.15$/);
  await page.keyboard.press('Escape');
  await becomes('closed', () => page.locator('dialog').count(), 0);
  did('data', 'value, path, JSON and curl line copied, the old way, too');
}

async function edit({ until, becomes, assert, did, picture, seriousFaults }, page, instrument) {
  const ask = asking(page);
  await until('one path', () => page.locator('dialog .one').count());
  await page.click('text=Change name and zones');
  await page.fill('input[name=displayName]', 'Oven');
  await page.fill('input[name=timeout]', 'soon');
  await page.click('text=Add a zone');
  await page.fill('input[name=lower]', '60');
  await page.fill('input[name=upper]', '40');
  await page.fill('input[name=message]', 'The oven is on');
  await page.click('text=Keep');
  const words = await becomes('refused', async () => (await page.locator('dialog [role=alert]').allInnerTexts()).join('; '), /number of seconds above 0.*lower bound is below/);
  assert.equal((await ask('GET', META)).body.displayName, undefined, 'nothing was sent');
  await picture(page, 'data-edit-wrong');
  assert.deepEqual(await seriousFaults(page), []);
  await page.fill('input[name=timeout]', '');
  await page.fill('input[name=lower]', '20');
  // The gateway's words, where it refuses.
  await page.route('**/meta', (route) => (route.request().method() === 'PUT' ? route.fulfill({ status: 507, json: { state: 'COMPLETED', statusCode: 507, message: 'the disk is full' } }) : route.continue()));
  await page.click('text=Keep');
  await until('its words', () => page.locator('dialog [role=alert]:has-text("the disk is full")').count());
  assert.equal(await page.inputValue('input[name=displayName]'), 'Oven', 'what was typed stays');
  await page.unroute('**/meta');
  await page.click('text=Keep');
  await becomes('kept', async () => (await ask('GET', META)).body.displayName, 'Oven');
  await becomes('zones', async () => (await ask('GET', META)).body.zones, [{ lower: 293.15, upper: 313.15, state: 'alarm', message: 'The oven is on' }]); // degrees are kelvins
  await instrument.say({ [OVEN]: 305.15 });
  await until('an alarm by the gateway', async () => {
    const { status, body } = await ask('GET', `/signalk/v1/api/vessels/self/notifications/${OVEN.replaceAll('.', '/')}`);
    return status === 200 && body.value.state === 'alarm' && body.value.message === 'The oven is on';
  });
  await until('shown', async () => /Oven[\s\S]*20 °C\s+40 °C\s+alarm/.test(await page.locator('dialog').innerText()));
  await picture(page, 'data-zones');
  page.once('dialog', (asked) => asked.accept());
  await page.click('text=Change name and zones');
  await page.click('text=Forget changes');
  await until('forgotten', async () => (await ask('GET', META)).body?.displayName === undefined);
  did('data', 'a name and a zone: refused in words, kept, an alarm by it, taken back', { words });
}

async function looks({ boat, visit, until, assert, did, picture, seriousFaults, PHONE, DESK }) {
  for (const [size, on] of [[PHONE, 'phone'], [DESK, 'desk']]) {
    for (const scheme of ['light', 'dark', 'night']) {
      const { context, page, faults } = await visit({ door: boat, user: null, size, scheme: scheme === 'dark' ? 'dark' : 'light', at: '#/data' });
      if (scheme === 'night') await page.selectOption('.visitor select', 'night');
      await until('rows', async () => (await page.locator('.rows .drawn [role=row]').count()) > 10);
      assert.deepEqual(await seriousFaults(page), [], `${on} ${scheme}`);
      const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert(wide <= view, `wider than the screen: ${wide} of ${view}`);
      await picture(page, `data-${on}-${scheme}`);
      assert.deepEqual(faults, []);
      await context.close();
    }
  }
  did('data', 'on a phone and a desk, light, dark and red');
}

/** Two thousand paths: what is drawn, and what a filter and the way to the end cost. */
async function many({ boat, visit, until, assert, did }, instrument) {
  await instrument.say(Object.fromEntries(Array.from({ length: MANY }, (_, index) => [`test.many.p${index}`, index])), 'vessels.urn:mrn:imo:mmsi:211000010');
  const { context, page } = await visit({ door: boat, user: null, at: '#/data/vessels.urn%3Amrn%3Aimo%3Ammsi%3A211000010' });
  await until('all of them', async () => Number(/^\d+/.exec(await page.locator('.count').innerText().catch(() => ''))?.[0]) >= MANY);
  const drawn = await page.locator('.rows .drawn [role=row]').count();
  assert(drawn < 80, `${drawn} rows are drawn`);
  const spent = await page.evaluate(async () => {
    // Until the picture shows it: two frames on a machine that has time.
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const timed = async (what, isDone) => {
      const from = performance.now();
      what();
      do {
        await frame();
        if (performance.now() - from > 120_000) throw new Error(`not drawn: ${what}`);
      } while (!isDone());
      return Math.round(performance.now() - from);
    };
    const last = () => [...document.querySelectorAll('.rows .path')].at(-1).textContent;
    const list = document.querySelector('.rows');
    const input = document.querySelector('input[type=search]');
    const toTheEnd = await timed(() => { list.scrollTop = list.scrollHeight; }, () => last() === 'test.many.p999');
    const filter = await timed(() => { input.value = 'p1999'; input.dispatchEvent(new Event('input', { bubbles: true })); }, () => document.querySelectorAll('.rows .drawn .row').length === 1);
    return { toTheEnd, filter };
  });
  did('data', 'two thousand paths of one vessel; milliseconds to the end and for a filter', { drawn, ...spent });
  await context.close();
}
