// Packages for the browser tests: those of the project, as they are or changed, as files that a person chooses.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { archive } from './archive.mjs';

// Gives `npm pack`'s archive of a folder below `plugins`, with members of its package.json changed and files beside.
export function packed(top, folder, { extra = {}, ...changed } = {}) {
  const read = (name) => readFileSync(join(top, 'plugins', folder, name));
  const manifest = { ...JSON.parse(read('package.json')), ...changed };
  const modules = ['plugin.wasm', 'plugin-small.wasm'].map((name) => [name, read(name)]);
  const files = { 'package.json': JSON.stringify(manifest), ...Object.fromEntries(modules), ...extra };
  return { name: 'package.tgz', mimeType: 'application/gzip', buffer: archive(files) };
}
