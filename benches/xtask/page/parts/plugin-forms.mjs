// Forms of configurations: everything that a schema can ask for, with a plugin that is made up; what is sent is looked at.
import { fair as look } from '../looks.mjs';

const ID = 'made-up';
const SCHEMA = {
  type: 'object',
  required: ['host', 'mode'],
  properties: {
    host: { type: 'string', title: 'Host', pattern: '^[a-z.]+$', description: 'Where the server is' },
    port: { type: 'integer', title: 'Port', minimum: 1, maximum: 65535, default: 2000 },
    factor: { type: 'number', title: 'Factor', exclusiveMinimum: 0 },
    mode: { title: 'Mode', oneOf: [{ const: 1, title: 'Calm' }, { const: 2, title: 'Rough' }] },
    side: { type: 'string', title: 'Side', enum: ['port', 'starboard'] },
    loud: { type: 'boolean', title: 'Loud', default: true },
    day: { type: 'string', title: 'Day', format: 'date' },
    at: { type: 'string', title: 'Moment', format: 'date-time' },
    page: { type: 'string', title: 'Page', format: 'uri' },
    lights: { type: 'array', title: 'Lights', uniqueItems: true, items: { type: 'string', enum: ['red', 'green', 'white'] } },
    tanks: {
      type: 'array', title: 'Tanks', minItems: 1, maxItems: 3,
      items: { type: 'object', title: 'Tank', required: ['name'], properties: { name: { type: 'string', title: 'Tank name' }, litres: { type: 'number', title: 'Litres', default: 100 } } },
    },
    relay: { type: 'object', title: 'Relay', required: ['pin'], properties: { pin: { type: 'integer', title: 'Pin' } } },
    rules: { type: 'object', title: 'Rules', patternProperties: { '^x': {} } },
  },
};
const STORED = { host: 'boat', mode: 1, factor: 0.30000000000000004, side: 'mast', tanks: [{ name: 'fore', own: { a: [1] } }, { name: 'aft', litres: 7 }], old: true };

export async function walk(world) {
  const { admin, visit, until, becomes, assert, did, PHONE } = world;
  const { context, page, faults } = await visit({ door: admin });
  const sent = [];
  let stored = STORED;
  const row = {
    id: ID, name: 'Made up', packageName: 'made-up', version: '1.0.0', description: '', schema: SCHEMA, statusMessage: '', state: 'running', data: { enabled: true },
    skiff: { reason: null, restarts: 3, recycled: 0, drops: 12, refused: 0, budget: [{ row: 'linear memory', used: 950, reserved: 950, limit: 1000, unit: 'bytes' }] },
  };
  await page.route('**/skServer/plugins', (route) => route.fulfill({ json: [row] }));
  await page.route(`**/skiff/v1/plugins/${ID}/log`, (route) => route.fulfill({ contentType: 'text/plain', body: 'up\n' }));
  await page.route(`**/plugins/${ID}/config`, (route) => {
    const body = route.request().postDataJSON();
    if (!body) return route.fulfill({ json: { enabled: true, enableDebug: false, configuration: stored } });
    sent.push(body.configuration);
    if (body.configuration.host === 'reef') return route.fulfill({ status: 500, json: { error: 'start failed: no server on a reef' } });
    stored = body.configuration;
    return route.fulfill({ json: 'saved' });
  });
  await page.goto(`${admin}/#/plugins/${ID}`);
  await page.reload();
  const form = page.getByRole('form', { name: 'Configuration of Made up' });
  const field = (label) => form.getByLabel(label, { exact: true });
  const save = form.getByRole('button', { name: 'Save' });
  await form.waitFor();
  await look(world, page, 'plugin-forms-desk');

  // As it is: what the schema gives is filled in, what it does not know stays, and so does what is not offered.
  await save.click();
  await until('sent', () => sent.length === 1);
  assert.deepEqual(sent[0], { ...STORED, port: 2000, loud: true, tanks: [{ name: 'fore', own: { a: [1] }, litres: 100 }, { name: 'aft', litres: 7 }] });
  did('plugin-forms', 'nothing is lost that nobody has touched (plugin made up)');

  // What is wrong is held back, each in words.
  const complaint = (input) => input.evaluate((node) => node.validationMessage);
  for (const [input, value, words] of [[field('Host *'), 'BOAT', /Where the server is/], [field('Factor'), '0', /more than 0/], [field('Moment'), 'noon', /2026/], [field('Port'), '1.5', /whole/]]) {
    const before = await input.inputValue();
    await input.fill(value);
    await save.click();
    await becomes('a complaint', () => complaint(input), words);
    await input.fill(before);
  }
  await field('Port').fill('70000');
  await save.click();
  await becomes('too much', () => field('Port').evaluate((node) => node.validity.rangeOverflow), true);
  await field('Port').fill('443');
  const rules = field('Rules');
  await rules.fill('{"x1":');
  await save.click();
  await becomes('a complaint', () => complaint(rules), /not JSON/);
  await page.getByText('Given as JSON: no field knows patternProperties.').waitFor();
  assert.equal(sent.length, 1, 'nothing of it was sent');
  did('plugin-forms', 'what the schema forbids is not sent, and is said in words');

  // Everything at once.
  await rules.fill('{"x1":[true]}');
  await field('Factor').fill('1e-7');
  await form.getByRole('combobox', { name: 'Mode' }).selectOption('Rough');
  await form.getByRole('combobox', { name: 'Side' }).selectOption('starboard');
  await field('Loud').uncheck();
  await field('Day').fill('2026-11-30');
  await field('Moment').fill('2026-11-30T14:00:00Z');
  await field('Page').fill('https://example.org/a');
  await field('red').check();
  await field('white').check();
  await field('red').uncheck();
  await form.getByRole('button', { name: 'Move Tank 2 up' }).click();
  await form.getByRole('button', { name: 'Add to Tanks' }).click();
  await until('three are the most', () => form.getByRole('button', { name: 'Add to Tanks' }).isDisabled());
  await until('one may type at once', () => page.evaluate(() => document.activeElement.matches('[data-item] input') && document.activeElement.value === ''));
  await page.keyboard.type('middle');
  await form.getByRole('button', { name: 'Remove Tank 2' }).click();
  await form.getByRole('button', { name: 'Set Relay' }).click();
  await save.click();
  await becomes('what is there must be whole', () => field('Pin *').evaluate((node) => node.validity.valueMissing), true);
  await field('Pin *').fill('4');
  await save.click();
  await until('sent', () => sent.length === 2);
  assert.deepEqual(sent[1], {
    host: 'boat', port: 443, factor: 1e-7, mode: 2, side: 'starboard', loud: false, day: '2026-11-30', at: '2026-11-30T14:00:00Z', page: 'https://example.org/a',
    lights: ['white'], tanks: [{ name: 'aft', litres: 7 }, { name: 'middle', litres: 100 }], relay: { pin: 4 }, rules: { x1: [true] }, old: true,
  });
  did('plugin-forms', 'each kind of field gives what was typed; lists grow, shrink and change their order');

  // Emptied and left out again; what the plugin says stays beside what was typed.
  await field('Factor').fill('');
  await form.getByRole('button', { name: 'Leave Relay out' }).click();
  await field('Host *').fill('reef');
  await save.click();
  await form.getByRole('alert').filter({ hasText: 'start failed: no server on a reef' }).waitFor();
  assert.equal(await field('Host *').inputValue(), 'reef');
  assert.deepEqual(['factor', 'relay'].filter((name) => name in sent[2]), []);
  did('plugin-forms', 'what is emptied is not sent; the words of the plugin stand in the form');
  assert.deepEqual(faults.filter((fault) => !/500/.test(fault)), []);
  await context.close();

  const small = await visit({ door: admin, size: PHONE, scheme: 'dark' });
  await small.page.route('**/skServer/plugins', (route) => route.fulfill({ json: [row] }));
  await small.page.route(`**/plugins/${ID}/**`, (route) => route.fulfill({ json: { enabled: true, configuration: stored } }));
  await small.page.goto(`${admin}/#/plugins/${ID}`);
  await small.page.reload();
  await small.page.getByRole('button', { name: 'Add to Tanks' }).scrollIntoViewIfNeeded();
  await look(world, small.page, 'plugin-forms-phone-dark');
  await small.context.close();
  did('plugin-forms', 'on a phone in the dark');
}
