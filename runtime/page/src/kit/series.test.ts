import assert from 'node:assert/strict';
import test from 'node:test';
import { begun, lines, Series, SPAN_S, SPANS, unwrapped } from './series';

const T = 1_780_000_000_000 - (1_780_000_000_000 % (SPAN_S * 1000));

test('the last value of a span stays, and gaps are gaps', () => {
  const series = new Series();
  series.put(T, 1);
  series.put(T + 1000, 2);
  series.put(T + 2 * SPAN_S * 1000, 3);
  assert.deepEqual(series.until(T + 2 * SPAN_S * 1000).slice(-3), [2, Number.NaN, 3]);
});

test('what is older than the room is not shown, and does not take the place of the new', () => {
  const series = new Series();
  series.put(T, 1);
  series.put(T - SPANS * SPAN_S * 1000, 7);
  series.put(T, Number.NaN);
  assert.equal(series.until(T).at(-1), 1);
  assert.ok(series.until(T + SPANS * SPAN_S * 1000).every(Number.isNaN));
  assert.equal(series.until(T).length, SPANS);
});

test('values of the past can be put after those of now', () => {
  const series = new Series();
  series.put(T, 2);
  series.put(T - SPAN_S * 1000, 1);
  assert.deepEqual(series.until(T).slice(-2), [1, 2]);
});

test('a course through north is a line, not a jump', () => {
  const turned = unwrapped([6.2, Number.NaN, 0.1, 6.2]);
  assert.ok(Math.abs((turned[2] ?? 0) - (0.1 + 2 * Math.PI)) < 1e-9);
  assert.ok(Math.abs((turned[3] ?? 0) - 6.2) < 1e-9);
});

test('a line begins where there is something', () => {
  const nothing = Number.NaN;
  assert.deepEqual(begun([nothing, nothing, 1, nothing, 2], 2), [1, nothing, 2]);
  assert.deepEqual(begun([nothing, nothing, 2], 2), [nothing, 2]);
  assert.deepEqual(begun([nothing, nothing], 1), [nothing]);
  assert.deepEqual(begun([1, 2], 1), [1, 2]);
});

test('lines end where values end', () => {
  assert.deepEqual(lines([1, Number.NaN, 3, 2], 0), [[[0, 1]], [[2 / 3, 0], [1, 0.5]]]);
  assert.deepEqual(lines([5, 5], 1), [[[0, 0.5], [1, 0.5]]]);
  assert.deepEqual(lines([], 1), []);
});
