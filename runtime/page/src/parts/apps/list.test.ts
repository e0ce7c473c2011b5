import assert from 'node:assert/strict';
import test from 'node:test';
import { iconOf, readApps } from './list';

const row = { name: '@a/b', version: '1.0.0', location: '/@a/b/', embeddable: true, signalk: { displayName: 'Chart', appIcon: './img/icon.png' } };

test('an app has the title and the picture it gives itself', () => {
  const [app] = readApps([row]);
  assert.ok(app);
  assert.equal(app.title, 'Chart');
  assert.equal(app.isEmbeddable, true);
  assert.equal(iconOf(app), '/@a/b/img/icon.png');
});

test('an app that says little has its name, one that is nowhere is left out', () => {
  assert.deepEqual(readApps([{ name: 'b', location: '/b/' }, null, { name: 'c' }, { name: 'd', location: '//elsewhere/' }]).map(({ title }) => title), ['b']);
  assert.deepEqual(readApps('x'), []);
});

test('a picture from elsewhere is none', () => {
  for (const appIcon of ['http://x/y.png', '//x/y.png', '../../../other/icon.png', '']) {
    const [app] = readApps([{ ...row, signalk: { appIcon } }]);
    const icon = app && iconOf(app);
    assert.ok(icon === null || icon?.startsWith('/@a/b/'), `${appIcon}: ${icon}`);
  }
});
