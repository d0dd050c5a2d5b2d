// docs/policy.md is made from the policy keys; it must not be older than they are.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { policyDocument } from '../../../scripts/policyDocument.ts';

it('docs/policy.md is what `npx tsx scripts/make-docs.ts` makes', () => {
  expect(readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8')).toBe(policyDocument());
});
