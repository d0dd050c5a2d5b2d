// The text of docs/policy.md, made from the policy keys.

import type { KeyInfo } from '../main/policy/keys.ts';
import { flagOf, policyKeyNames, policyKeys, variableOf } from '../main/policy/keys.ts';
import { MACHINE_POLICY_FILE } from '../main/policy/load.ts';

export function policyDocument(): string {
  const rows = policyKeyNames.map((name) => {
    const info: KeyInfo<unknown> = policyKeys[name];
    const fallback =
      info.defaultText ?? (Array.isArray(info.default) ? 'none' : `\`${String(info.default)}\``);
    return `| \`${name}\` | ${info.description} | ${fallback} | \`${flagOf(name)}\` | \`${variableOf(name)}\` |`;
  });
  return `<!-- Made by \`npx tsx scripts/make-docs.ts\` from main/policy/keys.ts; change it there. -->

# Policy

Each key can be set in these places; the first that has it wins:

1. machine policy: \`${MACHINE_POLICY_FILE}\` (Linux), one JSON object of keys, written by an administrator;
2. a flag of \`sightline\`;
3. an environment variable;
4. the default.

\`sightline policy\` shows each key's value and which of these it came from. A value that is not valid is an error
that names the key and the place; Sightline does not start with half a policy. A boolean flag without a value means
yes. Unknown keys in the machine policy are ignored with a warning.

| key | what it does | default | flag | variable |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
