// Every file that is generated from the policy keys (main/policy/keys.ts), with its contents.

import { adml, admx } from './admx.ts';
import { policyDocument } from './policyDocument.ts';
import { policySchema } from './policySchema.ts';

/** By their paths from the project's folder. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'docs/policy.md': policyDocument(),
    'resources/policy/sightline.admx': admx(),
    'resources/policy/en-US/sightline.adml': adml(),
    'resources/policy/policy.schema.json': policySchema(),
  };
}
