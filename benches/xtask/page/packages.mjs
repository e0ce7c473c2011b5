// Packages for the browser tests: those of the project, as they are or changed, as files that a person chooses.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Gives `npm pack`'s archive of a folder below `plugins`, with members of its package.json changed.
export function packed(top, folder, changed = {}) {
  const at = mkdtempSync(join(tmpdir(), 'skiff-page-'));
  try {
    const [from, to] = [join(top, 'plugins', folder), join(at, 'package')];
    mkdirSync(to);
    const manifest = { ...JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')), ...changed };
    writeFileSync(join(to, 'package.json'), JSON.stringify(manifest));
    for (const name of ['plugin.wasm', 'plugin-small.wasm']) cpSync(join(from, name), join(to, name));
    for (const [name, text] of Object.entries(changed.extra ?? {})) {
      mkdirSync(join(to, name, '..'), { recursive: true });
      writeFileSync(join(to, name), text);
    }
    execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: at });
    return { name: 'package.tgz', mimeType: 'application/gzip', buffer: readFileSync(join(at, 'package.tgz')) };
  } finally {
    rmSync(at, { recursive: true });
  }
}
