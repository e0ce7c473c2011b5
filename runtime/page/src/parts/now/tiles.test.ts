import assert from 'node:assert/strict';
import test from 'node:test';
import { arranged, moved, tilesOf } from './tiles';

test('what the boat does not have is not shown', () => {
  assert.deepEqual(tilesOf([]), []);
  assert.deepEqual(tilesOf(['environment.depth.belowTransducer', 'a.b']).map(({ title }) => title), ['Depth below transducer']);
});

test('one depth and one heading are enough', () => {
  const paths = ['environment.depth.belowTransducer', 'environment.depth.belowKeel', 'navigation.headingMagnetic', 'navigation.headingTrue'];
  assert.deepEqual(tilesOf(paths).map(({ title }) => title), ['Depth below keel', 'Heading']);
});

test('instances have a tile each, and a name where there are two', () => {
  const paths = ['electrical.batteries.10.voltage', 'electrical.batteries.2.voltage', 'tanks.fuel.0.currentLevel', 'propulsion.port.revolutions'];
  assert.deepEqual(tilesOf(paths).map(({ title }) => title), ['Battery 2', 'Battery 10', 'Fuel', 'Engine']);
  assert.deepEqual(tilesOf(paths)[0]?.also?.map(({ path }) => path), ['electrical.batteries.2.current', 'electrical.batteries.2.capacity.stateOfCharge']);
  assert.equal(tilesOf(['electrical.batteries.house.voltage'])[0]?.title, 'Battery house');
});

test('a room is called by its own name', () => {
  assert.deepEqual(tilesOf(['environment.inside.mainCabin.temperature', 'environment.inside.temperature']).map(({ title }) => title), ['Inside', 'Main cabin']);
});

test('a hundred tanks are not a hundred tiles', () => {
  const paths = Array.from({ length: 200 }, (_, index) => `tanks.fuel.${index}.currentLevel`);
  assert.equal(tilesOf(paths).length, 80);
});

test('a tile goes up and down, and not beyond the ends', () => {
  const tiles = tilesOf(['environment.depth.belowKeel', 'navigation.speedOverGround', 'navigation.headingTrue']);
  const order = moved(tiles, 'navigation.headingTrue', -1);
  assert.deepEqual(arranged(tiles, order).map(({ title }) => title), ['Depth below keel', 'Heading', 'Speed over ground']);
  assert.deepEqual(moved(tiles, 'environment.depth.belowKeel', -1), tiles.map(({ path }) => path));
  assert.deepEqual(arranged(tiles, ['navigation.headingTrue']).map(({ title }) => title), ['Heading', 'Depth below keel', 'Speed over ground']);
});
