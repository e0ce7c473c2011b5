import assert from 'node:assert/strict';
import test from 'node:test';
import { type Board, isWhole, read } from './firmware-file';
import { backupPart, clockOf, healthOf } from './words';

const BOARD: Board = { version: '0.1.0', state: 'confirmed', slot_bytes: 1000, chip: 13 };

interface Made {
  readonly magic?: string;
  readonly layout?: number;
  readonly chip?: number;
  readonly image?: Uint8Array<ArrayBuffer>;
  readonly says?: number;
}

async function file({ magic = 'SKFW', layout = 1, chip = 13, image = new Uint8Array([1, 2, 3]), says }: Made = {}): Promise<Uint8Array> {
  const made = new Uint8Array(96 + image.length);
  const view = new DataView(made.buffer);
  made.set(new TextEncoder().encode(magic), 0);
  view.setUint16(4, layout, true);
  view.setUint16(6, chip, true);
  view.setUint32(8, says ?? image.length, true);
  made.set(new TextEncoder().encode('0.2.0'), 12);
  made.set(new Uint8Array(await crypto.subtle.digest('SHA-256', image)), 44);
  made.set(image, 96);
  return made;
}

test('a firmware file is read before it is sent', async () => {
  const good = await file();
  const head = read(good, BOARD);
  assert.deepEqual([head.version, head.bytes, head.chip], ['0.2.0', 3, 13]);
  assert.equal(await isWhole(good, head), true);
  good[96] = 9;
  assert.equal(await isWhole(good, head), false);
});

test('a file that is not for this board is refused in words', async () => {
  const cases: readonly [Promise<Uint8Array>, RegExp][] = [
    [file({ magic: 'NONE' }), /no firmware file/],
    [file({ layout: 7 }), /layout 7/],
    [file({ chip: 9 }), /chip 9, the board has chip 13/],
    [file({ image: new Uint8Array(1001) }), /room for 1000/],
    [file({ says: 4 }), /not whole/],
    [Promise.resolve(new Uint8Array(10)), /no firmware file/],
  ];
  for (const [made, words] of cases) {
    const bytes = await made;
    assert.throws(() => read(bytes, BOARD), words);
  }
});

test('states are said in words', () => {
  assert.equal(healthOf('good')[0], 'all is well');
  assert.deepEqual(healthOf('on-fire'), ['on-fire', 'warn']);
  assert.equal(clockOf({ state: 'system' }), "the system's");
  assert.equal(clockOf({ state: 'held-over', source: 'can0.10', silent_s: 7 }), 'held over, told by can0.10 7 s ago');
  assert.equal(backupPart('plugin-config-data'), 'Configurations of plugins (plugin-config-data)');
  assert.equal(backupPart('x'), 'x');
});
