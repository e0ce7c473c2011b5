// The admin UI's pages of APIs, of the store and of backups, clicked through: each function gives a row's members.
import { join } from 'node:path';

// OpenApi and AsyncApi of the menu; the first opens a page of its own.
export async function documents(page, ui, pictures) {
  await page.goto(`${ui}#/asyncapi`);
  await page.getByText('/signalk/v1/stream').first().waitFor({ timeout: 15_000 });
  await page.screenshot({ path: join(pictures, 'admin-asyncapi.png') });
  const streams = await page.locator('#api-select option').count();
  const link = page.locator('a[href$="/doc/openapi"]');
  const [api] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
  await api.waitForLoadState();
  const apis = await api.locator('table tr').count();
  await api.getByText('Course', { exact: true }).click();
  const operations = await api.locator('table tr').count();
  const isCourse = await api.getByText('/signalk/v2/api/vessels/self/navigation/course/destination').count() === 1;
  await api.screenshot({ path: join(pictures, 'admin-openapi.png') });
  await api.close();
  return { streams, apis, operations, isCourse };
}

// A package from a registry: installed, asked about, accepted on the gateway's own page, updated, removed.
export async function store(page, own, admin, ui, registry, pictures) {
  const name = 'skiff-trial-tide';
  const list = () => page.evaluate(async () => (await fetch('/skServer/appstore/available')).json());
  const has = async (part, version) => {
    for (let turn = 0; turn < 100; turn++) {
      const row = (await list())[part].find((one) => one.name === name);
      if (version === null ? !row : row?.installedVersion === version) return true;
      await page.waitForTimeout(200);
    }
    return false;
  };
  const show = async (path, picture) => {
    await page.goto(`${ui}#/${path}`);
    // The page keeps its list until it is loaded anew.
    await page.reload();
    await page.getByText(name).first().waitFor({ timeout: 15_000 });
    await page.waitForTimeout(1500);
    if (picture) await page.screenshot({ path: join(pictures, `admin-store-${picture}.png`) });
  };
  await show('apps/store', 'offered');
  await show(`apps/store/plugin/${name}`, 'package');
  await page.locator('main button', { hasText: /^Install$/ }).click();
  const installed = await has('installed', '1.0.0');
  await show('apps/store', 'asks');
  const asked = await page.getByText('Not in use: asks for network').count() === 1;
  const restart = await page.getByText('Please restart the server').count();
  await show(`apps/configuration/${name}`, 'waits');
  const waits = await page.getByText('asks for network, which nobody has granted').count() > 0;
  await own.goto(`${admin}/#/plugins`);
  const card = own.locator('li.plugin', { hasText: 'waits for your consent' });
  await card.getByRole('button', { name: /Turn on/ }).click();
  await own.getByRole('button', { name: 'Allow and start' }).click();
  await own.getByText('waiting for environment').first().waitFor({ timeout: 15_000 }).catch(() => {});
  await own.screenshot({ path: join(pictures, 'admin-store-accepted.png') });
  const state = () => page.evaluate(async (name) =>
    (await (await fetch('/skServer/plugins')).json()).find((one) => one.packageName === name)?.data?.enabled, name);
  const accepted = await state();
  await fetch(`${registry}newer`, { method: 'PUT' });
  await page.evaluate(async () => (await fetch('/skServer/appstore/refresh', { method: 'POST' })).status);
  await show(`apps/store/plugin/${name}`, 'newer');
  await page.locator('main button', { hasText: /^Update/ }).first().click();
  const updated = await has('installed', '1.1.0') && await state();
  await show(`apps/store/plugin/${name}`, 'updated');
  await page.locator('main .dropdown-toggle').first().click();
  await page.locator('.dropdown-item', { hasText: 'Remove' }).first().click();
  await page.locator('.modal button.btn-danger').click();
  const removed = await has('installed', null);
  await show('apps/store', 'removed');
  return { installed, asked, restart, waits, accepted, updated, removed };
}

// A backup taken, the vessel given another name, and what was saved chosen to come back at the next start.
export async function backup(page, ui, pictures) {
  await page.goto(`${ui}#/serverConfiguration/backuprestore`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('main button', { hasText: 'Backup' }).click()]);
  const file = join(pictures, 'boat.backup');
  await download.saveAs(file);
  const renamed = await page.evaluate(async () => {
    const body = JSON.stringify({ name: 'Pinta' });
    return (await fetch('/skServer/vessel', { method: 'PUT', headers: { 'content-type': 'application/json' }, body })).status;
  });
  await page.setInputFiles('input[type=file]', file);
  await page.locator('main button', { hasText: 'Restore' }).click();
  const confirm = page.locator('main button', { hasText: 'Confirm' });
  await confirm.waitFor({ timeout: 15_000 });
  await page.screenshot({ path: join(pictures, 'admin-restore.png') });
  const chosen = await page.locator('main input[type=checkbox]:checked').count();
  await confirm.click();
  await page.getByText('Please Restart').waitFor({ timeout: 15_000 });
  await page.screenshot({ path: join(pictures, 'admin-restored.png') });
  return { renamed, chosen, marked: true };
}
