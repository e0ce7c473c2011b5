// Web apps and the app store. The registry cannot be reached from where this runs: what it offers is made up.
import { fair } from '../looks.mjs';
import { packed } from '../packages.mjs';

export async function walk(world) {
  const { admin, boat, visit, until, assert, did, top } = world;
  const { context, page, faults } = await visit({ door: admin, at: '#/plugins' });
  page.on('dialog', (dialog) => dialog.accept());
  const apps = async () => (await page.request.get(`${admin}/skiff/v1/webapps`)).json();

  // A web app waits for consent, is served then, and not any more.
  const file = packed(top, 'rust/true-wind', { name: '@acme/chart', keywords: ['signalk-webapp'], wasmManifest: undefined, extra: { 'public/index.html': '<!DOCTYPE html><title>Chart</title>' } });
  await page.setInputFiles('input[type=file]', file);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Its pages open in browsers and act with the rights of whoever looks at them.').waitFor();
  assert.equal((await apps())[0].state, 'disabled');
  await dialog.getByRole('button', { name: 'Not now' }).click();
  await page.getByText('not served').waitFor();
  await fair(world, page, 'plugin-store-web-app-desk');
  const served = async () => (await fetch(`${boat}/@acme/chart/`)).status;
  assert.equal(await served(), 404);
  await page.getByRole('button', { name: 'Serve @acme/chart' }).click();
  await dialog.getByRole('button', { name: 'Allow and start' }).click();
  await until('served', async () => (await served()) === 200);
  await page.getByRole('button', { name: 'Stop serving @acme/chart' }).click();
  await until('not served', async () => (await served()) === 404);
  await page.getByRole('button', { name: 'Remove @acme/chart' }).click();
  await until('gone', async () => (await apps()).length === 0);
  await page.getByRole('heading', { name: 'Web apps' }).waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
  did('plugin-store', 'a web app is served with consent, and no longer, and removed');

  // By name: the list, a search, an installation that fails and one that asks.
  const offer = (name, version, more = {}) => ({ name, version, description: `${name} for boats`, author: 'Acme', isPlugin: true, ...more });
  const many = Array.from({ length: 40 }, (_, at) => offer(`@acme/number-${at}`, '1.0.0'));
  const available = [offer('@acme/tide', '2.0.0', { installedVersion: '1.9.0' }), offer('@acme/wind', '1.0.0'), ...many];
  const installed = [];
  await page.route('**/skServer/appstore/**', (route) => {
    const path = new URL(route.request().url()).pathname.replace('/skServer/appstore/', '');
    const [what, ...name] = path.split('/');
    if (what === 'available') return route.fulfill({ json: { available, installed: [], updates: available.slice(0, 1), installing: [], storeAvailable: true } });
    if (what === 'plugin') return name.join('/') === '@acme/wind' ? route.fulfill({ json: available[1] }) : route.fulfill({ status: 404, json: { error: 'the registry has no such package' } });
    if (what === 'install') {
      installed.push(name.join('/'));
      return route.fulfill({ json: 'Installing' });
    }
    const isWind = name.join('/') === '@acme/wind';
    return route.fulfill({ json: { code: isWind ? 0 : 1, log: isWind ? 'version 1.0.0 is disabled' : 'the archive has another hash', version: '1.0.0' } });
  });
  const row = {
    id: 'wind', name: '@acme/wind', packageName: '@acme/wind', version: '1.0.0', description: '', schema: {}, statusMessage: '', state: 'stopped', data: {},
    skiff: { reason: 'asks', asks: ['network'], restarts: 0, recycled: 0, drops: 0, refused: 0, budget: [] },
  };
  await page.route('**/skServer/plugins', (route) => route.fulfill({ json: installed.includes('@acme/wind/1.0.0') ? [row] : [] }));
  await page.getByRole('button', { name: 'Ask the registry again' }).click();
  await page.getByText('12 more: search for a word of them.').waitFor();
  await fair(world, page, 'plugin-store-desk');
  await page.getByRole('searchbox').fill('tide');
  await page.getByRole('button', { name: 'Update @acme/tide' }).first().click();
  await page.getByRole('alert').filter({ hasText: '@acme/tide was not installed: the archive has another hash.' }).waitFor();
  await page.getByLabel('By name, from the registry').fill('@acme/none');
  await page.getByRole('button', { name: 'Install', exact: true }).click();
  await page.getByRole('alert').filter({ hasText: 'the registry has no such package' }).waitFor();
  assert.equal(await page.getByLabel('By name, from the registry').inputValue(), '@acme/none', 'what was typed stays');
  await page.getByLabel('By name, from the registry').fill('@acme/wind');
  await page.getByRole('button', { name: 'Install', exact: true }).click();
  await dialog.getByText('The network').waitFor();
  assert.deepEqual(installed, ['@acme/tide/2.0.0', '@acme/wind/1.0.0']);
  did('plugin-store', 'searched, updated, installed by name and asked about (answers of the store made up)');
  await context.close();
}
