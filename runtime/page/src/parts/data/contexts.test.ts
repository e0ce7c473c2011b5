import assert from 'node:assert/strict';
import test from 'node:test';
import { address, curl, filtered } from './contexts';

test('a context has an address', () => {
  assert.equal(address('self', 'a.b'), '/signalk/v1/api/vessels/self/a/b');
  assert.equal(address('atons.urn:mrn:imo:mmsi:992', 'name'), '/signalk/v1/api/atons/urn:mrn:imo:mmsi:992/name');
  assert.equal(address('self', "a.it's/b"), "/signalk/v1/api/vessels/self/a/it's%2Fb");
});

test('a line for the terminal has a token where one is needed', () => {
  assert.equal(curl('http://boat', 'self', 'a', true), "curl -s 'http://boat/signalk/v1/api/vessels/self/a'");
  assert.match(curl('http://boat', 'self', 'a', false), /Bearer \$TOKEN/);
});

test('a filter is words in any order', () => {
  const paths = ['environment.wind.speedTrue', 'environment.depth.belowKeel'];
  assert.deepEqual(filtered(paths, 'true WIND'), [paths[0]]);
  assert.deepEqual(filtered(paths, ' '), paths);
  assert.deepEqual(filtered(paths, 'fuel'), []);
});
