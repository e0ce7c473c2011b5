// Opens the web apps that people have in a real browser, logged in as a user, and says what each did: live values seen, one
// thing stored and found again in a fresh browser, requests that failed.
//
// Arguments: address of the boat's port, of the admin's, path of Chromium, folder for screenshots, address of a registry with
// one package. The user is skipper.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { backup, documents, store } from './store.mjs';

const { chromium } = createRequire(join(process.cwd(), 'x'))('playwright-core');
const [boat, admin, executablePath, pictures, registry] = process.argv.slice(2);
const PASSWORD = process.env.SKIPPERS_PASSWORD;
const WAYPOINT = 'ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a';

// What an app asks for that this gateway does not have; every other request that fails is a fault.
const KNOWN = [
  // Plugins in JavaScript of the same name as the app, which keep its data on Signal K's server.
  /^404 GET \/plugins\/(kip|freeboard-sk)$/, /^404 POST \/plugins\/kip\/series\/reconcile$/,
  // Collections that Freeboard-SK makes when it does not find them, and those of its own plugin.
  /^404 GET \/signalk\/v2\/api\/resources\/(tracks|infolayers|groups|symbols|plotterExtensions)$/,
  /^404 GET \/signalk\/v1\/unitpreferences\/active$/,
  // Paths without a value, or without meta, on this boat.
  /^404 GET \/signalk\/v1\/api\/vessels\/self\/navigation\/anchor$/, /^404 GET \/signalk\/v1\/api\/vessels\/self\/.*\/meta\/$/,
  // An app that has kept nothing yet.
  /^404 GET \/signalk\/v1\/applicationData\//,
];

// What each app stores by its own session: the address, and the value.
const APPS = [
  { name: '@mxtommy/kip', store: ['POST', '/signalk/v1/applicationData/user/kip/11.0.0', { layout: { page: 1 } }] },
  {
    name: '@signalk/freeboard-sk',
    store: ['PUT', `/signalk/v2/api/resources/waypoints/${WAYPOINT}`, {
      name: 'Buoy', feature: { type: 'Feature', geometry: { type: 'Point', coordinates: [10, 54.1] }, properties: {} },
    }],
  },
  {
    name: '@signalk/instrumentpanel',
    store: ['POST', '/signalk/v1/applicationData/user/instrumentpanel/1.0', { widgets: ['depth'] }],
  },
];

const say = (row) => process.stdout.write(JSON.stringify(row) + '\n');
const here = new Set([new URL(boat).hostname, new URL(admin).hostname]);
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', `--host-resolver-rules=MAP * ~NOTFOUND, ${[...here].map((host) => `EXCLUDE ${host}`).join(', ')}`],
});

async function loggedIn(base) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 750 } });
  const page = await context.newPage();
  await page.goto(base + '/login');
  await page.fill('input[name=username]', 'skipper');
  await page.fill('input[name=password]', PASSWORD);
  await Promise.all([page.waitForURL(base + '/'), page.click('button')]);
  return { context, page };
}

async function visit(context, app) {
  const page = await context.newPage();
  const failed = new Set();
  let live = 0;
  page.on('response', (response) => {
    const url = new URL(response.url());
    if (response.status() >= 400 && here.has(url.hostname)) {
      failed.add(`${response.status()} ${response.request().method()} ${url.pathname}`);
    }
  });
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
    if (String(payload).includes('"updates"')) live += 1;
  }));
  await page.goto(`${boat}/${app.name}/`);
  const until = Date.now() + 30_000;
  while (live < 3 && Date.now() < until) await page.waitForTimeout(200);
  const [method, address, value] = app.store;
  const stored = await page.evaluate(async ([method, address, body]) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(address, { method, headers, body })).status;
  }, [method, address, JSON.stringify(value)]);
  await page.screenshot({ path: join(pictures, app.name.split('/').pop() + '.png') });
  await page.close();
  return { live, stored, unknown: [...failed].filter((one) => !KNOWN.some((known) => known.test(one))) };
}

const nobody = await browser.newContext();
const stranger = await nobody.newPage();
await stranger.goto(boat + '/login');
await stranger.screenshot({ path: join(pictures, 'login.png') });
// The page to log in fetches nothing, by its own policy.
await stranger.goto(boat + '/');
const refused = await stranger.evaluate(async () => (await fetch('/signalk/v1/applicationData/user/kip/1', { method: 'POST', body: '{}' })).status);
say({ app: 'nobody', refused });

const first = await loggedIn(boat);
for (const app of APPS) say({ app: app.name, ...await visit(first.context, app) });
const part = await first.page.evaluate(async () => (await fetch('/@signalk/vesselpositions/remoteEntry.js')).status);
say({ app: '@signalk/vesselpositions', part });

// Found again by who logs in elsewhere.
const second = await loggedIn(boat);
for (const { name, store: [, address, value] } of APPS) {
  const found = await second.page.evaluate(async (address) => (await fetch(address)).json(), address);
  say({ app: name, found: Object.entries(value).every(([key, one]) => JSON.stringify(found[key]) === JSON.stringify(one)) });
}

// The admin's port: administrates there, and not by what the boat's port serves.
const owner = await loggedIn(admin);
const users = await owner.page.evaluate(async () => (await fetch('/skServer/security/users')).status);
const beside = await owner.context.newPage();
await beside.goto(`${boat}/@signalk/instrumentpanel/`);
const reached = await beside.evaluate(async (address) => {
  try { return (await fetch(address, { credentials: 'include' })).status; } catch { return 'nothing'; }
}, `${admin}/skServer/security/users`);
const framed = await beside.evaluate((address) => new Promise((done) => {
  const frame = document.createElement('iframe');
  frame.src = address;
  frame.onload = () => done(frame.contentDocument ? 'shown' : 'closed');
  document.body.append(frame);
}), admin + '/');
say({ app: 'admin', users, reached, framed });

// What the admin UI asks for that this gateway does not have.
const KNOWN_OF_ADMIN = [
  // Before the login form was used.
  /^401 GET \/skServer\//,
  // Antennas, Bluetooth, and looking for servers nearby.
  /^404 GET \/signalk\/v2\/api\/vessels\/self\/(sensors\/gnss|ble(\/.*)?)$/, /^501 PUT \/skServer\/runDiscovery$/,
  // What the user has not kept yet.
  /^404 GET \/signalk\/v1\/applicationData\//,
];

// Signs in by the UI's own form, looks at its pages, configures a plugin, makes a user, names the vessel; a second browser
// finds all of it again.
async function adminUi() {
  const ui = `${admin}/admin/`;
  const failed = new Set();
  const scripts = new Set();
  let live = 0;
  const enter = async () => {
    const context = await browser.newContext({ viewport: { width: 1300, height: 900 }, acceptDownloads: true });
    const page = await context.newPage();
    page.on('response', (response) => {
      const url = new URL(response.url());
      if (response.status() >= 400) failed.add(`${response.status()} ${response.request().method()} ${url.pathname}`);
      if (response.request().resourceType() === 'script' && !url.pathname.startsWith('/admin/')) scripts.add(url.href);
    });
    page.on('pageerror', (error) => failed.add(`error ${error}`));
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
      if (String(payload).includes('"updates"')) live += 1;
    }));
    await page.goto(`${ui}#/login`);
    await page.fill('input[name=username]', 'skipper');
    await page.fill('input[name=password]', PASSWORD);
    await page.click('button:has-text("Login")');
    await page.getByText('Logged in as skipper').waitFor();
    return page;
  };
  const show = async (page, path, picture) => {
    await page.goto(`${ui}#/${path}`);
    await page.waitForTimeout(1500);
    if (picture) await page.screenshot({ path: join(pictures, `admin-${picture}.png`) });
  };
  const page = await enter();
  await page.getByText('msg/s').first().waitFor({ timeout: 15_000 });
  await show(page, 'dashboard', 'dashboard');
  await show(page, 'data/browser');
  await page.getByText('environment.wind.speedApparent').first().waitFor({ timeout: 15_000 });
  const rows = await page.getByText(/^(environment|navigation)\./).count();
  await page.screenshot({ path: join(pictures, 'admin-data.png') });
  for (const path of ['webapps', 'data/meta', 'data/connections/-', 'data/priorities', 'data/preferences', 'security/devices',
    'security/access/requests', 'security/settings']) await show(page, path, path.replaceAll('/', '-'));
  await show(page, 'serverConfiguration/log', 'log');
  const logged = await page.getByText('is logged in').count() > 0;
  await show(page, 'apps/configuration/_skiff_true-wind');
  await page.getByText('Maximum age').waitFor();
  await page.fill('input[type=number]', '7');
  await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/config') && response.ok()),
    page.click('button:has-text("Save Configuration")'),
  ]);
  await page.screenshot({ path: join(pictures, 'admin-plugin.png') });
  await show(page, 'security/users');
  await page.click('button:has-text("Add")');
  await page.fill('input[name=userId]', 'mate');
  await page.fill('input[name=password]', 'quarter to nine');
  await page.fill('input[name=confirmPassword]', 'quarter to nine');
  await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/security/users/mate') && response.ok()),
    page.click('button:has-text("Apply")'),
  ]);
  await page.screenshot({ path: join(pictures, 'admin-users.png') });
  await show(page, 'serverConfiguration/settings');
  await page.fill('input[name=name]', 'Nina');
  await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/skServer/vessel') && response.request().method() === 'PUT'),
    page.click('button:has-text("Save")'),
  ]);
  await page.screenshot({ path: join(pictures, 'admin-settings.png') });
  const again = await enter();
  const read = (address) => again.evaluate(async (address) => (await fetch(address)).json(), address);
  const configured = (await read('/skServer/plugins/_skiff_true-wind/config')).configuration?.maxAgeSeconds === 7;
  const user = (await read('/skServer/security/users')).some((one) => one.userId === 'mate');
  const vessel = (await read('/skServer/vessel')).name === 'Nina';
  again.on('dialog', (dialog) => dialog.accept());
  const described = await documents(again, ui, pictures);
  const own = await again.context().newPage();
  own.on('dialog', (dialog) => dialog.accept());
  const stored = await store(again, own, admin, ui, registry, pictures);
  const saved = await backup(again, ui, pictures);
  const at = await nobody.newPage();
  const elsewhere = (await at.goto(`${boat}/@signalk/server-admin-ui/`)).status();
  return {
    live, rows, logged, configured, user, vessel, boat: elsewhere, described, stored, saved, scripts: [...scripts],
    unknown: [...failed].filter((one) => !KNOWN_OF_ADMIN.some((known) => known.test(one))),
  };
}
say({ app: '@signalk/server-admin-ui', ...await adminUi() });
await browser.close();
