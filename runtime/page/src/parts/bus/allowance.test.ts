import assert from 'node:assert/strict';
import test from 'node:test';
import { linesOf, relayKind, relayOf } from './allowance';

test('what programs may send goes to a form and back', () => {
  for (const relay of [false, true, [127250, 130306]]) assert.deepEqual(relayOf(relayKind(relay), Array.isArray(relay) ? relay.join(', ') : ''), relay);
  assert.equal(relayKind([]), 'none');
  assert.equal(relayKind(undefined), 'none');
});

test('what is no PGN is named, and none is asked for', () => {
  assert.throws(() => relayOf('some', '127250 wind'), /wind is no PGN/);
  assert.throws(() => relayOf('some', ' , '), /Which PGNs/);
});

test('empty lines say nothing', () => {
  assert.deepEqual(linesOf(' a.b \n\n c.*\n'), ['a.b', 'c.*']);
});
