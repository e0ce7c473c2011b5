import assert from 'node:assert/strict';
import test from 'node:test';
import { amountOf, heardOf, lossesOf, stateOf, urlOf } from './connection';
import { clocksOf, devicesOf } from './sources';

test('a form makes the address that the gateway takes', () => {
  assert.equal(urlOf('can', { device: 'can0' }), 'can://can0');
  assert.equal(urlOf('serial', { device: '/dev/ttyUSB0', baud: '4800', format: 'pcdin' }), 'serial:///dev/ttyUSB0?baud=4800&format=pcdin');
  assert.equal(urlOf('tcp', { host: 'boat.local', port: '10110', format: '' }), 'tcp://boat.local:10110');
  assert.equal(urlOf('tcp-listen', { host: '::', port: '2000' }), 'tcp-listen://[::]:2000');
  assert.equal(urlOf('ws', { host: '[::1]', port: '3000', token: 'a&b' }), 'ws://[::1]:3000?token=a%26b');
  assert.equal(urlOf('file', { device: '/log/boat.candump' }), '/log/boat.candump');
});

test('counters are said where there are any', () => {
  assert.equal(amountOf({ rate: 110, frames: 1426, clients: 0 }), '110 a second, 1,426 frames');
  assert.equal(lossesOf({ bad_lines: 2, drops: 0 }), '2 lines that cannot be read');
  assert.deepEqual(stateOf('refused'), ['cannot be used', 'wrong']);
  assert.deepEqual(stateOf('bus-off'), ['bus-off', 'good']);
});

test('a test says what was heard', () => {
  const heard = { opens: true, reason: null, seconds: 5, heard: { frames: 0, sentences: 3 }, pgns: [], paths: ['environment.depth'] };
  assert.equal(heardOf(heard), 'It opens. Heard in 5 s: 3 sentences; paths environment.depth.');
  assert.equal(heardOf({ ...heard, heard: {}, reason: 'no client' }), 'It opens. Nothing was heard in 5 s: no client.');
  assert.equal(heardOf({ ...heard, opens: false, reason: 'refused' }), 'It does not open: refused.');
});

test('devices have a name, their PGNs and the time of the last', () => {
  const tree = {
    can0: {
      label: 'can0', type: 'NMEA2000',
      '35': { n2k: { src: '35', manufacturerCode: 'Acme', modelId: 'Echo 7', deviceInstance: 2, pgns: { '128267': '2026-06-01T10:00:12.000Z', '130312': '2026-06-01T10:00:13.000Z' } } },
      '7': { n2k: { src: '7', pgns: {} } },
    },
    ws: { label: 'ws', type: 'signalk' },
  };
  const devices = devicesOf(tree, { 'can0.7': 'Rudder' });
  assert.deepEqual(devices.map(({ ref, name }) => [ref, name]), [['can0.7', 'Rudder'], ['can0.35', 'Acme Echo 7']]);
  assert.deepEqual(devices[1]?.pgns.map(({ pgn }) => pgn), [128267, 130312]);
  assert.equal(devices[1]?.last, Date.parse('2026-06-01T10:00:13Z'));
  assert.equal(devices[0]?.last, 0);
});

test('a log of last year is not quiet while it is played', () => {
  const device = (label: string, last: number) => ({ ref: '', label, address: 1, name: '', facts: [], pgns: [], last });
  const clocks = clocksOf([device('log', 10), device('log', 40), device('can0', 40)], new Set(['log']), 5000);
  assert.deepEqual([clocks.get('log'), clocks.get('can0')], [40, 5000]);
});
