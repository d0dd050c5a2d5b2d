// What support says of everything that has no error code: states, exit codes, answers to connections, health checks,
// policy that is refused, lines of the log. Each phrase is looked for in the sources by a unit test.

import type { AppState, PauseReason } from '../../main/shared/names.ts';

export interface StateGuide {
  readonly means: string;
  readonly doThis: string;
}

export const stateGuide: Readonly<Record<AppState, StateGuide>> = {
  idle: { means: 'no contact is on', doThis: 'nothing' },
  starting: {
    means: 'a contact has begun, the first picture is not in yet',
    doThis: 'wait 10 s; then it is recording or a problem',
  },
  recording: { means: 'pictures are being kept', doThis: 'nothing' },
  suspended: {
    means: 'the page, or the agent, suspended capture',
    doThis: 'resume where it was suspended: in the page, or in the tray',
  },
  paused: { means: 'capture rests for a reason that is no fault (below)', doThis: 'see the reason below' },
  problem: {
    means: 'a contact is on and is not captured, or Sightline could not start',
    doThis: 'have the words behind it read out, and look for them below',
  },
};

export const pauseGuide: Readonly<
  Record<PauseReason | 'app-restarted', Pick<StateGuide, 'doThis'> & { readonly phrase: string }>
> = {
  locked: {
    phrase: 'The system reports the screen as locked.',
    doThis:
      'unlock it. If no lock screen is there, or it stays so after that (Linux): `loginctl unlock-session`, or policy `pauseOnLock` off',
  },
  'switched-away': { phrase: 'Another user is at the screen.', doThis: 'switch back' },
  asleep: { phrase: 'The computer is asleep.', doThis: 'wake it' },
  'display-unavailable': {
    phrase: 'No monitor is switched on.',
    doThis: 'switch one on; see the check "display"',
  },
  agent: {
    phrase: 'You suspended it.',
    doThis: 'tray menu, "Resume recording"',
  },
  'app-restarted': {
    phrase: 'Sightline was restarted and waits for the page to come back.',
    doThis: 'load the page again, within a minute (`graceSeconds`)',
  },
};

export interface ExitGuide {
  readonly code: number;
  readonly commands: string;
  readonly means: string;
  readonly doThis: string;
  readonly tried: string;
}

export const exitGuide: readonly ExitGuide[] = [
  { code: 0, commands: 'all', means: 'done', doThis: 'nothing', tried: '`cli.test.ts`' },
  {
    code: 1,
    commands: '`doctor`',
    means: 'a check has failed',
    doThis: 'read its arrow (`->`)',
    tried: '`cli.test.ts`',
  },
  {
    code: 1,
    commands: '`recordings retry`',
    means: 'something is not delivered yet, or a name is not known',
    doThis: 'read the reason beside it',
    tried: '`control.test.ts`',
  },
  {
    code: 1,
    commands: '`browser-policy --check`, `--apply`',
    means: 'a browser does not let every domain in',
    doThis: '`--apply` as administrator; else see which policy is in its way',
    tried: '`test/e2e/browserPolicy.test.ts`',
  },
  {
    code: 1,
    commands: 'the app',
    means: 'files of the installation are missing; a box says "Sightline cannot start"',
    doThis: 'install Sightline again',
    tried: 'not tried here',
  },
  {
    code: 64,
    commands: 'all',
    means:
      'a mistake on the command line (unknown command or option, missing or invalid value), or a policy that is not valid (below)',
    doThis:
      'the message names what is wrong; `--help` lists the options, `--help-all` the policy flags as well',
    tried: '`cli.test.ts`, `control.test.ts`, `diagnostics.test.ts`',
  },
  {
    code: 69,
    commands: 'all',
    means: 'it could not be done; stderr has `sightline: CODE: message`',
    doThis: 'look the code up above',
    tried: '`control.test.ts`, `diagnostics.test.ts`, `supportCodes.test.ts`',
  },
  {
    code: 70,
    commands: 'all',
    means: 'an unexpected error: a bug in Sightline',
    doThis: 'send the output; of `serve`, the crash report beside the log as well',
    tried: '`crashReports.test.ts`',
  },
];

export interface PhraseGuide {
  /** As it stands in the sources, without what is put in. */
  readonly phrase: string;
  readonly means: string;
  readonly doThis: string;
}

/** The page's connection, from where its developer looks. `phrase`: as the sources have it. */
export const connectionGuide: readonly (PhraseGuide & { readonly shown: string })[] = [
  {
    shown: '403 at the upgrade, or at `/v1/health`',
    phrase: 'is not in "allowedDomains"',
    means: 'the page\'s domain is not allowed; the log has "refused a request" with why',
    doThis: 'add the domain to `allowedDomains`, exactly as in the address bar',
  },
  {
    shown: '404',
    phrase: '404 Not Found',
    means: 'another path than `/v1` or `/v1/health`',
    doThis: 'mend the page',
  },
  {
    shown: '405 at `/v1/health`',
    phrase: 'Method not allowed',
    means: 'neither GET nor OPTIONS',
    doThis: 'mend the page',
  },
  {
    shown: 'closed with 1001',
    phrase: 'CLOSE_GOING_AWAY = 1001',
    means: 'Sightline is ending',
    doThis: 'connect again when it is back',
  },
  {
    shown: 'closed with 1008',
    phrase: 'CLOSE_POLICY_VIOLATION = 1008',
    means:
      'the domain was taken out of policy, or the page does not read what it is sent; the reason says which',
    doThis: 'policy, or the page',
  },
  {
    shown: 'closed with 1009',
    phrase: 'ws then closes with 1009',
    means: 'a frame of more than 64 KiB',
    doThis: 'mend the page',
  },
];

export const policyGuide: readonly PhraseGuide[] = [
  {
    phrase: 'is refused: ',
    means: 'others than root may write the policy file, or one of its folders',
    doThis: 'the message has the command (`chown`, `chmod`)',
  },
  {
    phrase: 'is not a JSON object. Correct or delete it.',
    means: 'the policy file is not valid JSON',
    doThis: 'mend it; `resources/policy/policy.schema.json` checks it in an editor',
  },
  {
    phrase: 'cannot be read: ',
    means: '`reg query` or `plutil` failed',
    doThis: 'the message has its words',
  },
  {
    phrase: 'Policy "sink" is s3, and "s3Bucket" is not set. Name the bucket.',
    means: 'a key is missing',
    doThis: 'set `s3Bucket`',
  },
  {
    phrase: 'it has a scheme; give the name alone',
    means: '`https://…` in `allowedDomains`',
    doThis: 'the name alone: `acme.my.connect.aws`',
  },
  {
    phrase: 'it has a path; give the name alone',
    means: 'a `/` in `allowedDomains`',
    doThis: 'the name alone',
  },
  {
    phrase: 'it has a port; give the name alone',
    means: 'a `:` in `allowedDomains`',
    doThis: 'the name alone',
  },
  {
    phrase: 'wildcards are not allowed; list each domain',
    means: 'a `*` in `allowedDomains`',
    doThis: 'list each domain',
  },
  {
    phrase: 'must be an https URL (http is for loopback addresses only)',
    means: '`authUrl`, `brokerUrl` or an endpoint is not https',
    doThis: 'use https',
  },
  {
    phrase: 'must be a region, for example eu-central-1',
    means: '`awsRegion` or `instanceRegion`',
    doThis: "the region's short name",
  },
  {
    phrase: 'is set by the machine policy',
    means: 'only a warning: a flag, variable or user setting is overruled',
    doThis: 'nothing, or have IT change the policy',
  },
];

/** Lines of the log, by their `message`, that support looks for first. */
export const logGuide: readonly PhraseGuide[] = [
  {
    phrase: 'refused a request',
    means: 'a page was not let in; `reason` and `origin` say why',
    doThis: '`allowedDomains`',
  },
  {
    phrase: 'no page may connect: set "allowedDomains"',
    means: 'policy lets nobody in',
    doThis: 'set `allowedDomains`',
  },
  {
    phrase: 'a page’s token was checked',
    means: 'policy `auth` is `endpoint`; `outcome` is accepted, refused or unavailable',
    doThis: '[auth.md](auth.md)',
  },
  { phrase: 'capture failed', means: 'with the code and what ffmpeg said', doThis: 'the code above' },
  {
    phrase: 'publishing failed',
    means: 'a delivery failed, with its code, and is tried again',
    doThis: 'the code above',
  },
  {
    phrase: 'nothing can be recorded',
    means: 'no usable ffmpeg, or no key for recordings; `code` says which. State `problem`',
    doThis: 'the code above',
  },
  {
    phrase: 'Other users of this computer can read the screen while this ffmpeg records',
    means: "another ffmpeg than Sightline's own, on Linux",
    doThis: 'take `ffmpegPath` out of the policy, or reinstall; urgent where others can log on',
  },
  {
    phrase: 'a spool folder cannot be read',
    means: 'a recording of an earlier start cannot be opened',
    doThis: 'SPOOL_UNREADABLE above',
  },
  {
    phrase: 'a recording was delivered that is not as it was written',
    means:
      'its files were damaged, or their end cannot be verified; `reason` says what was found, as in its manifest',
    doThis: 'after "damaged": have the disk checked, and who may write to the data folder; tell compliance',
  },
  {
    phrase: 'status events do not reach EventBridge; they wait in the outbox',
    means: "with AWS's code and what to do",
    doThis: '[status-events.md](status-events.md)',
  },
  {
    phrase: 'nobody tells when the screen is locked',
    means: 'no logind: locking does not pause capture',
    doThis: 'tell compliance; see "lock screens" in the [README](../README.md)',
  },
  {
    phrase: 'not listening on [::1]',
    means: 'IPv6 loopback is off; 127.0.0.1 works',
    doThis: 'nothing, unless a page connects to `localhost`',
  },
  {
    phrase: 'an ffmpeg of an earlier Sightline was ended',
    means: 'the one before crashed; what it had is delivered',
    doThis: 'look in the log before it for why',
  },
  {
    phrase: 'the services could not be started',
    means: 'the app shows its window with the reason',
    doThis: 'the reason',
  },
  {
    phrase: 'unexpected error',
    means: 'a bug in Sightline; a report, crash-*.json, is beside the log',
    doThis: 'send the diagnostics and the report',
  },
];

/** What follows for the agent when a check of `sightline doctor` fails, and the first thing to try. By the check's name. */
export const checkGuide: Readonly<Record<string, { readonly follows: string; readonly doThis: string }>> = {
  port: {
    follows: 'Sightline does not start',
    doThis: 'end the program that is named, or set another `port`',
  },
  'single instance': { follows: 'the second Sightline does not start', doThis: 'end the other one' },
  'policy in force': {
    follows:
      'the newest policy is not in force, the one before is; or a flag or a variable counts for nothing',
    doThis: 'mend what it names, or POLICY_VALUE_IGNORED above',
  },
  'allowed domains': { follows: 'no page can connect', doThis: 'set `allowedDomains`' },
  authentication: {
    follows: 'pages get CLIENT_AUTH_ERROR, or anybody is let in',
    doThis: 'whoever runs `authUrl`',
  },
  'browser policy': {
    follows: 'the browser keeps the page from Sightline, or asks the agent',
    doThis: '`sightline browser-policy --apply`',
  },
  'refused pages': {
    follows: 'a page that was opened lately is not let in',
    doThis: 'add its domain, if it is yours',
  },
  'ffmpeg and encoder': { follows: 'no contact is recorded', doThis: 'install again' },
  display: {
    follows: 'no contact is recorded, or not all monitors',
    doThis: 'monitors on; log on at the screen',
  },
  'test capture': {
    follows: 'no pictures, black ones, or too few',
    doThis: 'graphics driver, remote session, screen saver',
  },
  'data folder': { follows: 'recording stops for want of room or rights', doThis: 'free space' },
  'key store': { follows: 'recordings in the spool cannot be opened', doThis: 'bring the key back' },
  credentials: {
    follows: 'nothing is delivered into S3; recordings wait',
    doThis: 'whoever looks after the AWS account',
  },
  'sink folder': {
    follows: 'nothing is delivered; recordings wait',
    doThis: 'mount the share, rights, space',
  },
  'sink bucket': {
    follows: 'nothing is delivered; recordings wait',
    doThis: 'in the words of [s3.md](s3.md)',
  },
  clock: {
    follows: 'S3 refuses, and times in recordings are wrong',
    doThis: 'set it, turn its synchronisation on',
  },
  proxy: { follows: 'Sightline does not use the proxy for deliveries', doThis: 'let it out directly' },
  'status events': {
    follows: 'status events wait; what is delivered stays in the spool until its event is written',
    doThis: 'the disk, share or rights of `statusEventsFile`',
  },
  EventBridge: { follows: 'status events wait on the desk', doThis: 'credentials, bus, network' },
  machine: { follows: 'the computer is below the minimum', doThis: 'compare with [doctor.md](doctor.md)' },
};
