// `tsx scripts/make-command-line.ts --out FOLDER`: the command line of a Windows installation, for electron-builder's
// extraFiles.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { addCommandLine } from './installer/commandLine.ts';

const { values } = parseArgs({ options: { out: { type: 'string', default: 'release/command-line' } } });
const out = resolve(values.out);
const work = mkdtempSync(join(tmpdir(), 'sightline-command-line-'));
try {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await addCommandLine(out, manifest.version, work);
} finally {
  rmSync(work, { recursive: true, force: true });
}
