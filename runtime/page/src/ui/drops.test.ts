import assert from 'node:assert/strict';
import test from 'node:test';
import { dropsOf } from './drops';

test('what was lost is said in words, the most first', () => {
  const drops = dropsOf({ n2k_gap: 2, requests: 0, new_reason: 1, n2k_forgotten_sources: 9 });
  assert.deepEqual(drops.map(({ reason }) => reason), ['n2k_forgotten_sources', 'n2k_gap', 'new_reason']);
  assert.deepEqual(drops.map(({ words }) => words), ['NMEA 2000: forgotten for want of room: sources', 'NMEA 2000: messages with a part missing', 'new reason']);
});
