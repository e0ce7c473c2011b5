// People: devices that ask, users, tokens, guests. What each may then do is tried with what he got.
import { fair as look, fairOnPhones } from '../looks.mjs';

export async function walk(world) {
  const { admin, boat, visit, until, becomes, told, forgive, assert, did } = world;
  const { context, page, faults } = await visit({ door: admin, at: '#/people' });
  page.on('dialog', (dialog) => dialog.accept());
  await page.getByRole('heading', { name: 'Tokens' }).waitFor();
  const list = async (what) => (await page.request.get(`${admin}/skServer/security/${what}`)).json();
  const fair = (name) => look(world, page, name);
  const device = async (clientId, description) => {
    const asked = await fetch(`${boat}/signalk/v1/access/requests`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ clientId, description, permissions: 'readwrite' }),
    });
    assert.equal(asked.status, 202);
    const { href } = await asked.json();
    return async () => (await fetch(`${boat}${href}`)).json();
  };

  // They appear without anybody asking for them.
  const sensor = await device('11111111-aaaa-4bbb-8ccc-000000000001', 'Tank sensor');
  const stranger = await device('11111111-aaaa-4bbb-8ccc-000000000002', 'Unknown tablet');
  await page.getByText('Tank sensor').waitFor();
  await page.getByText('Unknown tablet').waitFor();
  await fair('people-requests-desk');
  await page.getByLabel('Role of Tank sensor').selectOption('readonly');
  await page.getByLabel('End for Tank sensor').selectOption('30d');
  await page.getByRole('button', { name: 'Let in Tank sensor' }).click();
  const let_in = await until('let in', async () => (await sensor()).accessRequest);
  assert.equal(let_in.permission, 'APPROVED');
  const [row] = await list('devices');
  assert.equal(row.permissions, 'readonly');
  assert(row.expires, 'it has an end');
  did('people', 'a device is let in, with the role and the end that were chosen');
  await page.getByRole('button', { name: 'Deny Unknown tablet' }).click();
  const denied = await until('denied', async () => (await stranger()).accessRequest);
  assert.equal(denied.permission, 'DENIED');
  did('people', 'another is denied');
  // Another role and another end, later.
  await page.getByRole('button', { name: 'Change Tank sensor' }).click();
  await page.getByRole('dialog').getByLabel('Role').selectOption('readwrite');
  await page.getByRole('dialog').getByLabel('End').selectOption('NEVER');
  await fair('people-device-desk');
  await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
  await told(page, 'Tank sensor is changed.');
  const [changed] = await list('devices');
  assert.deepEqual([changed.permissions, changed.expires], ['readwrite', undefined]);
  did('people', 'a device has another role and no end');
  await page.getByRole('button', { name: 'Shut out Tank sensor' }).click();
  await until('gone', async () => (await list('devices')).length === 0);
  const shut = await fetch(`${boat}/signalk/v1/auth/validate`, { method: 'POST', headers: { authorization: `Bearer ${let_in.token}` } });
  assert.equal(shut.status, 401);
  did('people', 'a device is shut out, and its token is none any more');

  // A user: a password that is too short is refused and what was typed stays.
  const form = page.getByRole('form', { name: 'Add somebody' });
  await form.getByLabel('Name').fill('mate');
  await form.getByLabel('Password').fill('x');
  await form.getByLabel('Role').selectOption('readwrite');
  await form.getByRole('button', { name: 'Add' }).click();
  await form.getByRole('alert').waitFor();
  const words = await form.getByRole('alert').innerText();
  assert.match(words, /password/i);
  assert.equal(await form.getByLabel('Name').inputValue(), 'mate');
  await forgive(faults, /console: .*\b400\b/); // the browser's line of the refusal
  await form.getByLabel('Password').fill('a bell at six');
  await form.getByRole('button', { name: 'Add' }).click();
  await until('added', async () => (await list('users')).some((user) => user.userId === 'mate' && user.type === 'readwrite'));
  did('people', 'a bad password is refused in words, a user is made', { words });
  const mate = await visit({ door: boat, user: 'mate', password: 'a bell at six' });
  await mate.page.getByText('mate', { exact: true }).waitFor();
  await mate.context.close();
  did('people', 'he signs in');
  await page.getByLabel('Role of mate').selectOption('readonly');
  await page.getByRole('button', { name: 'Keep the role of mate' }).click();
  await until('role', async () => (await list('users')).some((user) => user.userId === 'mate' && user.type === 'readonly'));
  await page.getByRole('button', { name: 'New password for mate' }).click();
  await page.getByRole('dialog').getByLabel('Password').fill('another bell rings');
  await fair('people-password-desk');
  await page.getByRole('dialog').getByRole('button', { name: 'Set it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const signIn = (password) => fetch(`${boat}/signalk/v1/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'mate', password }) });
  assert.equal((await signIn('another bell rings')).status, 200);
  assert.equal((await signIn('a bell at six')).status, 401);
  did('people', 'his role and password are changed');
  await page.getByRole('button', { name: 'Remove mate' }).click();
  await until('gone', async () => !(await list('users')).some((user) => user.userId === 'mate'));
  did('people', 'he is removed');

  // A token is shown once, works, and does not when it is revoked.
  const tokens = page.getByRole('form', { name: 'Make a token' });
  await tokens.getByLabel('Name').fill('plotter');
  await tokens.getByLabel('Role').selectOption('readwrite');
  await tokens.getByLabel('End').selectOption('1d');
  await tokens.getByRole('button', { name: 'Make' }).click();
  const token = await page.getByRole('dialog').getByLabel('Token plotter').inputValue();
  await page.getByRole('dialog').getByRole('button', { name: 'Copy' }).click();
  await told(page, 'Copied');
  await fair('people-token-desk');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  const uses = () => fetch(`${boat}/signalk/v1/auth/validate`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  assert.equal((await uses()).status, 200);
  assert((await list('tokens')).some(({ name, role, expires }) => name === 'plotter' && role === 'readwrite' && expires));
  await page.getByRole('button', { name: 'Revoke plotter' }).click();
  await until('revoked', async () => (await list('tokens')).length === 0);
  assert.equal((await uses()).status, 401);
  did('people', 'a token is made, works, is revoked');

  // Guests.
  const guests = page.getByLabel('Whoever is on the boat\'s network');
  await guests.click();
  await told(page, 'Guests may look from now on.');
  await becomes('guests', async () => (await list('config')).allow_readonly, true);
  await until('marked', () => guests.isChecked());
  await guests.click();
  await told(page, 'Guests see nothing any more.');
  await becomes('no guests', async () => (await list('config')).allow_readonly, false);
  await until('not marked', async () => !(await guests.isChecked()));
  did('people', 'guests are let in and out');
  const strangers = page.getByLabel('Apps and sensors may ask to be let in');
  const asks = async () => (await fetch(`${boat}/signalk/v1/access/requests`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ clientId: '11111111-aaaa-4bbb-8ccc-000000000003', description: 'Late tablet' }),
  })).status;
  await strangers.click();
  await told(page, 'They may not ask any more.');
  assert.equal(await asks(), 403);
  await page.getByText('Nobody may ask').waitFor();
  await strangers.click();
  await told(page, 'They may ask from now on.');
  assert.equal(await asks(), 202);
  await page.getByRole('button', { name: 'Deny Late tablet' }).click();
  await becomes('nobody waits', () => list('access/requests'), []);
  did('people', 'whether anybody may ask');
  assert.deepEqual(faults, []);
  await fairOnPhones(world, { door: admin, at: '#/people', name: 'people', ready: (page) => page.getByText('skipper (you)').waitFor() });
  did('people', 'on a phone, light, dark and at night');

  // Signed out: nothing is left to look at.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await until('out', async () => (await page.request.get(`${admin}/skServer/security/users`)).status() === 401);
  await context.close();
  did('people', 'signed out');
}
