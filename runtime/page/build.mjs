// Makes the page's script and style, as they are checked in beside the file of the core that serves them:
//   node build.mjs           writes them and prints their sizes
//   node build.mjs --check   says whether what is checked in is what the source gives
//   node build.mjs --tests   writes the unit tests to build/tests, for Node
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src');
const served = join(here, '../src/server/index/built');
// Bytes of both, compressed, that the page may have at most.
const COMPRESSED_MAX = 100_000;
// A folder imports from those before it, and from itself.
const FLOORS = ['kit', 'server', 'vessel', 'ui', 'parts', 'app'];

const OPTIONS = {
  bundle: true,
  minify: true,
  target: ['es2021', 'safari15'],
  format: 'iife',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
  write: false,
  absWorkingDir: here,
  logLevel: 'warning',
};

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

// Where a file stands: the number of its floor; the entry stands above all.
function floor(path) {
  const found = FLOORS.indexOf(relative(source, path).split('/')[0]);
  return found < 0 ? FLOORS.length : found;
}

// A file that imports from a floor above, or a part that imports from another part.
function wrongImports() {
  const wrong = [];
  for (const path of files(source).filter((name) => /\.tsx?$/.test(name))) {
    const text = readFileSync(path, 'utf8');
    for (const [, target] of text.matchAll(/from '(\.[^']*)'/g)) {
      const to = resolve(dirname(path), target);
      const part = (name) => /^parts\/([^/.]+)/.exec(relative(source, name))?.[1];
      const isUp = floor(to) > floor(path);
      const isAcross = part(path) && part(to) && part(path) !== part(to) && part(to) !== 'part';
      if (isUp || isAcross) wrong.push(`${relative(here, path)} imports ${relative(here, to)}`);
    }
  }
  return wrong;
}

async function built() {
  const [script, style] = await Promise.all([
    esbuild.build({ ...OPTIONS, entryPoints: ['src/main.tsx'] }),
    esbuild.build({ ...OPTIONS, entryPoints: ['src/style/page.css'] }),
  ]);
  return { 'page.js': script.outputFiles[0].text, 'page.css': style.outputFiles[0].text };
}

async function tests() {
  const found = files(source).filter((name) => /\.test\.tsx?$/.test(name));
  const out = join(here, 'build/tests');
  rmSync(out, { recursive: true, force: true });
  await esbuild.build({
    ...OPTIONS, minify: false, format: 'esm', platform: 'node', target: 'node20', write: true, outExtension: { '.js': '.mjs' },
    entryPoints: found, outdir: out, entryNames: '[dir]/[name]',
  });
  console.log(`${found.length} files of tests`);
}

const wrong = wrongImports();
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}
if (process.argv.includes('--tests')) {
  await tests();
} else {
  const made = await built();
  let sum = 0;
  let differs = false;
  mkdirSync(served, { recursive: true });
  for (const [name, text] of Object.entries(made)) {
    const path = join(served, name);
    const compressed = deflateSync(text, { level: 9 }).length;
    sum += compressed;
    console.log(`${name}: ${Buffer.byteLength(text)} bytes, ${compressed} compressed`);
    if (!process.argv.includes('--check')) writeFileSync(path, text);
    else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      differs = true;
      console.error(`${relative(here, path)} is not what the source gives: run \`cargo xtask page\``);
    }
  }
  console.log(`together ${sum} of ${COMPRESSED_MAX} bytes compressed`);
  if (differs || sum > COMPRESSED_MAX) process.exit(1);
}
