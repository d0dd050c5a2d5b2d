// Every file that is made from the sources (policy keys, error codes), with what has to be in it.

import { readFileSync } from 'node:fs';
import { adml, admx } from './admx.ts';
import { policyDocument } from './policyDocument.ts';
import { policySchema } from './policySchema.ts';
import { withPolicyKeys } from './readmeKeys.ts';
import { supportDocument } from './supportDocument.ts';

/** By their paths from the project's folder. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'README.md': withPolicyKeys(readFileSync(new URL('../README.md', import.meta.url), 'utf8')),
    'docs/policy.md': policyDocument(),
    'docs/support.md': supportDocument(),
    'resources/policy/sightline.admx': admx(),
    'resources/policy/en-US/sightline.adml': adml(),
    'resources/policy/policy.schema.json': policySchema(),
  };
}
