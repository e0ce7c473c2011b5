import assert from 'node:assert/strict';
import test from 'node:test';
import type { Delta } from '../../server/stream';
import { Counting, keyOf, rateWords } from './rates';

test('PGNs are counted by device, and anew after each look', () => {
  const counting = new Counting(1000);
  const delta = (src: string, pgn?: number) => ({ updates: [{ source: { label: 'can0', src, ...(pgn ? { pgn } : {}) } }] }) as unknown as Delta;
  for (let at = 0; at < 50; at += 1) counting.hear(delta('35', 128267));
  counting.hear(delta('7', 128267));
  counting.hear(delta('7'));
  counting.hear({ updates: [{}] });
  const rates = counting.take(6000);
  assert.equal(rates.get(keyOf('can0.35', 128267)), 10);
  assert.equal(rateWords(rates.get(keyOf('can0.7', 128267))), '0.2 a second');
  assert.equal(rates.size, 2);
  assert.equal(counting.take(11_000).size, 0);
  assert.equal(rateWords(undefined), '');
});
