import assert from 'node:assert/strict';
import test from 'node:test';
import { fitting, RANGES, targets } from './targets';

const own = { position: { latitude: 54, longitude: 10 }, course: 0, speed: 5 };
const at = (north: number) => ({ latitude: 54 + north / 60, longitude: 10 });

test('the nearest comes first, by its name, else its number', () => {
  const found = targets(own, [
    { context: 'vessels.urn:mrn:imo:mmsi:211', name: ' FAR ', position: at(3), age: 1 },
    { context: 'vessels.urn:mrn:imo:mmsi:212', position: at(1), age: 1 },
    { context: 'vessels.urn:mrn:imo:mmsi:213', mmsi: '213', position: at(2), age: 1 },
  ]);
  assert.deepEqual(found.map(({ name }) => name), ['212', '213', 'FAR']);
  assert.ok(found.every(({ cpa, isNear }) => cpa === null && !isNear), 'nobody meets whose course is not known');
});

test('one that comes head on is near', () => {
  const [one] = targets(own, [{ context: 'vessels.a', position: at(1), course: Math.PI, speed: 5, age: 1 }]);
  assert.ok(one && one.isNear && (one.cpa ?? 9) < 1 && Math.abs((one.tcpa ?? 0) - 185.3) < 1);
});

test('an anchored one is met by us, a station never', () => {
  const [anchored] = targets(own, [{ context: 'vessels.a', position: at(0.5), speed: 0.1, age: 1 }]);
  assert.equal(anchored?.isNear, true);
  const [station] = targets(own, [{ context: 'shore.b', position: at(0.5), speed: 0, course: 0, age: 1 }]);
  assert.equal(station?.cpa, null);
});

test('who has not spoken for long is old, then gone; and so is who has no position', () => {
  const of = (context: string, age: number) => targets(own, [{ context, position: at(1), age }]);
  assert.deepEqual(of('vessels.a', 201).map(({ isOld }) => isOld), [true]);
  assert.deepEqual(of('vessels.a', 601), []);
  assert.equal(of('atons.a', 601).length, 1);
  assert.deepEqual(targets(own, [{ context: 'vessels.a', position: { latitude: 'x' }, age: 1 }]), []);
});

test('the range takes in most of the nearest, and who comes near', () => {
  const many = targets(own, [0.3, 0.6, 0.9, 1.2, 1.6, 30].map((north, index) => ({ context: `vessels.${index}`, position: at(north), age: 1 })));
  assert.equal(fitting(many), 2 * 1852);
  const few = targets(own, [{ context: 'vessels.a', position: at(0.4), age: 1 }, { context: 'vessels.b', position: at(30), age: 1 }]);
  assert.equal(fitting(few), 0.5 * 1852, 'one that is far makes nobody small');
  const coming = targets(own, [{ context: 'vessels.a', position: at(0.4), age: 1 }, { context: 'vessels.b', position: at(3), course: Math.PI, speed: 9, age: 1 }]);
  assert.equal(fitting(coming), 4 * 1852);
  assert.equal(fitting([]), RANGES[0]);
});
