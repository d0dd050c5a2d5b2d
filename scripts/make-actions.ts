// `tsx scripts/make-actions.ts --out FILE`: the MSI's custom actions alone, to be signed on another system (docs/installer.md).
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { buildActions } from './installer/nativePrograms.ts';

const { values } = parseArgs({
  options: { out: { type: 'string', default: 'release/actions/actions.dll' } },
});
const out = resolve(values.out);
const workFolder = mkdtempSync(join(tmpdir(), 'sightline-actions-'));
try {
  mkdirSync(dirname(out), { recursive: true });
  buildActions({ version: manifest.version, out, workFolder });
} finally {
  rmSync(workFolder, { recursive: true, force: true });
}
