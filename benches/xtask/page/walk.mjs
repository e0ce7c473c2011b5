// Uses the gateway's page in a real browser, part by part, and says what was done and seen, a line of JSON each.
//
// Arguments: address of the boat's port, of the admin's, path of Chromium, folder for screenshots, parts (all, if none).
// A part is a file in `parts` that exports `walk(world)`; what it does not like it throws.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';

const required = createRequire(join(process.cwd(), 'x'));
const { chromium } = required('playwright-core');
const AXE = readFileSync(required.resolve('axe-core/axe.min.js'), 'utf8');
const [boat, admin, executablePath, pictures, ...wanted] = process.argv.slice(2);
const PASSWORD = process.env.SKIPPERS_PASSWORD;
export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1366, height: 900 };
// How long anything may take before it counts as not happening: for a machine that does ten other things, too.
const PATIENCE_MS = Number(process.env.PAGE_PATIENCE_MS ?? 240_000);

// A page that no server sent may not reach one on this machine.
const OFFLINE = process.env.PAGE_FROM ? ['--disable-features=LocalNetworkAccessChecks'] : [];
// Faults of the visit that began last, told when a part fails.
let latest = [];

// What was asked while its page was closed answers nobody; all else is a fault of the walk.
process.on('unhandledRejection', (error) => {
  if (/disposed|has been closed/.test(String(error))) return;
  process.stdout.write(`${JSON.stringify({ part: 'walk', ok: false, wrong: String(error.stack ?? error).slice(0, 2000) })}\n`);
});

const browser = await chromium.launch({ executablePath, timeout: PATIENCE_MS, args: ['--no-sandbox', ...OFFLINE] });
const began = performance.now();

// A browser of a visitor: `user` is signed in by the form, as a person is. Faults of the page end the part.
async function visit({ door = boat, user = 'skipper', password = PASSWORD, size = DESK, scheme = 'light', at = '' } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme });
  context.setDefaultTimeout(PATIENCE_MS);
  // The page's policy would refuse what axe adds to it; the page's own scripts are held to it all the same.
  const page = await context.newPage();
  if (process.env.PAGE_FROM) await page.route((url) => url.pathname === '/', fromSource);
  // What the page says for some seconds is kept for the walk, which may look later than that.
  await page.addInitScript(keepNotices);
  await shake(page);
  wholeNames(page);
  const faults = [];
  latest = faults;
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('console', (line) => line.type() === 'error' && faults.push(`console: ${line.text()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(door) && !/^(data|blob):/.test(request.url())) faults.push(`foreign: ${request.url()}`);
  });
  if (user) {
    await page.goto(`${door}/login`);
    await page.fill('input[name=username]', user);
    await page.fill('input[name=password]', password);
    await Promise.all([page.waitForURL(`${door}/`), page.click('button')]);
  }
  await page.goto(`${door}/${at}`);
  // Where the form has led was answered by the gateway itself, and an address that differs in its end alone loads nothing.
  if (process.env.PAGE_FROM) await page.reload();
  return { context, page, faults };
}

// Instead of the page that the gateway was built with: the one in a folder, to try a change without a build of the gateway.
async function fromSource(route) {
  if (route.request().method() !== 'GET') return route.continue();
  const [script, style] = ['page.js', 'page.css'].map((name) => readFileSync(join(process.env.PAGE_FROM, name), 'utf8'));
  const body = `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Skiff</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="preload" href="/skiff/v1/machine" as="fetch" crossorigin><style>${style}</style></head>
<body><div id="page"></div><script>${script}</script></body></html>`;
  // The policy is that of `runtime/src/server/index/mod.rs`.
  const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const { origin, host } = new URL(route.request().url());
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; connect-src 'self' ws://${host} wss://${host}; img-src 'self' data:; frame-src ${origin === boat ? "'self'" : "'none'"}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return route.fulfill({ contentType: 'text/html; charset=utf-8', headers: { 'content-security-policy': policy }, body });
}

// A name given as text is the whole name, and a label's words are its first ones (a unit or an explanation may follow): "Version before"
// is not "Keep the version before", which a dialog that closes may still have. A part that wants less gives a pattern.
function wholeNames(page) {
  for (const kind of [page, page.locator('html')].map(Object.getPrototypeOf)) {
    if (Object.hasOwn(kind, 'takesWholeNames')) continue;
    const { getByRole, getByLabel } = kind;
    Object.assign(kind, {
      takesWholeNames: true,
      getByRole(role, options = {}) { return getByRole.call(this, role, { exact: true, ...options }); },
      getByLabel(label, options = {}) {
        const begins = typeof label === 'string' && !options.exact ? new RegExp(`^\\s*${label.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}`) : label;
        return getByLabel.call(this, begins, options);
      },
    });
  }
}

// With `PAGE_SHAKE`, a number, each request waits up to as many milliseconds: a step that leans on the order of two answers fails
// here, not on the machine of somebody else.
async function shake(page) {
  const most = Number(process.env.PAGE_SHAKE ?? 0);
  if (most === 0) return;
  await page.route('**/*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * most));
    await route.fallback();
  });
}

// What axe finds of serious faults of accessibility, as rule and element.
async function seriousFaults(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setBypassCSP', { enabled: true });
  await session.send('Runtime.evaluate', { expression: AXE });
  const found = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }));
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

// Waits until something is true; its last value is in the error. Nothing here sleeps a fixed time.
async function until(what, question, { within = PATIENCE_MS, isRight = Boolean } = {}) {
  const end = Date.now() + within;
  let last;
  do {
    last = await question();
    if (isRight(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < end);
  throw new Error(`${what}: not within ${within} ms, last ${JSON.stringify(last)}`);
}

// Waits until an answer is this value, or fits this pattern: what is drawn comes a moment after what causes it.
function becomes(what, question, wanted) {
  const isRight = (found) => (wanted instanceof RegExp ? wanted.test(found) : isDeepStrictEqual(found, wanted));
  return until(`${what}, wanted ${wanted instanceof RegExp ? wanted : JSON.stringify(wanted)}`, question, { isRight });
}

// Runs in the page before its own script. A notice is shown anew each time that something is said, the same words, too.
function keepNotices() {
  window.toldNotices = [];
  document.addEventListener('beforetoggle', ({ target, newState }) => {
    if (newState === 'open' && target.matches('.notices')) window.toldNotices.push(target.querySelector('.notice > span').textContent);
  }, true);
}

// Waits until the page has said this in a notice, be it gone since; each time that it was said counts once.
async function told(page, words) {
  const take = (wanted) => {
    const at = window.toldNotices?.findIndex((text) => text.includes(wanted)) ?? -1;
    return at < 0 ? null : window.toldNotices.splice(at, 1)[0];
  };
  await until(`told: ${words}`, () => page.evaluate(take, words));
}

// Waits for a fault that had to come, as the browser's own line of a request that was refused, and takes it off the list.
async function forgive(faults, pattern) {
  await until(`a fault like ${pattern}`, () => faults.some((fault) => pattern.test(fault)));
  faults.splice(0, faults.length, ...faults.filter((fault) => !pattern.test(fault)));
}

const world = {
  boat, admin, browser, PASSWORD, PHONE, DESK, top: process.env.SKIFF_TOP, visit, until, becomes, told, forgive, seriousFaults, assert,
  picture: (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) }),
  // Says that something was done and seen, and how many seconds after the beginning.
  did: (part, what, more = {}) => process.stdout.write(`${JSON.stringify({ part, what, ok: true, s: Math.round((performance.now() - began) / 1000), ...more })}\n`),
};

const here = new URL('./parts/', import.meta.url);
const parts = readdirSync(here).filter((name) => name.endsWith('.mjs')).map((name) => name.slice(0, -4)).sort();
for (const part of wanted.length > 0 ? wanted : parts) {
  try {
    await (await import(new URL(`${part}.mjs`, here).href)).walk(world);
  } catch (error) {
    const open = browser.contexts().flatMap((context) => context.pages());
    await Promise.all(open.map((page, index) => page.screenshot({ path: join(pictures, `failed-${part}-${index}.png`) })));
    process.stdout.write(`${JSON.stringify({ part, ok: false, wrong: String(error.stack ?? error).slice(0, 2000), faults: latest })}\n`);
  }
}
await browser.close();
