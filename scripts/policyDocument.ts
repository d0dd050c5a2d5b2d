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

What the machine policy sets nobody else can change. **Where an administrator decides**, flags and variables are the agent's as
much as the settings file is, so they set only ${forUsers.join(', ')}: in the installed app and its command line, and on every
machine that has a machine policy, even an empty one. \`sightline serve\` in a container or in CI, without machine policy and not
from an installer, takes them all. Each value that is ignored comes with a warning that says why: in the log (code
POLICY_VALUE_IGNORED), in \`sightline policy\`, and in the check "policy in force" of \`sightline doctor\`, which also has what the
running Sightline has ignored. A bad value of a key that a user may set is ignored there, too: it stops nothing.

\`sightline policy [--json]\` shows
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

## What else the agent controls

Whoever signs in sets the environment of every program that starts then, of the app too. Where an administrator decides:

| what | what becomes of it |
| --- | --- |
| \`SIGHTLINE_...\` variables, flags | only keys that a user may set |
| \`LOCALAPPDATA\`, \`XDG_DATA_HOME\`, \`HOME\`, \`USERPROFILE\` | do not move the data folder: without \`dataDir\` it lies in the profile of the account |
| \`APPDATA\`, \`XDG_CONFIG_HOME\` | say where the user's settings lie, which are the user's |
| \`PATH\` | only the system's own folders: no ffmpeg of the agent's is run. The package ffmpeg-static is not looked for in an installation |
| \`AWS_ENDPOINT_URL\`, \`AWS_ENDPOINT_URL_S3\`, \`endpoint_url\` in AWS's config file | ignored everywhere: \`s3Endpoint\` and \`eventBridgeEndpoint\` decide |
| other \`AWS_...\` variables and files | still say with whose credentials is uploaded, into the bucket of the policy; without \`awsRegion\` also the region. Set \`awsRegion\`, and use a broker (\`brokerUrl\`) where agents hold no credentials |
| \`HTTPS_PROXY\` and the like | ignored by uploads; \`sightline doctor\` looks at them |
| \`DBUS_SYSTEM_BUS_ADDRESS\`, \`XDG_SESSION_ID\` | ignored: only the system says whether the screen is locked |
| \`NODE_OPTIONS\`, \`NODE_PATH\`, other \`NODE_...\`, \`OPENSSL_...\` | the installed \`sightline\` takes them away before Node starts, except NODE_EXTRA_CA_CERTS; the app's fuses ignore the first. No package is loaded from outside the installation |
| \`ELECTRON_RUN_AS_NODE\`, \`--inspect\` | ignored by the app's fuses |
| \`--remote-debugging-port\`, \`--remote-debugging-pipe\` | taken away by the installed app before Chromium looks at them (not tried: the tests' Electron is too old for that) |
| \`--user-data-dir\` | not prevented: an instance with another profile finds the data folder locked by the first one, or starts with another key of the system's key store, and what it records is delivered as policy says |
| \`DISPLAY\` (Linux) | still says which screen is recorded: set \`display\` where agents could start another X server |
| \`cli\\node.exe\` with a script of one's own, a copy of the program, ending it | not prevented: an agent who may start any program may also start none. AppLocker or WDAC decide that, and the page sees that no Sightline is there |

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
