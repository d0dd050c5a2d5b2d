// Makes what is made from the sources: the README's table, docs/policy.md, the administrative template and the JSON schema
// from the policy keys (main/policy/keys.ts), docs/support.md from scripts/support. A unit test fails until it has run.

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
