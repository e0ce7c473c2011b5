import assert from 'node:assert/strict';
import test from 'node:test';
import { kindOf, ofPreset, said, together, unitOf, wordsOf } from './quantity';

test('metres are of three kinds', () => {
  assert.equal(kindOf('environment.depth.belowKeel', 'm')?.id, 'depth');
  assert.equal(kindOf('navigation.course.calcValues.distance', 'm')?.id, 'distance');
  assert.equal(kindOf('navigation.gnss.antennaAltitude', 'm')?.id, 'length');
  assert.equal(unitOf('navigation.log', 'm', {}).name, 'nm');
  assert.equal(unitOf('environment.depth.belowKeel', 'm', { depth: 'ft' }).name, 'ft');
});

test('pressures of the air and of an engine are two kinds', () => {
  assert.equal(unitOf('environment.outside.pressure', 'Pa', {}).name, 'mbar');
  assert.equal(unitOf('propulsion.port.oilPressure', 'Pa', {}).name, 'bar');
});

test('a unit that nobody knows is shown as it is', () => {
  assert.deepEqual(said(3, unitOf('a.b', 'lux', {})), { text: '3.00', unit: 'lux' });
  assert.equal(kindOf('a.b', 'lux'), undefined);
});

test('a preset of the gateway becomes choices, what is unknown in it none', () => {
  const preset = { categories: { distance: { symbol: 'nmi' }, depth: { symbol: 'ft' }, temperature: { symbol: '°R' }, speed: { symbol: 'km/h' }, volume: 7 } };
  assert.deepEqual(ofPreset(preset), { speed: 'km/h', wind: 'km/h', depth: 'ft', distance: 'nm' });
  assert.deepEqual(ofPreset(null), {});
  assert.deepEqual(ofPreset('x'), {});
});

test('values are words', () => {
  const unit = unitOf('a', '', {});
  assert.equal(said(null, unit).text, '–');
  assert.equal(said(true, unit).text, 'yes');
  assert.equal(said({ latitude: 54.5, longitude: 10 }, unit).text, '54°30.000′ N 010°00.000′ E');
  assert.equal(said({ roll: 1 }, unit).text, '{"roll":1}');
  assert.equal(said('x'.repeat(5), unit).text, 'xxxxx');
  assert.equal(said({ long: 'x'.repeat(400) }, unit).text.length, 301);
});

test('a degree stands at its number, other units after a space', () => {
  const words = (text: string, unit: string) => together({ text, unit });
  assert.deepEqual([words('36', '° port'), words('1', '°'), words('4', '°/min'), words('20', '°C'), words('5', 'm'), words('yes', '')], ['36° port', '1°', '4 °/min', '20 °C', '5 m', 'yes']);
});

test('a path has words', () => {
  assert.equal(wordsOf('environment.wind.speedApparent'), 'wind speed apparent');
  assert.equal(wordsOf('notifications.mob'), 'mob');
});
