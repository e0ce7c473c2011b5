import assert from 'node:assert/strict';
import test from 'node:test';
import type { Status } from '../../ui/status';
import { stateOf } from './connection';
import { rowsOf } from './rows';

const INPUT = { label: 'can0', state: 'open', frames: 9, messages: 3, sentences: 0, deltas: 3, bad_lines: 0, drops: 0, lost: 1 };

test('the bus of a chip is an input with the state of its controller', () => {
  const [row] = rowsOf({ inputs: [INPUT], can: [{ interface: 'can0', state: 'bus-off', lost: 2 }] } as unknown as Status);
  assert.deepEqual([row?.name, row?.address, row?.status?.lost, stateOf(row?.state ?? '')], ['can0', 'NMEA 2000', 3, ['off the bus after errors', 'wrong']]);
});

test('another input is as the gateway says', () => {
  const [row] = rowsOf({ inputs: [{ ...INPUT, label: 'gps', state: 'waiting', reason: 'no such device', address: 'serial' }] } as unknown as Status);
  assert.deepEqual([row?.state, row?.reason, row?.address], ['waiting', 'no such device', 'serial']);
  assert.deepEqual(rowsOf({} as Status), []);
});
