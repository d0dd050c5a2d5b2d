// The text of docs/policy.md, made from the policy keys.

import { flagOf, variableOf } from '../main/policy/keys.ts';
import { MACHINE_POLICY_FILE, MANAGED_PREFERENCES_FOLDER, PREFERENCES_FILE } from '../main/policy/machine.ts';
import { REGISTRY_KEY } from '../main/policy/registry.ts';
import { SLOW_LOOK_MS } from '../main/policy/watch.ts';
import { appliedWords, policyFacts } from './policyFacts.ts';

export function policyDocument(): string {
  const rows = policyFacts.map(({ name, info }) => {
    const fallback =
      info.defaultText ?? (Array.isArray(info.default) ? 'none' : `\`${String(info.default)}\``);
    const cells = [
      `\`${name}\``,
      info.description,
      fallback,
      appliedWords[info.applied],
      `\`${flagOf(name)}\``,
      `\`${variableOf(name)}\``,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const forUsers = policyFacts
    .filter(({ info }) => info.userMaySet === true)
    .map(({ name }) => `\`${name}\``);
  return `<!-- Made by \`npx tsx scripts/make-docs.ts\` from main/policy/keys.ts; change it there. -->

# Policy

Each key can be set in these places; the first that has it wins:

1. machine policy, written by an administrator (below);
2. a flag of \`sightline\`;
3. an environment variable;
4. the user's settings, for ${forUsers.join(', ')} only;
5. the default.

What the machine policy sets nobody else can change; whoever tries is told by a warning. \`sightline policy [--json]\` shows
each key, its value and its source: \`HKLM\`, \`HKCU\`, \`managed\`, \`file\`, \`flag\`, \`environment\`, \`user\` or \`default\`.
A value that is not valid is an error that names the key, the place and the reason, all of them at once; Sightline does
not start with half a policy. A boolean flag without a value means yes. Unknown keys are ignored with a warning.

## Machine policy

| platform | where | how |
| --- | --- | --- |
| Windows | \`HKLM\\${REGISTRY_KEY}\`, then \`HKCU\\${REGISTRY_KEY}\`, 64-bit view | a value for each key: REG_SZ, REG_DWORD (yes is 1, no is 0) or REG_MULTI_SZ; a list also as one text with commas, or, as group policy writes it, as a key of its name below with a value for each entry. \`resources/policy/sightline.admx\` and \`en-US/sightline.adml\` are the administrative template |
| macOS | \`${MANAGED_PREFERENCES_FOLDER}/${PREFERENCES_FILE}\`, then the same below the user's name there | a configuration profile for the domain \`${PREFERENCES_FILE.replace('.plist', '')}\` |
| Linux | \`${MACHINE_POLICY_FILE}\` | one JSON object of keys; \`resources/policy/policy.schema.json\` is its JSON schema |

The files are refused, and Sightline does not start, where others than root may write them or one of their folders.
Letters outside ASCII and texts with \`%NAME%\` are refused in the registry: \`reg query\`, with which it is read, cannot
hand the former over, and the user decides what the latter stand for.

## The user's settings

A JSON object of keys in \`~/.config/sightline/settings.json\` (Linux; XDG_CONFIG_HOME counts),
\`~/Library/Application Support/Sightline/settings.json\` (macOS) or \`%APPDATA%\\Sightline\\settings.json\` (Windows). Only
keys that let nobody in, and that decide neither what is recorded, nor what the agent sees of it, nor where it goes, nor which
program is run. Anything else in it is ignored with a warning, and so is a file that is broken: it cannot stop recording.

## Changes while Sightline runs

A change of machine policy or user settings is taken up without a restart; the table says when for each key. Those that
wait until no contact is on change in one step, a sink together with its bucket. Where a key waits for the next start the
log, \`sightline doctor\` and \`sightline policy\` say so. A delivery that has begun ends where it began; what waits for its next try is tried with the new policy at once.

A policy that is not valid is refused as a whole. The one before stays in force, nothing stops, and the log,
\`sightline doctor\` and \`sightline policy\` say what is wrong. A deleted policy is a change like any other. A folder that others may write is not believed
to hold none: that is a policy that is not valid.

On Linux and macOS the system tells of changes. The Windows registry tells nobody but native code, so it is read when the
last contact has ended, when the screen is unlocked or the computer wakes up, and every ${SLOW_LOOK_MS / 60_000} minutes;
macOS and Linux do so as well.

A page whose domain is not allowed any more is closed at once when no contact is on. In mid-contact it stays until no
contact is on, because nobody else can suspend its recording, but it can start no further contact.

## Keys

| key | what it does | default | a change takes effect | flag | variable |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
