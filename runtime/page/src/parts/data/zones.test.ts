import assert from 'node:assert/strict';
import test from 'node:test';
import { chosen } from '../../kit/units';
import { EMPTY, read, typed } from './zones';

const feet = chosen('m', 'ft');
const celsius = chosen('K');

test('a zone goes through the form unchanged', () => {
  const zone = { lower: 1.5, upper: 3, state: 'warn', message: 'shallow' };
  assert.deepEqual(read([typed(zone, feet)], feet), { zones: [zone], wrong: new Map() });
  const hot = { upper: 368.15, state: 'alarm' };
  assert.equal(typed(hot, celsius).upper, '95');
  assert.deepEqual(read([typed(hot, celsius)], celsius).zones, [hot]);
});

test('what cannot be a zone is said, each by its place', () => {
  const rows = [{ ...EMPTY, lower: '2', upper: '1' }, { ...EMPTY }, { ...EMPTY, lower: 'deep' }, { ...EMPTY, upper: '4,5' }, { ...EMPTY, upper: '1', state: 'silly' }];
  const { wrong, zones } = read(rows, chosen('m'));
  assert.deepEqual([...wrong.keys()], [0, 1, 2, 4]);
  assert.match(wrong.get(0) ?? '', /below the upper/);
  assert.deepEqual(zones[3], { upper: 4.5, state: 'alarm' });
});
