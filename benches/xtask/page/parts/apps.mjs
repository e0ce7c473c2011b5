// Apps: web apps that the owner installed, with icon and name; one that opens inside, one by itself; none at the admin's door.
import { archive } from '../archive.mjs';
import { asking } from '../feed.mjs';

const ICON = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const PAGE = '<!DOCTYPE html><html lang="en"><title>Helm</title><h1>inside the page</h1><script>document.body.dataset.own = String(parent !== window)</script></html>';

const app = (name, keyword, signalk, files) => archive({
  'package.json': JSON.stringify({ name, version: '1.2.3', description: `What ${name} does.`, keywords: [keyword], ...(signalk && { signalk }) }),
  ...files,
});
const PACKAGES = [
  ['@walk/helm', app('@walk/helm', 'signalk-embeddable-webapp', { displayName: 'Helm', appIcon: './img/icon.png' }, { 'public/index.html': PAGE, 'public/img/icon.png': ICON })],
  ['@walk/plain', app('@walk/plain', 'signalk-webapp', { displayName: 'Plain', appIcon: './gone.png' }, { 'public/index.html': PAGE })],
  ['@walk/panel', app('@walk/panel', 'signalk-embeddable-webapp', null, { 'public/remoteEntry.js': '0' })],
];

export async function walk({ boat, admin, visit, until, becomes, assert, did, picture, seriousFaults, PHONE, DESK }) {
  const owner = await visit({ door: admin });
  const first = await visit({ door: boat, user: null, at: '#/apps' });
  await until('that there is none', () => first.page.locator('text=No web app is installed').count());
  await first.context.close();
  for (const [name, bytes] of PACKAGES) {
    const { status, text } = await owner.page.evaluate(async (base64) => {
      const body = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const answer = await fetch('/skiff/v1/plugins?grant=webapp', { method: 'POST', headers: { 'content-type': 'application/gzip' }, body });
      return { status: answer.status, text: await answer.text() };
    }, bytes.toString('base64'));
    assert.equal(status, 201, `${name}: ${text}`);
  }
  for (const [size, on] of [[PHONE, 'phone'], [DESK, 'desk']]) {
    for (const scheme of ['light', 'dark']) {
      const { context, page, faults } = await visit({ door: boat, user: null, size, scheme, at: '#/apps' });
      await becomes('three apps', () => page.locator('.app b').allInnerTexts(), ['@walk/panel', 'Helm', 'Plain']);
      await until('its picture', () => page.evaluate(() => document.querySelector('.app img')?.naturalWidth > 0));
      await until('a letter where there is no picture', async () => (await page.locator('.app .letter').count()) === 2);
      assert.deepEqual(await seriousFaults(page), []);
      await picture(page, `apps-${on}-${scheme}`);
      await page.click('.app:has-text("Helm")');
      const frame = page.frameLocator('iframe');
      await until('inside', () => frame.locator('h1:has-text("inside the page")').count());
      await picture(page, `apps-inside-${on}-${scheme}`);
      assert.deepEqual(await seriousFaults(page), []);
      await page.click('text=All apps');
      await becomes('the way back', () => page.locator('.app').count(), 3);
      assert.deepEqual(faults.filter((fault) => !fault.includes('404')), [], 'but for the picture that is not there');
      await context.close();
    }
  }
  const { context, page } = await visit({ door: boat, user: null, at: '#/apps/%40walk%2Fhelm' });
  await page.selectOption('.visitor select', 'night');
  await until('inside', () => page.frameLocator('iframe').locator('h1').count());
  await picture(page, 'apps-inside-night');
  await page.goto(`${boat}/#/apps/%40walk%2Fpanel`);
  await until('why it does not open', () => page.locator('.wrong:has-text("no page of its own")').count());
  await page.goto(`${boat}/#/apps/%40walk%2Fplain`);
  await until('that it does not open here', () => page.locator('.wrong:has-text("There is no app @walk/plain")').count());
  await page.click('.app:has-text("Plain")');
  await page.waitForURL(`${boat}/@walk/plain/`);
  assert.equal(await page.evaluate(() => document.body.dataset.own), 'false');
  await context.close();
  did('apps', 'with icon and name, inside and by itself; what cannot be inside is said');

  await until('the administrator\'s parts', () => owner.page.locator('.top nav a:has-text("Plugins")').count());
  const titles = await owner.page.locator('.top nav a').allInnerTexts();
  assert(!titles.includes('Apps'), titles.join());
  await owner.page.goto(`${admin}/#/apps/%40walk%2Fhelm`);
  await until('the page without it', () => owner.page.locator('main#now').count());
  assert.equal(await owner.page.locator('iframe').count(), 0, 'no app opens where somebody administrates');
  did('apps', 'none at the admin\'s door');
  const ask = asking(owner.page);
  for (const [name] of PACKAGES) {
    const { body } = await ask('GET', '/skiff/v1/webapps');
    const { status } = await ask('DELETE', `/skiff/v1/plugins/${body.find((one) => one.name === name).id}`);
    assert(status < 300, `${name}: ${status}`);
  }
  assert.deepEqual(owner.faults, []);
  await owner.context.close();
}
