// Makes what is made from the policy keys (main/policy/keys.ts): documents, the administrative template, the JSON
// schema. Run it after a key has changed; a unit test fails until then.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generatedFiles.ts';

for (const [name, text] of Object.entries(generatedFiles())) {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(path);
}
