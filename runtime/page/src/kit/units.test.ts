import assert from 'node:assert/strict';
import test from 'node:test';
import { bytes, chosen, course, digits, latitude, longitude, shown, span, unshown } from './units';

test('a speed is shown in knots where nobody has chosen', () => {
  const knots = chosen('m/s');
  assert.equal(knots.name, 'kn');
  assert.equal(shown(1852 / 3600, knots), '1.0');
  assert.equal(shown(100, knots), '194');
  assert.equal(shown(-0.001, knots), '0.0', 'nothing is minus zero');
  assert.equal(shown(10, chosen('m/s', 'km/h')), '36.0');
});

test('a choice that is no more known falls back', () => {
  assert.equal(chosen('K', 'furlong').name, '°C');
  assert.equal(shown(293.15, chosen('K')), '20.0');
  assert.equal(chosen('lux').name, 'lux');
  assert.equal(shown(Number.NaN, chosen('K')), '–');
});

test('a number goes to a form and back', () => {
  const celsius = chosen('K');
  assert.equal(digits(373.15, celsius), '100');
  assert.equal(unshown(100, celsius), 373.15);
  const feet = chosen('m', 'ft');
  assert.equal(unshown(Number(digits(4, feet)), feet), 4);
  assert.ok(Number.isNaN(unshown(Number('x'), feet)));
});

test('a course has three digits and no 360', () => {
  assert.deepEqual([0, -0.01, Math.PI, 2 * Math.PI - 0.001].map(course), ['000', '359', '180', '000']);
});

test('a position has no minute 60', () => {
  assert.equal(latitude(54.39), '54°23.400′ N');
  assert.equal(longitude(-10.99999999), '011°00.000′ W');
  assert.equal(longitude(10.16), '010°09.600′ E');
});

test('spans and sizes have one unit', () => {
  assert.deepEqual([0, 59.9, 60, 7300, 200_000].map(span), ['0 s', '59 s', '1 min', '2 h', '2 d']);
  assert.deepEqual([812, 4200, 999_999, 67_108_864].map(bytes), ['812 bytes', '4.2 KB', '1000 KB', '67.1 MB']);
});
