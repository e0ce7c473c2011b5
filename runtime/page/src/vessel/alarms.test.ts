import assert from 'node:assert/strict';
import test from 'node:test';
import { type Alarm, inOrder, isNotification } from './alarms';

const alarm = (path: string, state: string, time: number, acknowledged = false): Alarm => ({ path, time, source: 'x', value: { state, status: { acknowledged } } });

test('the worst comes first, then what nobody has acknowledged, then the newest', () => {
  const all = [alarm('a', 'alert', 9), alarm('b', 'alarm', 1), alarm('c', 'alarm', 2, true), alarm('d', 'alarm', 3), alarm('e', 'normal', 9), alarm('f', 'emergency', 0)];
  assert.deepEqual(inOrder(all).map(({ path }) => path), ['f', 'd', 'b', 'c', 'a']);
});

test('what is normal, or has a state that nobody knows, is no alarm', () => {
  assert.deepEqual(inOrder([alarm('a', 'nominal', 1), alarm('b', 'silly', 1)]), []);
  assert.equal(isNotification(null), false);
  assert.equal(isNotification({ message: 'x' }), false);
  assert.equal(isNotification({ state: 'warn' }), true);
});
