// A package as `npm pack` makes it, of files that a test writes: a tar of regular files (POSIX ustar), compressed.
import { gzipSync } from 'node:zlib';

const BLOCK = 512;

export function archive(files) {
  const blocks = Object.entries(files).flatMap(([name, data]) => {
    const body = Buffer.from(data);
    return [head(`package/${name}`, body.length), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

function head(name, size) {
  const block = Buffer.alloc(BLOCK);
  const octal = (number, digits) => `${number.toString(8).padStart(digits, '0')}\0`;
  const fields = [[0, name], [100, octal(0o644, 7)], [108, octal(0, 7)], [116, octal(0, 7)], [124, octal(size, 11)], [136, octal(0, 11)], [148, ' '.repeat(8)], [156, '0'], [257, 'ustar\x0000']];
  for (const [at, text] of fields) block.write(text, at, 'latin1');
  block.write(`${octal(block.reduce((sum, byte) => sum + byte, 0), 6)} `, 148, 'latin1');
  return block;
}
