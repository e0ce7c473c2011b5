// Box: how the gateway is, the vessel, settings, backup and restart; what chips alone have, with answers that are made up.
import { readFileSync } from 'node:fs';
import { feed } from '../feed.mjs';
import { fair as look, fairOnPhones } from '../looks.mjs';

export async function walk(world) {
  const { admin, boat, visit, until, becomes, told, forgive, assert, did } = world;
  const { context, page, faults } = await visit({ door: admin, at: '#/box' });
  page.on('dialog', (dialog) => dialog.accept());
  const api = async (path) => (await page.request.get(`${admin}${path}`)).json();
  const fair = (name) => look(world, page, name);
  await page.getByText('all is well').waitFor();
  await page.getByText('Kept for plugins').waitFor();
  const instrument = await feed(visit, boat);
  await instrument.say({ 'environment.walk.box': 1 });
  const deltas = page.locator('dt', { hasText: 'Deltas of programs' }).locator('xpath=following-sibling::dd[1]');
  const count = async () => Number((await deltas.innerText()).replace(/,/g, ''));
  const first = await count();
  await until('deltas go on', async () => (await count()) > first);
  await instrument.end();
  await fair('box-desk');
  did('box', 'state, memory and counters, which go on', { first });

  // The vessel: what is wrong is held back, what is right holds at once.
  await page.getByLabel('MMSI').fill('12345');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await becomes('held back', () => page.getByLabel('MMSI').evaluate((input) => input.validity.customError), true);
  await page.getByLabel('MMSI').fill('230099999');
  await page.getByLabel('Name', { exact: true }).fill('Pinta');
  await page.getByLabel('Draft').fill('1.9');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved.').waitFor();
  const vessel = await api('/skServer/vessel');
  assert.deepEqual([vessel.name, vessel.mmsi, vessel.draft], ['Pinta', '230099999', 1.9]);
  await page.getByRole('heading', { name: 'Pinta', level: 1 }).waitFor();
  did('box', 'the vessel has a name, which stands above the page');

  // The log follows: signing in is told there.
  const log = page.getByRole('region', { name: 'Log of the gateway' });
  const other = await visit({ door: admin });
  await other.context.close();
  await until('log', async () => (await log.innerText()).includes('"skipper" is logged in'));
  did('box', 'the log follows');

  // A setting.
  const mdns = page.getByLabel('Apps on the network find this gateway');
  const was = await mdns.isChecked();
  await mdns.click();
  await until('kept', async () => (await api('/skServer/settings')).options.mdns === !was);
  await page.getByText('From the next start on: Apps on the network find this gateway by themselves.').waitFor();
  await mdns.click();
  await until('as it was', async () => (await api('/skServer/settings')).options.mdns === was);
  did('box', 'a setting is kept');
  // The past: from now on, and no more.
  const past = page.getByLabel('The past is kept, for plots and apps');
  const keeps = async () => Object.keys(await api('/signalk/v2/api/history/_providers')).length > 0;
  assert.equal(await keeps(), false);
  await past.click();
  await told(page, 'Changed.');
  await becomes('kept from now on', keeps, true);
  await until('marked', () => past.isChecked());
  await past.click();
  await told(page, 'Changed.');
  await becomes('kept no more', keeps, false);
  did('box', 'the past is kept, and no more');

  // Backup and back; what is none is refused in words.
  await page.getByLabel('With the plugins and web apps themselves').uncheck();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save a backup' }).click()]);
  const saved = readFileSync(await download.path());
  assert.match(download.suggestedFilename(), /^signalk-.*\.backup$/);
  assert.equal(saved.subarray(0, 2).toString(), 'PK');
  did('box', 'a backup is saved', { bytes: saved.length });
  const restore = page.getByLabel('A backup of Skiff or of Signal K Server');
  await restore.setInputFiles({ name: 'holiday.zip', mimeType: 'application/zip', buffer: Buffer.from('no backup') });
  await page.getByRole('alert').filter({ hasText: 'holiday.zip' }).waitFor();
  const words = await page.getByRole('alert').filter({ hasText: 'holiday.zip' }).innerText();
  await forgive(faults, /console: .*\b4\d\d\b/); // the browser's line of the refusal
  await restore.setInputFiles({ name: 'boat.backup', mimeType: 'application/zip', buffer: saved });
  await page.getByRole('button', { name: 'Bring it back' }).waitFor();
  await fair('box-restore-desk');
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await page.getByText('It takes its place at the next start').waitFor();
  did('box', 'what is no backup is refused; a backup waits for the next start', { words });
  assert.deepEqual(faults, []);
  await restored(world, page, api, faults);

  await fairOnPhones(world, { door: admin, at: '#/box', name: 'box', ready: (page) => page.getByText('Kept for plugins').waitFor() });
  did('box', 'on a phone, light, dark and at night');
  await board(world);

  await context.close();
}

// The gateway starts anew with the backup that waits: another name that it was given since is forgotten.
async function restored({ becomes, until, told, did }, page, api, faults) {
  await page.getByLabel('Name', { exact: true }).fill('Nina');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await becomes('another name', async () => (await api('/skServer/vessel')).name, 'Nina');
  await page.getByRole('heading', { name: 'Nina', level: 1 }).waitFor();
  const ran = (await api('/skiff/v1/status')).uptime_ms;
  await page.getByRole('button', { name: 'Restart', exact: true }).click();
  await told(page, 'The gateway is back.');
  await until('it runs anew', async () => (await api('/skiff/v1/status')).uptime_ms < ran);
  await page.getByRole('heading', { name: 'Pinta', level: 1 }).waitFor();
  await becomes('the name in the form', () => page.getByLabel('Name', { exact: true }).inputValue(), 'Pinta');
  await becomes('the name of the backup', async () => (await api('/skServer/vessel')).name, 'Pinta');
  // While it was away the browser said of each try that nobody answers.
  faults.length = 0;
  did('box', 'restarted from the page, which sees it back, with what the backup had');
}

// A chip as its API answers: none of this is on the gateway that runs here.
async function board(world) {
  const { admin, visit, until, told, assert, did, PHONE } = world;
  const { context, page } = await visit({ door: admin, size: PHONE });
  page.on('dialog', (dialog) => dialog.accept());
  const CHIP = 13;
  const slot = { version: '0.1.0', state: 'confirmed', slot: 0, slot_bytes: 100_000, chip: CHIP };
  const json = (body, status = 200) => (route) => route.fulfill({ status, json: body });
  await page.route('**/skiff/v1/machine', json({ version: '0.1.0', board: 'esp32c6', door: 'both', otherPort: null, login: { status: 'loggedIn', userLevel: 'admin' }, has: ['log', 'firmware', 'wifi', 'factory-reset'] }));
  await page.route('**/skiff/v1/log**', (route) => route.fulfill({ contentType: 'text/plain', body: '12.3 info: up\n' }));
  const asked = [];
  const pieces = [];
  let fails = 1;
  await page.route('**/skiff/v1/firmware**', (route) => {
    const request = route.request();
    if (request.method() === 'GET') return json(pieces.length > 0 ? { ...slot, state: 'receiving', received: Buffer.concat(pieces).length } : slot)(route);
    const offset = Number(new URL(request.url()).searchParams.get('offset'));
    assert.equal(offset, Buffer.concat(pieces).length, 'each piece begins where the last has ended');
    // The air loses one.
    if (offset > 0 && fails-- > 0) return route.abort();
    pieces.push(request.postDataBuffer());
    return json({ received: Buffer.concat(pieces).length })(route);
  });
  for (const what of ['wifi', 'factory-reset']) {
    await page.route(`**/skiff/v1/${what}`, (route) => {
      const request = route.request();
      if (request.method() === 'GET') return json({ ssid: null, mode: 'set-up', up: true })(route);
      asked.push([request.method(), what, request.postDataJSON()]);
      return json({ state: 'restarting' }, 202)(route);
    });
  }
  await page.goto(`${admin}/#/box`);
  await page.reload();
  await page.getByText('It makes its own network').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Backup' }).count(), 0, 'what a chip lacks is not shown');
  await until('log', async () => (await page.getByRole('region', { name: 'Log of the gateway' }).innerText()).includes('up'));
  await look(world, page, 'box-chip-phone');

  // The bus of a chip: the interface that it has, with its state; nothing that it lacks.
  const bus = { label: 'can0', state: 'open', frames: 1200, messages: 400, sentences: 0, deltas: 400, bad_lines: 0, drops: 0, lost: 0 };
  await page.route('**/skiff/v1/status', async (route) => {
    const { outputs: _, ...status } = await (await page.request.get(`${admin}/skiff/v1/status`)).json();
    return route.fulfill({ json: { ...status, inputs: [bus], can: [{ interface: 'can0', state: 'active', node: null, only_listens: true, lost: 0 }] } });
  });
  const refused = [];
  page.on('response', (response) => response.status() >= 400 && refused.push(response.url()));
  await page.goto(`${admin}/#/bus`);
  await page.locator('li', { hasText: 'can0' }).getByText('on the bus', { exact: true }).waitFor();
  await page.getByText('it only listens.').waitFor();
  for (const absent of ['Where data goes', 'Paths that several sources tell', 'What may be sent']) assert.equal(await page.getByRole('heading', { name: absent }).count(), 0, absent);
  await look(world, page, 'bus-chip-phone');
  assert.deepEqual(refused, [], 'nothing is asked for that a chip lacks');
  did('box', 'the bus of a chip (answers made up)');
  await page.goto(`${admin}/#/box`);

  const image = Buffer.alloc(40_000, 7);
  const firmware = page.getByLabel('New firmware (a file of Skiff)');
  const file = async (chip) => {
    const sum = Buffer.from(await crypto.subtle.digest('SHA-256', image));
    const head = Buffer.alloc(96);
    head.write('SKFW', 0);
    head.writeUInt16LE(1, 4);
    head.writeUInt16LE(chip, 6);
    head.writeUInt32LE(image.length, 8);
    head.write('0.2.0', 12);
    sum.copy(head, 44);
    return { name: 'skiff.bin', mimeType: 'application/octet-stream', buffer: Buffer.concat([head, image]) };
  };
  await firmware.setInputFiles(await file(9));
  await page.getByRole('alert').filter({ hasText: 'This file is for chip 9, the board has chip 13' }).waitFor();
  const damaged = await file(CHIP);
  damaged.buffer[5000] = 8;
  await firmware.setInputFiles(damaged);
  await page.getByRole('alert').filter({ hasText: 'damaged' }).waitFor();
  assert.equal(pieces.length, 0, 'nothing was sent');
  const good = await file(CHIP);
  await firmware.setInputFiles(good);
  await page.getByText('Version 0.2.0').waitFor();
  await page.getByRole('button', { name: 'Update' }).click();
  await told(page, 'The new firmware is there');
  assert(Buffer.concat(pieces).equals(good.buffer), 'every byte came, in order, though one piece was lost');
  did('box', 'firmware goes piece by piece, over a lost one; a wrong or damaged file is refused (answers made up)');
  await page.getByLabel('Network', { exact: true }).fill('Harbour');
  await page.getByLabel('Password of the network').fill('low water');
  await page.getByRole('button', { name: 'Join' }).click();
  await until('wifi', () => asked.length === 1);
  await page.getByRole('button', { name: 'Reset to how it was delivered' }).click();
  await until('reset', () => asked.length === 2);
  assert.deepEqual(asked, [['PUT', 'wifi', { ssid: 'Harbour', password: 'low water' }], ['POST', 'factory-reset', null]]);
  did('box', 'Wi-Fi and factory reset are asked for (answers made up)');
  await context.close();
}
