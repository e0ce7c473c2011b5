// A registry of npm's on loopback with one package, `skiff-trial-tide`, for the admin UI's store: a plugin that asks for the
// network. Prints its address; `PUT /newer` publishes a second version.
//
// Argument: a module for the package.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';
import { gzipSync } from 'node:zlib';

const NAME = 'skiff-trial-tide';
const wasm = readFileSync(process.argv[2]);

// A file of a tar archive: its head, and its bytes in whole blocks.
function file(name, bytes) {
  const head = Buffer.alloc(512);
  head.write(`package/${name}`);
  head.write('0000644\0', 100);
  head.write(bytes.length.toString(8).padStart(11, '0') + '\0', 124);
  head.write('        0', 148);
  head.write('ustar\0' + '00', 257);
  const sum = head.reduce((sum, byte) => sum + byte, 0);
  head.write(sum.toString(8).padStart(6, '0') + '\0 ', 148);
  return Buffer.concat([head, bytes, Buffer.alloc((512 - bytes.length % 512) % 512)]);
}

const manifest = (version) => ({
  name: NAME, version, description: 'Tides, for a trial', keywords: ['signalk-wasm-plugin'], license: 'MIT',
  wasmManifest: 'plugin.wasm', wasmCapabilities: { network: true },
});
const archive = (version) =>
  gzipSync(Buffer.concat([file('package.json', Buffer.from(JSON.stringify(manifest(version)))), file('plugin.wasm', wasm), Buffer.alloc(1024)]));
const archives = new Map([['1.0.0', archive('1.0.0')]]);
const newest = () => [...archives.keys()].at(-1);

const server = createServer((request, answer) => {
  const base = `http://${request.headers.host}`;
  const url = new URL(request.url, base);
  const json = (body) => answer.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  if (request.method === 'PUT' && url.pathname === '/newer') {
    archives.set('1.1.0', archive('1.1.0'));
    return json({ ok: true });
  }
  if (url.pathname === '/-/v1/search') {
    const found = url.searchParams.get('text')?.includes('signalk-wasm-plugin') && url.searchParams.get('from') !== '250';
    const row = { package: { ...manifest(newest()), date: '2026-11-30T12:00:00.000Z', author: { name: 'Skiff' }, links: {} } };
    return json({ objects: found ? [row] : [], total: found ? 1 : 0 });
  }
  if (url.pathname === `/${NAME}`) {
    const versions = [...archives].map(([version, bytes]) => {
      const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
      return [version, { ...manifest(version), dist: { tarball: `${base}/${NAME}/-/${version}.tgz`, integrity } }];
    });
    return json({ name: NAME, 'dist-tags': { latest: newest() }, versions: Object.fromEntries(versions) });
  }
  const bytes = archives.get(/\/-\/(.+)\.tgz$/.exec(url.pathname)?.[1]);
  return bytes ? answer.end(bytes) : answer.writeHead(404).end('{}');
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`));
