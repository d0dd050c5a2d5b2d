// Generates docs/policy.md, the administrative template and the JSON schema from the policy keys (main/policy/keys.ts).
// A unit test compares them with the files in the repository.

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
