// The text of docs/support.md: the codes and states of the sources, with what support says of them (support/).

import { errorSources } from '../main/shared/errors.ts';
import type { ErrorCode } from '../main/shared/errors.ts';
import { words } from '../main/shared/words.ts';
import type { CodeGuide } from './support/errorCodes.ts';
import { errorGuide, placeWords } from './support/errorCodes.ts';
import {
  checkGuide,
  connectionGuide,
  exitGuide,
  logGuide,
  pauseGuide,
  policyGuide,
  stateGuide,
} from './support/otherWords.ts';
import { saidWords } from './support/saidWords.ts';

export function supportDocument(): string {
  const codes = Object.keys(errorSources).sort() as ErrorCode[];
  const said = saidWords();
  return `<!-- Made by \`npx tsx scripts/make-docs.ts\` from scripts/support/*.ts; change it there. -->

# When something is wrong

For whoever picks up the phone. Ask in this order:

1. **What does the tray icon say?** Have the words read out: [what the agent reads](#what-the-agent-reads).
2. **Is there an error code** (capital letters; pages, events, logs and commands show it, tray and window do not)? Look it up: ${codes.map((code) => `[${code}](#${code.toLowerCase()})`).join(', ')}.
3. **What do the checks say?** In the window "Run checks", or \`sightline doctor\`: [what follows from a check](#health-checks).
4. **Send the diagnostics:** tray menu "${words.tray.exportDiagnostics}", or
   \`sightline diagnostics --out sightline.zip\`, as the agent. That is what to ask for whenever the steps below do not help; no
   picture and no secret is in it ([diagnostics.md](diagnostics.md)). Ask for the time and, of a call, the contactId as well.

What was captured is kept: it waits in the spool, an encrypted folder on the desk, until it is delivered to the sink (IT's folder or
bucket). Nobody should delete anything in Sightline's data folder (\`sightline policy\` shows it as \`dataDir\`).

Names such as \`port\` and \`allowedDomains\` are keys of policy ([policy.md](policy.md)): IT sets them, not the agent. "Tried" names
the tests that bring something about on the built program; "not tried here" is what was not brought about on their machine.

## What the agent reads

| tray and window begin with | it means | do this |
| --- | --- | --- |
${stateRows()}

"Paused" goes on with why, and so does "Suspended" for the agent's own; the page sees the code (\`reason.code\` of \`app.state\`):

| the words behind it | code | do this |
| --- | --- | --- |
${Object.entries(pauseGuide)
  .map(([code, { phrase, doThis }]) => row(quoted(phrase), `\`${code}\``, doThis))
  .join('\n')}

"Problem" goes on with what is wrong, without a code. Search this page for a few of the words: each entry below has what Sightline
says with it, where "…" stands for a name or a figure. Three more come without an entry:

| the words behind it | do this |
| --- | --- |
${problemRows()}

"${words.deliveries.failed(1)}" goes on with why. It is mostly an [UPLOAD_FAILED](#upload_failed) or a
[CLIENT_AUTH_ERROR](#client_auth_error); in the window the words stand beside the recording.

## Error codes

Who is at fault is the code's \`source\` (CLIENT: this desk or its page; SERVICE: AWS or Sightline; UNKNOWN). Codes never change
their meaning.

${codes
  .map((code) =>
    section(code, errorGuide[code], [
      ...(said.get(code) ?? []),
      ...(errorGuide[code].says ?? []).map((one) => one.replace(/^ | $/gu, ' … ').trim()),
    ]),
  )
  .join('\n\n')}

## Exit codes of \`sightline\`

| exit code | command | it means | do this | tried |
| --: | --- | --- | --- | --- |
${exitGuide.map((one) => row(String(one.code), one.commands, one.means, one.doThis, one.tried)).join('\n')}

Tests without a folder are in \`test/integration\`. Those of the MSI (1603 and others) are in [installer.md](installer.md).

## The page cannot connect

No code reaches the page then; the browser's console shows the status. If nothing at all reaches Sightline see
[CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED](#client_local_network_access_blocked), and the checks "port" and "browser policy".

| seen | it means | do this |
| --- | --- | --- |
${connectionGuide.map((one) => row(one.shown, one.means, one.doThis)).join('\n')}

Tried: \`test/integration/badInput.test.ts\`, \`test/integration/policyChanges.test.ts\`.

## A policy that is not valid

Sightline does not start (exit code 64), or keeps to the policy before when it is running. The message names key, place and
reason; "from the machine policy" is IT's, anything else was typed.

| the message says | it means | do this |
| --- | --- | --- |
${policyGuide.map((one) => row(quoted(one.phrase), one.means, one.doThis)).join('\n')}

Tried: \`test/integration/cli.test.ts\`, \`test/integration/policyChanges.test.ts\`; the registry and managed preferences
with texts of \`reg query\` and \`plutil\` (\`test/unit/policy\`), not on Windows and macOS.

## Health checks

What each looks at and when it is not content is in [doctor.md](doctor.md); each says itself what to do. Here is what follows.
All are tried in \`test/integration/doctor*.test.ts\`.

| check | when it is not "ok" | first thing to try |
| --- | --- | --- |
${Object.entries(checkGuide)
  .map(([name, { follows, doThis }]) => row(name, follows, doThis))
  .join('\n')}
| network … | Amazon Connect itself, or calls, may not work | [network.md](network.md), with whoever runs the firewall |

## Lines of the log

\`<dataDir>/logs/*.ndjson\`, one JSON object a line; \`message\` is one of these, or something that needs no doing. In the
diagnostics they are in \`logs/\`.

| \`message\` begins with | it means | do this |
| --- | --- | --- |
${logGuide.map((one) => row(quoted(one.phrase), one.means, one.doThis)).join('\n')}
`;
}

function stateRows(): string {
  const { state } = words;
  const shown = {
    idle: [state.idle],
    starting: [state.starting],
    recording: [state.recording(1), state.ending],
    suspended: [state.suspended, state.suspendedByAgent],
    paused: [state.paused('…')],
    problem: [state.problem('…')],
  } as const;
  return (Object.keys(shown) as (keyof typeof shown)[])
    .map((name) => row(shown[name].map(quoted).join('; '), stateGuide[name].means, stateGuide[name].doThis))
    .join('\n');
}

/** Of states that have no error code. */
function problemRows(): string {
  const { notCaptured, noEncoder } = words.state;
  return [
    row(quoted(notCaptured), 'wait half a minute; then as for [CAPTURE_FAILED](#capture_failed)'),
    row(quoted(noEncoder), 'as for [ENCODER_UNAVAILABLE](#encoder_unavailable)'),
    row('a key of policy, and a reason', 'see [a policy that is not valid](#a-policy-that-is-not-valid)'),
  ].join('\n');
}

function section(code: ErrorCode, guide: CodeGuide, said: readonly string[]): string {
  const { meaning, causes, remedies, seen, send, tried } = guide;
  const list = (items: readonly string[]): string => items.map((item) => `  - ${item}`).join('\n');
  return `### ${code}

${meaning}

- Source: ${errorSources[code]}. ${seen.length === 0 ? 'Not said by this version.' : 'Seen:'}
${[
  ...(seen.length === 0 ? [] : [list(seen.map((place) => placeWords[place]))]),
  ...(said.length === 0 ? [] : ['- It says:', list(said.map(quoted))]),
  '- Why:',
  list(causes),
  '- Do this:',
  list(remedies),
  ...(seen.length === 0 ? [] : [`- Send: ${send ?? 'the diagnostics'}`]),
  'not' in tried
    ? `- Not tried here: ${tried.not}`
    : `- Tried: ${tried.map((one) => one.replaceAll(/test\/[\w/]+\.test\.ts/gu, '`$&`')).join(', ')}`,
].join('\n')}`;
}

function quoted(text: string): string {
  return `"${text.trim()}"`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
