// The JSON schema of the policy file, for editors and for whoever checks it before it is rolled out.

import { appliedWords, policyFacts } from './policyFacts.ts';

export function policySchema(): string {
  const properties = policyFacts.map(({ name, info, schema, defaultText }) => [
    name,
    {
      description: `${info.description} Default: ${defaultText}. A change takes effect ${appliedWords[info.applied]}.`,
      ...schema,
    },
  ]);
  return `${JSON.stringify(
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: "Sightline's machine policy",
      description:
        'Made by `npx tsx scripts/make-docs.ts` from main/policy/keys.ts. Sightline checks more than can be said here: run `sightline policy`.',
      type: 'object',
      properties: Object.fromEntries(properties) as unknown,
      additionalProperties: false,
    },
    null,
    2,
  )}\n`;
}
