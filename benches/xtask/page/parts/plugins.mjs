// Plugins: installed from a file with and without consent, switched, configured well and badly, looked at, removed. What the
// gateway has then is asked of its API.
import { fair as look, fairOnPhones } from '../looks.mjs';
import { packed } from '../packages.mjs';

const ALARM = '_skiff_shallow-water-alarm';
const ASKING = '_acme_asking';

// What the page asked of a plugin while it was removed.
const ASKED_TOO_LATE = /console: .*\b404\b/;

export async function walk(world) {
  const { admin, boat, visit, until, told, forgive, assert, did, top } = world;
  const { context, page, faults } = await visit({ door: admin, at: '#/plugins' });
  page.on('dialog', (dialog) => dialog.accept());
  const api = async (path) => (await page.request.get(`${admin}${path}`)).json();
  const row = async (id) => (await api('/skServer/plugins')).find((one) => one.id === id);
  const send = (file) => page.setInputFiles('input[type=file]', file);
  const notice = (words) => told(page, words);
  const fair = (name) => look(world, page, name);

  // What is no package is refused in words, and the page goes on.
  await send({ name: 'holiday.tgz', mimeType: 'application/gzip', buffer: Buffer.from('no archive') });
  await page.getByRole('alert').filter({ hasText: 'holiday.tgz: not installed: corrupt archive: not gzip.' }).waitFor();
  await forgive(faults, /console: .*\b400\b/); // the browser's line of the refusal
  did('plugins', 'a file that is no package is refused in words');

  // Room is said in numbers; a gateway without any cannot be made here, so its answer is.
  await page.route('**/skiff/v1/plugins', (route) => route.fulfill({ status: 507, json: { error: 'not enough memory', needed: 4_200_000, free: 812 } }));
  await send(packed(top, 'rust/true-wind'));
  await page.getByRole('alert').filter({ hasText: 'not enough memory. It needs 4.2 MB, 812 bytes are free.' }).waitFor();
  await page.unroute('**/skiff/v1/plugins');
  await forgive(faults, /console: .*\b507\b/);
  did('plugins', 'too little room is said in numbers (answer made up)');

  // A package that asks for nothing runs at once.
  await send(packed(top, 'assemblyscript/shallow-water-alarm'));
  await page.getByRole('link', { name: 'Shallow water alarm' }).waitFor();
  await until('running', async () => (await row(ALARM))?.state === 'running');
  await fair('plugins-list-desk');
  did('plugins', 'a package that asks for nothing runs');

  // Off and on again.
  await page.getByRole('button', { name: 'Turn off Shallow water alarm' }).click();
  await page.getByRole('button', { name: 'Turn on Shallow water alarm' }).waitFor();
  assert.equal((await row(ALARM)).data.enabled, false);
  await page.getByRole('button', { name: 'Turn on Shallow water alarm' }).click();
  await page.getByRole('button', { name: 'Turn off Shallow water alarm' }).waitFor();
  assert.equal((await row(ALARM)).data.enabled, true);
  did('plugins', 'turned off and on');

  await configure(world, page, api, faults, fair);
  await consent(world, page, row, send, notice, faults, fair);

  await fairOnPhones(world, { door: admin, at: `#/plugins/${ALARM}`, name: 'plugins-one', ready: (page) => page.locator('form.fields input').first().waitFor() });
  did('plugins', 'a plugin on a phone, light, dark and at night');

  // At the boat's port nobody administrates.
  const there = await visit({ door: boat, at: `#/plugins/${ALARM}` });
  await until('live', () => there.page.locator('.link.open').count());
  assert.equal(await there.page.getByRole('heading', { name: 'Configuration' }).count(), 0);
  await there.context.close();

  // Removed, after a question.
  await page.goto(`${admin}/#/plugins/${ALARM}`);
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await until('gone', async () => !(await row(ALARM)));
  await page.getByRole('link', { name: 'Shallow water alarm' }).waitFor({ state: 'detached' });
  assert.deepEqual(faults.filter((fault) => !ASKED_TOO_LATE.test(fault)), []);
  did('plugins', 'removed');
  await context.close();
}

// A good value, one that the browser refuses, one that the gateway refuses in the words of the plugin's schema.
async function configure({ admin, assert, until, becomes, told, forgive, did }, page, api, faults, fair) {
  const stored = async () => (await api(`/plugins/${ALARM}/config`)).configuration;
  await page.getByRole('link', { name: 'Shallow water alarm' }).click();
  const limit = page.getByLabel('Limit in m');
  await limit.waitFor();
  await becomes('what the schema gives stands there', () => limit.inputValue(), '3');
  await limit.fill('4.25');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor();
  await becomes('stored', async () => (await stored()).limit, 4.25);
  await until('what it says of it', async () => (await api('/skServer/plugins')).some((row) => row.statusMessage.includes('limit 4.25 m')));
  did('plugins', 'a good value is stored, and the plugin has it');

  // The browser holds back what the schema forbids.
  await limit.fill('-3');
  await page.getByRole('button', { name: 'Save' }).click();
  await becomes('held back', () => limit.evaluate((input) => input.validity.rangeUnderflow), true);
  assert.equal((await stored()).limit, 4.25);
  // What gets past it is refused by the gateway, and what was typed stays.
  await limit.evaluate((input) => input.removeAttribute('min'));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'limit must be at least 0' }).waitFor();
  assert.equal(await limit.inputValue(), '-3');
  assert.equal((await stored()).limit, 4.25);
  await forgive(faults, /console: .*\b[45]\d\d\b/);
  did('plugins', 'a bad value is refused in the words of the gateway, and stays in the form');

  // What only the plugin knows to be wrong is said in its own words.
  await limit.fill('4.25');
  await page.getByLabel('Path of the depth').fill('no path');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'path must be a Signal K path' }).waitFor();
  assert.equal((await stored()).path, 'environment.depth.belowTransducer');
  await page.getByLabel('Path of the depth').fill('environment.depth.belowTransducer');
  await forgive(faults, /console: .*\b[45]\d\d\b/);
  did('plugins', 'a value that the plugin refuses is refused in its own words');

  // Members that the schema does not know survive, to the last digit of a number.
  const own = '{"limit":2,"own":{"deep":[0.30000000000000004]}}';
  const posted = await page.request.post(`${admin}/plugins/${ALARM}/config`, { data: `{"configuration":${own}}`, headers: { 'content-type': 'application/json', origin: admin } });
  assert.equal(posted.status(), 200, await posted.text());
  await page.getByRole('button', { name: 'Read what is stored again' }).click();
  await page.getByText('Kept as they are: own.').waitFor();
  await limit.fill('2.5');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor();
  await becomes('to the last digit', async () => (await page.request.get(`${admin}/plugins/${ALARM}/config`)).text(), /"limit":2\.5.*0\.30000000000000004|0\.30000000000000004.*"limit":2\.5/);
  await fair('plugins-one-desk');
  did('plugins', 'members that the schema does not know are kept, to the last digit');

  // The log follows.
  const log = page.getByRole('region', { name: 'Log of Shallow water alarm' });
  await log.waitFor();
  await page.getByRole('button', { name: 'Reload' }).click();
  await told(page, 'was read again: it is running');
  const said = async () => (await page.request.get(`${admin}/skiff/v1/plugins/${ALARM}/log`)).text();
  // It may grow between the two.
  await until('log', async () => (await log.innerText()).trim() === ((await said()).trim() || 'Nothing yet.'));
  did('plugins', 'reloaded, and its log is shown', { lines: (await said()).split('\n').length - 1 });
  await page.getByRole('link', { name: '← All plugins' }).click();
}

// A package that asks: refused, granted in part, granted; a web app.
async function consent({ assert, until, did, top }, page, row, send, notice, faults, fair) {
  const changed = { name: '@acme/asking', signalk: { displayName: 'Asking' }, wasmCapabilities: { dataRead: true, dataWrite: true, network: true, putHandlers: true } };
  await send(packed(top, 'rust/true-wind', changed));
  const dialog = page.getByRole('dialog');
  await dialog.getByText('machines on board, and send your data there').waitFor();
  assert.deepEqual([(await row(ASKING)).state, (await row(ASKING)).skiff.asks], ['stopped', ['network', 'putHandlers']], 'nothing of it has run');
  await fair('plugins-consent-desk');
  await dialog.getByRole('button', { name: 'Remove it' }).click();
  await until('gone', async () => !(await row(ASKING)));
  did('plugins', 'a package is refused and gone');

  await send(packed(top, 'rust/true-wind', changed));
  await dialog.getByRole('button', { name: 'Not now' }).click();
  await dialog.waitFor({ state: 'detached' });
  // It has a name of its own once it runs.
  const card = page.locator('li.plugin', { has: page.locator(`a[href="#/plugins/${ASKING}"]`) });
  await card.getByText('waits for your consent').waitFor();
  await card.getByRole('button', { name: /Turn on/ }).click();
  await dialog.getByLabel('The network').uncheck();
  await dialog.getByRole('button', { name: 'Allow these' }).click();
  await notice('It still asks for: The network.');
  assert.deepEqual((await row(ASKING)).skiff.asks, ['network']);
  await card.getByRole('button', { name: /Turn on/ }).click();
  await dialog.getByRole('button', { name: 'Allow and start' }).click();
  await until('running', async () => (await row(ASKING)).state === 'running');
  did('plugins', 'a part is granted, then the rest');

  // A version that asks for more waits, and the one before runs.
  await dialog.waitFor({ state: 'detached' });
  const wants = { ...changed, version: '0.2.0', wasmCapabilities: { ...changed.wasmCapabilities, rawSockets: true } };
  await send(packed(top, 'rust/true-wind', wants));
  await dialog.getByText('Raw network sockets').waitFor();
  assert.equal((await row(ASKING)).version, '0.1.0');
  await dialog.getByRole('button', { name: 'Keep the version before' }).click();
  await card.getByText('Version 0.2.0 waits for your consent.').waitFor();
  await card.getByRole('link').click();
  await page.getByRole('button', { name: 'Look at what it asks' }).click();
  await dialog.getByLabel('Raw network sockets').uncheck();
  await dialog.getByRole('button', { name: 'Allow these' }).click();
  await notice('Kept. The version before runs on.');
  assert.equal((await row(ASKING)).version, '0.1.0');
  await page.getByRole('button', { name: 'Look at what it asks' }).click();
  await dialog.getByRole('button', { name: 'Allow and update' }).click();
  await until('updated', async () => (await row(ASKING)).version === '0.2.0');
  await page.getByRole('heading', { name: /0\.2\.0/ }).waitFor();
  await page.getByRole('button', { name: 'Version before' }).click();
  await notice('Version 0.1.0 is in force again.');
  assert.equal((await row(ASKING)).version, '0.1.0');
  did('plugins', 'a version that asks for more waits, comes, and goes back');
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await until('gone', async () => !(await row(ASKING)));
  assert.deepEqual(faults.filter((fault) => !/409/.test(fault) && !ASKED_TOO_LATE.test(fault)), []);
  faults.length = 0;
}
