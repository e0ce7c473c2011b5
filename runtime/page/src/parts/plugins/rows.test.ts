import assert from 'node:assert/strict';
import test from 'node:test';
import { budgetOf, nameAndVersion, rightOf, type Row, stateOf, troubles } from './rows';

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
