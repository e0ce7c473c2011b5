import assert from 'node:assert/strict';
import test from 'node:test';
import { Lag } from './lag';

const NOW = 1_800_000_000_000;
const SUMMER = 1_780_000_000_000;

test('a log that is played is as old as its last line', () => {
  const lag = new Lag();
  lag.hear('log.1', SUMMER, NOW, 100);
  assert.equal(lag.of('log.1'), 0, 'what is told at first may be old');
  lag.hear('log.1', SUMMER + 3000, NOW + 3000, 3000);
  assert.equal(lag.of('log.1'), NOW - SUMMER);
});

test('what is told again when the stream opens anew makes nothing young', () => {
  const lag = new Lag();
  lag.hear('a', NOW, NOW, 5000);
  lag.hear('a', NOW, NOW + 60_000, 100);
  lag.hear('a', NOW, NOW + 65_000, 5000);
  assert.equal(lag.of('a'), 0);
});

test('who says a path a second time speaks now, however soon', () => {
  const lag = new Lag();
  lag.hear('log.1', SUMMER, NOW, 100);
  lag.hear('log.1', SUMMER + 100, NOW + 100, 200);
  assert.equal(lag.of('log.1'), 0, 'another path of what was known');
  lag.hear('log.1', SUMMER + 200, NOW + 200, 300, true);
  assert.equal(lag.of('log.1'), NOW - SUMMER);
});

test('a right clock is left alone, and one that is ahead is set back', () => {
  const lag = new Lag();
  lag.hear('slow', NOW - 4000, NOW, 5000);
  assert.equal(lag.of('slow'), 0);
  lag.hear('ahead', NOW + 100_000, NOW, 5000);
  assert.equal(lag.of('ahead'), -100_000);
  assert.equal(lag.of('unheard'), 0);
});
