import assert from 'node:assert/strict';
import test from 'node:test';
import { endOf } from './rows';

test('an end is a day, and one that has passed is said to be', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  assert.equal(endOf(undefined, now), 'no end');
  assert.equal(endOf('2026-12-01T00:00:00.000Z', now), 'until 2026-12-01');
  assert.equal(endOf('2026-11-30T11:59:59.000Z', now), 'ended 2026-11-30');
  assert.equal(endOf('soon', now), 'soon');
});
