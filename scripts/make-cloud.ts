// `npm run cloud`: what a deployment to AWS needs, in release/cloud: the Lambda functions as zip files, and the template that names them
// (docs/aws.md). The same code gives the same bytes, so that a checksum tells whether a function has changed.
import { copyFileSync, createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { ZipFile } from 'yazl';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'release', 'cloud');
/** As the template's functions (`Code`). */
const FUNCTIONS = ['broker', 'relay', 'location', 'link'];
/** The first moment that a zip file can have, in the local time zone that its format uses. */
const MTIME = new Date(1980, 0, 1);

mkdirSync(folder, { recursive: true });
for (const name of FUNCTIONS) {
  const zip = new ZipFile();
  zip.addFile(join(root, 'dist', 'cloud', name, 'index.mjs'), 'index.mjs', { mtime: MTIME, mode: 0o100644 });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(join(folder, `${name}.zip`)));
}
copyFileSync(join(root, 'resources', 'aws', 'sightline.yml'), join(folder, 'sightline.yml'));
process.stdout.write(`${folder}\n`);
