import assert from 'node:assert/strict';
import test from 'node:test';
import { budgetOf, isShadow, nameAndVersion, rightOf, type Row, rowOf, stateOf, troubles } from './rows';

const row = (skiff: object, state = 'running') => ({ state, skiff: { restarts: 0, recycled: 0, drops: 0, refused: 0, budget: [], ...skiff } }) as unknown as Row;

test('a plugin that asks and does not run waits for consent', () => {
  assert.deepEqual(stateOf(row({ asks: ['network'] }, 'disabled')), ['waits for your consent', 'warn']);
  assert.deepEqual(stateOf(row({ asks: ['network'] })), ['running', 'good']);
  assert.deepEqual(stateOf(row({}, 'error')), ['cannot run', 'wrong']);
  assert.deepEqual(stateOf(row({}, 'starting')), ['starting', 'warn']);
});

test('a right that nobody knows is shown all the same', () => {
  assert.equal(rightOf('autopilotProvider')[1], 'It can steer the boat.');
  assert.equal(rightOf('teleport')[0], 'teleport');
});

test('a list shows memory and fuel, the plugin all of its budget', () => {
  const budget = ['module', 'linear memory', 'fuel of the last call', 'new'].map((name) => ({ row: name, used: 1, reserved: 0, limit: 2, unit: 'bytes' }));
  assert.deepEqual(budgetOf(row({ budget }), true).map(({ title }) => title), ['Working memory', 'Work of the last call']);
  assert.deepEqual(budgetOf(row({ budget }), false).map(({ title }) => title), ['Program', 'Working memory', 'Work of the last call', 'new']);
});

test('only what went wrong is said', () => {
  assert.equal(troubles(row({})), '');
  assert.equal(troubles(row({ restarts: 2, drops: 7 })), '2 restarts after a crash, 7 deltas lost');
});

test('a scope is no version', () => {
  assert.deepEqual(nameAndVersion(' @acme/tide '), ['@acme/tide', '']);
  assert.deepEqual(nameAndVersion('@acme/tide@1.2.0-rc.1'), ['@acme/tide', '1.2.0-rc.1']);
  assert.deepEqual(nameAndVersion('tide@2'), ['tide', '2']);
});

test('of two packages with one id each is found, and only the one that runs is removed by it', () => {
  const good = { id: 'tide', packageName: 'tide', skiff: {} } as Row;
  const other = { id: 'tide', packageName: '@acme/tide', skiff: { unusable: true } } as Row;
  const rows = [good, other];
  assert.deepEqual([rowOf(rows, 'tide'), rowOf(rows, '@acme/tide'), rowOf(rows, 'none')], [good, other, undefined]);
  assert.deepEqual([isShadow(good, rows), isShadow(other, rows), isShadow(other, [other])], [false, true, false]);
});
