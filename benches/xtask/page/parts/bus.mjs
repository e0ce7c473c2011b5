// Bus: inputs, devices, PGNs, preferred sources; connections made, tried, lost, changed and removed where the gateway keeps them.
import { createServer } from 'node:net';
import { fair as look, fairOnPhones } from '../looks.mjs';

export async function walk(world) {
  const { admin, visit, until, becomes, assert, did } = world;
  const { context, page, faults } = await visit({ door: admin, at: '#/bus' });
  page.on('dialog', (dialog) => dialog.accept());
  const api = async (path) => (await page.request.get(`${admin}${path}`)).json();
  const fair = (name) => look(world, page, name);
  await page.getByText('Device 35').waitFor();
  await page.locator('li', { hasText: 'Device 35' }).locator('summary').click();
  await page.getByText('PGN 128267').waitFor();
  await losses(world, page, api);
  await fair('bus-desk');
  did('bus', 'devices of the log, with their PGNs');

  // A name for a device; the gateway has it.
  await page.getByRole('button', { name: 'Name Device 35' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Bow sounder');
  await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
  await page.getByText('Bow sounder').first().waitFor();
  await becomes('kept', async () => (await api('/skServer/sourceAliases'))['boat.35'], 'Bow sounder');
  await page.getByRole('button', { name: 'Name Bow sounder' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('');
  await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
  await page.getByText('Device 35').waitFor();
  await becomes('forgotten', () => api('/skServer/sourceAliases'), {});
  did('bus', 'a device is named, and not');

  // Two compasses, the second by the stream of this page: one is preferred.
  const path = 'navigation.headingMagnetic';
  await page.evaluate((told) => {
    const socket = new WebSocket(`ws://${location.host}/signalk/v1/stream?subscribe=none`);
    socket.onopen = () => setInterval(() => socket.send(JSON.stringify({ updates: [{ $source: 'hand.1', values: [{ path: told, value: 1 }] }] })), 200);
  }, path);
  const several = await until('two sources', async () => (await api('/skServer/multiSourcePaths'))[path] ?? [], { isRight: ({ length }) => length === 2 });
  await page.getByRole('button', { name: `Rank ${path}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: `Move ${several[1]} up` }).click();
  await dialog.getByLabel(`Seconds until ${several[0]} stands in`).fill('7');
  await fair('bus-ranking-desk');
  await dialog.getByRole('button', { name: 'Keep this order' }).click();
  await dialog.waitFor({ state: 'detached' });
  await becomes('ranked', async () => (await api('/skServer/priorityOverrides'))[path], [{ sourceRef: several[1], timeout: 0 }, { sourceRef: several[0], timeout: 7000 }]);
  await page.getByText(`${several[1]}, then ${several[0]}`).waitFor();
  await page.getByRole('button', { name: `Rank ${path}` }).click();
  await dialog.getByRole('button', { name: 'No ranking' }).click();
  await until('none', async () => Object.keys(await api('/skServer/priorityOverrides')).length === 0);
  did('bus', 'one of two sources is preferred, and not any more');
  assert.deepEqual(faults.filter((fault) => !/40[45]|501/.test(fault)), []);

  await fairOnPhones(world, { door: admin, at: '#/bus', name: 'bus', ready: (page) => page.getByText('Device 35').waitFor() });
  did('bus', 'on a phone, light, dark and at night');

  await allowed(world, page, api, fair, faults);

  const keeps = (await page.request.get(`${admin}/skiff/v1/connections`)).status() === 200;
  if (keeps) {
    await heard(world, page);
    await connections(world, page, api, fair);
  } else {
    assert.equal(await page.getByRole('button', { name: 'Add an input' }).count(), 0, 'what the gateway does not keep is not offered');
    did('bus', 'a gateway that keeps no connections offers none');
  }
  await context.close();
}

// What was lost on the way in, as the gateway counts it: nothing on a machine that is fast enough, and the page says the same.
async function losses({ until, did }, page, api) {
  const section = page.getByRole('region', { name: 'Lost on the way in' });
  const count = await until('the same losses', async () => {
    const { drops } = await api('/skiff/v1/status');
    const counted = Object.entries(drops).filter(([reason, count]) => count > 0 && /^(can_|input_|n2k_|nmea0183_|not_preferred)/.test(reason)).length;
    const shown = await section.locator('dd').count();
    const isSame = shown === counted && (counted > 0 || (await section.getByText('Nothing since the start.').count()) === 1);
    return isSame ? `${counted}` : '';
  });
  did('bus', 'reasons of losses, as the gateway counts them', { count: Number(count) });
}

// What may be sent: refused in words where it cannot be, kept, given back.
async function allowed({ becomes, told, forgive, assert, did }, page, api, fair, faults) {
  const form = page.getByRole('form', { name: 'What may be sent' });
  const n2k = () => api('/skiff/v1/n2k');
  const first = await n2k();
  await form.getByLabel('Paths whose values are told').fill('environment.wind.*\n\nsteering.rudderAngle');
  await form.getByRole('button', { name: 'Keep' }).click();
  await form.getByRole('alert').filter({ hasText: 'send needs node.enabled' }).waitFor();
  await forgive(faults, /console: .*\b400\b/); // the browser's line of the refusal
  assert.match(await form.getByLabel('Paths whose values are told').inputValue(), /rudder/, 'what was typed stays');
  assert.deepEqual(await n2k(), first);
  await form.getByLabel('The gateway is a device on the bus').check();
  await form.getByLabel('Messages of programs that are connected').selectOption('some');
  await form.getByRole('textbox', { name: 'PGNs' }).fill('127250 wind');
  await form.getByRole('button', { name: 'Keep' }).click();
  await form.getByRole('alert').filter({ hasText: 'wind is no PGN' }).waitFor();
  await form.getByRole('textbox', { name: 'PGNs' }).fill('127250, 130306');
  await fair('bus-allowed-desk');
  await form.getByRole('button', { name: 'Keep' }).click();
  await told(page, 'Kept: some of it holds from the next start.');
  const kept = await n2k();
  assert.deepEqual([kept.node, kept.send, kept.relay, kept.waits], [true, ['environment.wind.*', 'steering.rudderAngle'], [127250, 130306], true]);
  await form.getByText('Some of it holds from the next start').waitFor();
  await form.getByLabel('The gateway is a device on the bus').uncheck();
  await form.getByLabel('Paths whose values are told').fill('');
  await form.getByLabel('Messages of programs that are connected').selectOption('none');
  await form.getByRole('button', { name: 'Keep' }).click();
  await told(page, 'Kept, and in force.');
  await becomes('given back', n2k, { ...first, send: [], relay: false });
  did('bus', 'what may be sent: refused in words, kept, given back');
}

// A server on this machine that says a line ten times a second to whoever connects.
async function speaker(line) {
  let clients = [];
  const server = createServer((client) => {
    clients.push(client);
    client.on('error', () => undefined);
    client.on('close', () => (clients = clients.filter((one) => one !== client)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const timer = setInterval(() => clients.forEach((client) => client.write(line())), 100);
  const hangUp = () => {
    clients.forEach((client) => client.destroy());
    server.close();
  };
  const end = () => {
    clearInterval(timer);
    hangUp();
  };
  return { port: server.address().port, hangUp, end };
}

// A device that tells its depth: it is heard, its PGN has a rate, and it is quiet when it is gone.
async function heard({ admin, did }, page) {
  const sounder = await speaker(() => `(${(Date.now() / 1000).toFixed(6)}) can0 0DF50B2A#00E80300000000FF\n`);
  const change = (method, path, data) => page.request.fetch(`${admin}/skiff/v1/connections${path}`, { method, data, headers: { origin: admin } });
  try {
    await change('POST', '', { direction: 'input', url: `tcp://127.0.0.1:${sounder.port}?format=candump`, name: 'hull' });
    const row = page.locator('li', { hasText: 'hull, address 42' });
    await row.getByText('heard', { exact: true }).waitFor();
    await row.locator('summary').click();
    await row.locator('dd', { hasText: /^\d.*a second$/ }).waitFor();
    did('bus', 'a device is heard, its PGN has a rate');
  } finally {
    sounder.end();
    await change('DELETE', '/input.hull');
  }
}

// An input over TCP: what is wrong is said, it is tried, added, gives values, is lost, is switched off, is removed.
async function connections({ assert, until, becomes, did }, page, api, fair) {
  const sounder = await speaker(() => '$IIDBT,32.0,f,9.8,M,5.3,F*27\r\n');
  const { port } = sounder;
  try {
    const kept = async (name) => (await api('/skiff/v1/connections')).find((one) => one.name === name);
    await page.getByRole('button', { name: 'Add an input' }).click();
    const form = page.getByRole('form', { name: 'Add an input' });
    await form.getByLabel('Kind').selectOption('tcp');
    await form.getByRole('textbox', { name: 'Host' }).fill('127.0.0.1');
    await form.getByRole('spinbutton', { name: 'Port' }).fill(String(port));
    await form.getByRole('textbox', { name: 'Name' }).fill('a/b');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await form.getByRole('alert').waitFor();
    const words = await form.getByRole('alert').innerText();
    assert.equal(await form.getByRole('spinbutton', { name: 'Port' }).inputValue(), String(port), 'what was typed stays');
    // On a machine that is busy it can be that nothing comes in the seconds of one try.
    let heard = '';
    for (let tries = 0; tries < 5 && !heard.includes('environment.depth'); tries += 1) {
      await form.getByRole('button', { name: 'Try it' }).click();
      heard = await until('what was heard', () => form.getByRole('status').innerText(), { isRight: (words) => words.startsWith('It ') });
    }
    assert.match(heard, /^It opens\. Heard in 5 s: \d+ sentences.*environment\.depth/);
    await form.getByRole('textbox', { name: 'Name' }).fill('sounder');
    await fair('bus-add-desk');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await form.waitFor({ state: 'detached' });
    await until('open', async () => (await kept('sounder'))?.state === 'open');
    await until('values', async () => (await page.request.get(`${new URL(page.url()).origin}/signalk/v1/api/vessels/self/environment/depth/belowTransducer`)).ok());
    did('bus', 'an input is tried and added; a wrong name is refused in words', { words });

    const row = page.locator('li', { has: page.getByRole('button', { name: 'Remove sounder' }) });
    sounder.hangUp();
    await until('lost', async () => (await kept('sounder')).state !== 'open');
    await row.locator('.state', { hasText: /waits|connecting/ }).waitFor();
    did('bus', 'its end is shown', { reason: (await kept('sounder')).reason });

    await page.getByRole('button', { name: 'Turn off sounder' }).click();
    await becomes('off', async () => (await kept('sounder')).enabled, false);
    await page.getByRole('button', { name: 'Change sounder' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Address').fill('ftp://nowhere');
    await dialog.getByRole('button', { name: 'Keep' }).click();
    await dialog.getByRole('alert').filter({ hasText: 'no kind of input' }).waitFor();
    await dialog.getByLabel('Address').fill('udp://127.0.0.1:0');
    await dialog.getByLabel('Name').fill('wind');
    await dialog.getByRole('button', { name: 'Keep' }).click();
    await dialog.waitFor({ state: 'detached' });
    await until('changed', async () => (await kept('wind'))?.address.startsWith('udp://'));
    did('bus', 'it is switched off and changed; a wrong address is refused in words');
    await page.getByRole('button', { name: 'Remove wind' }).click();
    await until('removed', async () => !(await kept('wind')));

    await page.getByRole('button', { name: 'Add an output' }).click();
    const out = page.getByRole('form', { name: 'Add an output' });
    await out.getByLabel('On which address').fill('127.0.0.1');
    await out.getByRole('spinbutton', { name: 'Port' }).fill(String(port));
    await out.getByRole('textbox', { name: 'Name' }).fill('plotter');
    await out.getByRole('button', { name: 'Add', exact: true }).click();
    await until('made', async () => (await kept('plotter'))?.direction === 'output');
    await page.getByRole('button', { name: 'Remove plotter' }).click();
    await until('removed', async () => !(await kept('plotter')));
    did('bus', 'an output is made and removed');
  } finally {
    sounder.end();
  }
}
