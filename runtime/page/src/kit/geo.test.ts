import assert from 'node:assert/strict';
import test from 'node:test';
import { approach, bearing, distance, isPosition, offset, velocity } from './geo';

const near = (value: number, wanted: number, within: number) => assert.ok(Math.abs(value - wanted) <= within, `${value}, not ${wanted}`);

test('a minute of latitude is a mile to the north', () => {
  const at = offset({ latitude: 54, longitude: 10 }, { latitude: 54 + 1 / 60, longitude: 10 });
  near(distance(at), 1852, 3);
  near(bearing(at), 0, 1e-9);
});

test('east and west are told apart, also across the date line', () => {
  near(bearing(offset({ latitude: 0, longitude: 179.99 }, { latitude: 0, longitude: -179.99 })), Math.PI / 2, 1e-9);
  near(distance(offset({ latitude: 0, longitude: 179.99 }, { latitude: 0, longitude: -179.99 })), 2224, 2);
  near(bearing(offset({ latitude: 60, longitude: 10 }, { latitude: 60, longitude: 9 })), 1.5 * Math.PI, 1e-9);
});

test('two that meet head on meet in the middle of the time', () => {
  const met = approach({ east: 0, north: 2000 }, velocity(Math.PI, 5), velocity(0, 5));
  near(met?.cpa ?? NaN, 0, 1e-6);
  near(met?.tcpa ?? NaN, 200, 1e-6);
});

test('one that passes ahead is as near as its track', () => {
  // It crosses from the right 1000 m ahead, at the same speed as ours.
  const met = approach({ east: 1000, north: 1000 }, velocity(1.5 * Math.PI, 5), velocity(0, 0));
  near(met?.cpa ?? NaN, 1000, 1e-6);
  near(met?.tcpa ?? NaN, 200, 1e-6);
});

test('what has passed has a time behind it, and who keeps company none', () => {
  assert.ok((approach({ east: 0, north: -500 }, velocity(Math.PI, 3), velocity(0, 3))?.tcpa ?? 0) < 0);
  assert.equal(approach({ east: 0, north: 500 }, velocity(1, 4), velocity(1, 4)), null);
  assert.equal(approach({ east: 0, north: 500 }, velocity(Number.NaN, 4), velocity(1, 4)), null);
});

test('a position has both halves, on the earth', () => {
  assert.equal(isPosition({ latitude: 1, longitude: 2 }), true);
  for (const bad of [null, 3, {}, { latitude: 1 }, { latitude: 91, longitude: 0 }, { latitude: 'x', longitude: 0 }]) {
    assert.equal(isPosition(bad), false, JSON.stringify(bad));
  }
});
