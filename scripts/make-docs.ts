// Makes docs/policy.md from the policy keys (main/policy/keys.ts). Run it after a key has changed; a unit test fails
// until then.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policyDocument } from './policyDocument.ts';

const path = fileURLToPath(new URL('../docs/policy.md', import.meta.url));
writeFileSync(path, policyDocument());
console.log(path);
