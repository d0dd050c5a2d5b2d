/* eslint-disable max-lines -- a table with one entry for each code: it is looked up, not read through */
// What support says of each error code (main/shared/errors.ts): what it means, why it comes, what to do. For
// docs/support.md; the compiler wants an entry for each code, and a unit test holds them against the sources.

import type { ErrorCode } from '../../main/shared/errors.ts';

/** Where a code is seen. */
export type Place =
  'page' | 'event' | 'state' | 'deliveries' | 'start' | 'command' | 'export' | 'bundle' | 'log';

export const placeWords: Readonly<Record<Place, string>> = {
  page: "in the page's answer (`error.code`)",
  event: 'in the FAILED status event (`failureInfo.code`)',
  state: 'behind "Problem:" in tray, indicator and window (without the code; `reason.code` in `app.state`)',
  deliveries: 'beside a recording that waits, in the window, in `sightline recordings` and in `app.state`',
  start: 'when Sightline starts: "Problem:" in the window; stderr and exit code 69 of `sightline serve`',
  command: 'on stderr of the command, with exit code 69',
  export: 'when diagnostics are exported: in the window (without the code), or on stderr with exit code 69',
  bundle: 'in the diagnostics, in the place of the part that could not be read',
  log: 'in the log, field `code`',
};

export interface CodeGuide {
  readonly meaning: string;
  /** Words of its messages that are put together elsewhere in the sources than the code (saidWords.ts has the others). */
  readonly says?: readonly string[];
  /** Why it comes, the likeliest first. */
  readonly causes: readonly string[];
  /** What to do, in this order. */
  readonly remedies: readonly string[];
  /** Empty: this version never says it, and `meaning` tells why it is there. */
  readonly seen: readonly Place[];
  /** What support should ask for; the diagnostics, where nothing is said. */
  readonly send?: string;
  /** The tests that bring it about on the built program; or why it was not tried there. */
  readonly tried: readonly string[] | { readonly not: string };
}

const TRIAL = 'test/integration/supportCodes.test.ts';

export const errorGuide: Readonly<Record<ErrorCode, CodeGuide>> = {
  CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED: {
    meaning:
      "A browser does not let the page reach this computer. Sightline itself never says this: nothing reached it. It is AWS's code, kept for the page's side.",
    causes: ['The agent clicked "Block", or nobody has allowed it by policy.'],
    remedies: [
      'Have IT run `sightline browser-policy --check`, then `--apply` ([browser-policy.md](browser-policy.md)).',
      'Until then: in the browser, open the settings of the page (left of its address) and allow local network access; load the page again.',
    ],
    seen: [],
    tried: { not: 'this version never says it' },
  },
  CLIENT_APP_NOT_RUNNING: {
    meaning: '`sightline recordings retry` found no running Sightline of this user.',
    says: [
      ' has ended without saying so, by a crash or a power cut',
      ' ended before it answered, or that port is another program',
    ],
    causes: [
      'Sightline was ended, or has crashed.',
      'The command ran as another user (root is another user), or with another `dataDir`.',
    ],
    remedies: [
      'Start Sightline: it tries everything that waits at its start.',
      'Else run the command as the agent, with the same flags as Sightline.',
    ],
    seen: ['command'],
    send: 'nothing, unless Sightline does not start',
    tried: ['test/integration/control.test.ts'],
  },
  CLIENT_UNSUPPORTED_OS: {
    meaning:
      'AWS\'s code for a system that is too old. This version never says it; `sightline doctor` (check "machine") does.',
    causes: ['None: kept so that the code is given to nothing else.'],
    remedies: ['Compare the computer with the minimum requirements in [doctor.md](doctor.md).'],
    seen: [],
    tried: { not: 'this version never says it' },
  },
  CLIENT_AUTH_ERROR: {
    meaning: 'Somebody was not let in: a page by Sightline, or Sightline by the place where recordings go.',
    causes: [
      'Answer to the page: policy `auth` is `endpoint`, and the token is missing, refused, or could not be checked; or the domain was taken out of `allowedDomains` during a contact.',
      'Delivery: S3 or KMS refuses the credentials, there are none, they have expired, or the clock is more than 15 minutes off; the broker refuses the token, answers something else than credentials, or no agent has signed on since the start.',
      "`sightline recordings retry`: `control.json` can be read by others, or is not this user's.",
    ],
    remedies: [
      'The page: have the agent sign out and in again. If it stays so, read the check "authentication" of `sightline doctor` ([auth.md](auth.md)).',
      'Delivery: the words behind the code name what is refused. Give it to whoever looks after the AWS account ([s3.md](s3.md)); then `sightline recordings retry`. Nothing is lost meanwhile.',
      'The clock: set it, and look at the check "clock".',
      '`control.json`: start Sightline again, which writes it anew, and run the command as the user whose Sightline it is.',
    ],
    seen: ['page', 'event', 'deliveries', 'command', 'log'],
    send: "the diagnostics; for deliveries also the bucket's and the KMS key's policy, from IT",
    tried: [
      'test/integration/auth.test.ts',
      'test/integration/policyChanges.test.ts',
      'test/integration/s3Program.test.ts',
      'test/integration/control.test.ts',
    ],
  },
  CLIENT_CONNECTION_ERROR: {
    meaning: 'A connection cannot be had: the port at the start, or the network of a delivery.',
    causes: [
      'Start: the port is taken, by another Sightline, the Amazon Connect Client Application or any other program, or may not be used.',
      'Delivery: S3 or the broker cannot be reached (network, proxy, VPN, firewall, DNS).',
      'To the page: it went away before its hello was answered.',
      '`sightline recordings retry`: the running Sightline is of another version.',
    ],
    remedies: [
      'Start: the message names the program that has the port. End it, or set another `port` in policy, and in the page.',
      'Delivery: wait, it is tried until it works and is never FAILED for this. See the checks "sink bucket" and "proxy".',
      'Another version: end Sightline and start it again.',
    ],
    seen: ['page', 'deliveries', 'start', 'command', 'log'],
    tried: [
      'test/integration/failures.test.ts (port)',
      'test/integration/s3Program.test.ts and test/integration/outage.test.ts (network)',
    ],
  },
  MULTIPLE_CCP_INTERACTION: {
    meaning: 'Another agent, or a page of another instance, is connected on this computer.',
    causes: [
      'Two browsers or profiles are signed in as different agents, or a test instance is open beside the real one.',
    ],
    remedies: [
      'Close the pages of the other agent or instance (all windows, all browsers), then load the page again.',
    ],
    seen: ['page'],
    send: 'nothing; write down which pages are open, in which browsers',
    tried: ['test/integration/badInput.test.ts', 'test/e2e/pages.test.ts'],
  },
  USER_ERROR: {
    meaning: 'What was asked for does not go with what the contact is doing.',
    causes: [
      'In a FAILED event: the contact ended before its first picture. Nothing was recorded, and nothing is broken.',
      'To the page: requests crossed, for example a start while the stop is under way, or a stop before a resume was done.',
      "In the log: the agent's own suspension was refused, by policy `agentMaySuspend` or because nothing was being recorded.",
    ],
    remedies: [
      'A single one: nothing to do. Tell whoever asks that the contact was too short.',
      'Many: the page asks again too early. Its developer finds the rules in [protocol.md](protocol.md), "Requests".',
    ],
    seen: ['page', 'event', 'log'],
    tried: [TRIAL],
  },
  SERVICE_ISSUE: {
    meaning: 'Something failed that nobody on the desk can mend: AWS or the broker, or a fault in Sightline.',
    causes: [
      'Delivery: S3 answers 500, 503 (slow down), 429 or 409; the broker answers 5xx.',
      'To the page: an error that Sightline did not expect, or no answer to hello within 10 s.',
    ],
    remedies: [
      "Delivery: wait; it is tried until it works. If it lasts for hours see AWS's health page.",
      'To the page: load it again. If it comes back restart Sightline, and send the diagnostics: it is a fault of ours.',
    ],
    seen: ['page', 'deliveries', 'log'],
    send: 'the diagnostics, and the time at which it was seen',
    tried: ['test/integration/s3Sink.test.ts (S3 sink without the program)'],
  },
  UNKNOWN: {
    meaning: 'A part of the diagnostics could not be read, for a reason that has no code of its own.',
    causes: ['The message has the words of the system.'],
    remedies: ['Nothing on the desk. The other parts of the diagnostics are whole.'],
    seen: ['bundle'],
    tried: { not: 'the parts that fail in the tests have codes of their own' },
  },
  INVALID_MESSAGE: {
    meaning: 'The page sent something that is no request of the protocol. Only its developer can mend that.',
    causes: [
      'A field is missing or has the wrong form (the message names it), the `type` is unknown, or the frame is no JSON.',
      'The page is made for another version of the protocol.',
    ],
    remedies: ["Give the message to the page's developer ([protocol.md](protocol.md))."],
    seen: ['page'],
    send: 'the message to the page’s developer',
    tried: ['test/integration/badInput.test.ts'],
  },
  NOT_READY: {
    meaning:
      'The page asked too early or too late: before its hello was let in, or while Sightline was ending.',
    causes: [
      'The page does not wait for the answer to hello, or hello was refused: look for the code of that answer.',
      'Sightline is shutting down (quit, log-off, update).',
    ],
    remedies: [
      'Load the page again, after Sightline is back in the tray.',
      "If it stays so: the page's developer has to send hello first.",
    ],
    seen: ['page'],
    tried: ['test/integration/badInput.test.ts', 'test/integration/auth.test.ts', 'test/e2e/pages.test.ts'],
  },
  TOO_MANY_REQUESTS: {
    meaning: 'A limit was reached that honest pages stay far below.',
    causes: [
      'The page sends requests without waiting for their answers, or starts contacts and never stops them.',
      'Many tabs of the page are open, or a program on this computer floods Sightline with connections.',
    ],
    remedies: [
      'Close other tabs of the page, load it again, and try again. What is being recorded is not affected.',
      'If it comes back: the page’s developer compares the page with the limits in [protocol.md](protocol.md#limits).',
      'If the page is as it should be: have IT look for a foreign script in it, or a program that connects to Sightline.',
    ],
    seen: ['page'],
    tried: ['test/attack/floods.test.ts'],
  },
  UNKNOWN_CONTACT: {
    meaning: 'The page named a contact of which no recording is open.',
    causes: [
      'The contact was never started, or its start had failed.',
      'Sightline was restarted, or the page was away for longer than `graceSeconds`: the recording was completed then.',
    ],
    remedies: [
      'Look with `sightline recordings` whether the contact is there; then it was completed, and all is well.',
      'If the contact goes on, load the page again so that it is started anew.',
    ],
    seen: ['page'],
    tried: ['test/integration/badInput.test.ts'],
  },
  CAPTURE_FAILED: {
    meaning: 'The program that captures the screen (ffmpeg) ended by itself. What it had captured is kept.',
    causes: [
      'It crashed, was killed (virus scanner, lack of memory), or the graphics driver changed.',
      "The system's clock was set: capture is begun anew for that, which is meant to be so.",
      'In a FAILED event: Sightline ended before the first picture.',
    ],
    remedies: [
      'Wait half a minute: it is started again by itself, and the recording has a gap.',
      'If "Problem" stays: run the checks; "test capture" and "ffmpeg and encoder" say more. Have IT make an exception in the virus scanner for Sightline\'s folder.',
    ],
    seen: ['page', 'event', 'state', 'log'],
    tried: [TRIAL],
  },
  CAPTURE_TIMEOUT: {
    meaning:
      'No picture came in time: within 10 s of a start, 15 s of a resume or stop, or for 8 s in mid-contact.',
    causes: [
      'The computer is overloaded, or ffmpeg hangs (graphics driver, virus scanner).',
      'The session has no real screen: a remote session that was minimised or disconnected.',
    ],
    remedies: [
      'Run the checks: "test capture" says how many pictures come and what they cost.',
      'Close what needs the processor. Over remote desktop, bring the session to the front.',
      'A start that got this is FAILED: start the contact again.',
    ],
    seen: ['page', 'event', 'state', 'log'],
    tried: [TRIAL],
  },
  ENCODER_UNAVAILABLE: {
    meaning:
      'There is no ffmpeg, or none with an encoder that Sightline may use. No contact can be recorded.',
    causes: [
      'The installation is not whole, or a virus scanner took ffmpeg away.',
      'Policy `ffmpegPath` names a program that is not there, or `encoder` one that it has not.',
    ],
    remedies: [
      'Install Sightline again.',
      'Else have IT check `ffmpegPath`, and run the check "ffmpeg and encoder".',
    ],
    seen: ['page', 'event', 'state', 'log'],
    tried: ['test/integration/failures.test.ts'],
  },
  NO_DISPLAY: {
    meaning: 'There is no screen that can be captured.',
    causes: [
      'All monitors are off or unplugged, or nobody is logged on at the screen.',
      "Linux: Sightline was started outside the agent's session, or `display` names another one.",
    ],
    remedies: [
      'Switch a monitor on: capture begins by itself.',
      'Log off and on again, so that Sightline starts in the session. See the check "display".',
    ],
    seen: ['page', 'event', 'state', 'log'],
    tried: ['test/integration/failures.test.ts'],
  },
  SPOOL_FULL: {
    meaning:
      'There is no room for more recording: the disk is nearly full, or the quota of the spool is used up.',
    says: ['The spool uses ', ' MiB are free on the disk under '],
    causes: [
      'The disk has less than `spoolMinFreeMiB` free.',
      'Deliveries fail, so that recordings pile up to `spoolQuotaMiB`. The message has the figures.',
    ],
    remedies: [
      'Free space on that disk: recording goes on by itself within seconds.',
      'If recordings wait ("Not delivered yet" in the window) mend their delivery first; never delete the spool, which holds the only copy.',
    ],
    seen: ['page', 'event', 'state', 'log'],
    tried: ['test/integration/room.test.ts', 'test/integration/failures.test.ts'],
  },
  SPOOL_UNREADABLE: {
    meaning:
      "Something in Sightline's data folder cannot be used: a recording, its key, or the folder itself.",
    causes: [
      'Start: another Sightline uses the data folder, or it may not be written to.',
      'A file in the spool was changed, cut off or deleted by somebody, or the disk is faulty.',
      '`spool.key` is gone or another one, or the recording was locked by the app and the command line has no key for it (or the other way round).',
    ],
    remedies: [
      'Start: the message names the process; end it.',
      'Never delete anything in `<dataDir>/spool`. What can be read is delivered, with gaps "unreadable" and `integrity` in the manifest; the rest is left as it is and read again at each start. `sightline recordings` names the folders.',
      'A message that names policy `deliverDamaged`: IT decides whether what is left may be delivered.',
      'The key: put it back from a backup, and start Sightline as it was started then (with its window, or without).',
      'There is no copy of `spool.key`: end Sightline, move `spool.key` and the folder `spool` to another place, and start it again. It records again; what was not delivered cannot be read any more.',
      'A file that was changed, or is gone: have IT check the disk and who may write to the folder, put the folder back from a backup while Sightline is not running, and start it again. Without a backup it is lost: move the folder away once compliance agrees.',
    ],
    seen: ['page', 'event', 'state', 'deliveries', 'start', 'bundle', 'log'],
    send: 'the diagnostics, and whether the disk, the profile or the computer was changed lately',
    tried: [
      'test/integration/tampering.test.ts',
      'test/integration/cipher.test.ts',
      'test/integration/failures.test.ts (second Sightline)',
    ],
  },
  SUSPEND_FAILED: {
    meaning:
      'Capture has stopped, but either the capture process did not end within 5 s, or Sightline could not save that the contact is suspended. Nothing read after the request is kept while Sightline runs.',
    causes: ['The disk takes no data (full and faulty at once), or the computer stands still for seconds.'],
    remedies: [
      'The page should send the suspend again until it succeeds: after a crash the contact could be recorded again.',
      'Run the checks: "data folder". Send the diagnostics at once; this one is urgent.',
    ],
    seen: ['page'],
    send: 'the diagnostics, the contactId and the time',
    tried: ['test/unit/session/service.test.ts'],
  },
  UPLOAD_FAILED: {
    meaning:
      'A finished recording could not be delivered. It stays on the desk, encrypted, and is tried again.',
    causes: [
      'Folder: it is not there (share not mounted), full, read-only, or may not be written to.',
      'S3: no such bucket, another region, an unknown KMS key or storage class, or a checksum that does not fit.',
    ],
    remedies: [
      'The words in front say what to mend; it is a matter for IT ([s3.md](s3.md) for S3).',
      'Then `sightline recordings retry`, or "Try now" in the window; else it is tried within five minutes.',
    ],
    seen: ['event', 'deliveries', 'log'],
    tried: [
      'test/integration/failures.test.ts (folder)',
      'test/integration/s3Sink.test.ts (S3 sink without the program)',
    ],
  },
  EVENTS_NOT_WRITTEN: {
    meaning:
      'Status events cannot be written, so those who wait for them do not hear of recordings. Recording and delivery go on; what is delivered stays in the spool until its event is written.',
    says: ['Status events cannot be written to '],
    causes: [
      'The disk or share of `statusEventsFile` is full, read-only or away, or this user may not write there.',
      'With `eventBusName`: the same of `<dataDir>/outbox`.',
    ],
    remedies: [
      'The message says what is wrong; the check "status events" tries the file.',
      'Nothing else: what waits is written in order within a minute, also after a restart. `sightline recordings retry` writes it at once.',
    ],
    seen: ['deliveries', 'log'],
    tried: ['test/integration/statusEvents.test.ts'],
  },
  SINK_CHANGED: {
    meaning:
      'The sink folder is not the one that this desk has delivered to: its marker is missing. Nothing is written there; recordings stay on the desk, encrypted, and go out when the right one is back.',
    causes: [
      'The share is not mounted, and its mount point is an empty folder on the local disk.',
      'Another share is mounted there, or the sink was moved and its hidden files were left out.',
      'Somebody, or a job that clears old files, has deleted the file `.sightline-sink-…` in the sink folder.',
    ],
    remedies: [
      'Mount the share again: what waits is delivered within five minutes, or at once with `sightline recordings retry`.',
      'If the folder is the new sink on purpose: create an empty file in it under the name that the message says. Once is enough for all desks that share it.',
    ],
    seen: ['event', 'deliveries', 'log'],
    tried: ['test/attack/lostSink.test.ts'],
  },
  DISK_FULL: {
    meaning: 'The diagnostics could not be written, because the disk is full. Nothing half is left behind.',
    says: ['The disk is full: '],
    causes: ['The disk on which the zip was to be is full.'],
    remedies: ['Free some space, or name a file on another disk.'],
    seen: ['export'],
    send: 'a photo of the window with its checks, since there is no zip',
    tried: ['test/integration/diagnostics.test.ts'],
  },
  BUNDLE_NOT_WRITTEN: {
    meaning: 'The diagnostics could not be written, for another reason than a full disk. The message has it.',
    says: ['The diagnostics could not be written to '],
    causes: ['The folder is not there, or this user may not write to it.'],
    remedies: ['Choose another place, such as the desktop.'],
    seen: ['export'],
    send: 'a photo of the window with its checks, since there is no zip',
    tried: ['test/integration/diagnostics.test.ts'],
  },
  PEER_REFUSED: {
    meaning:
      "A program of another user or session of this computer, or one whose user Sightline could not find out, connected to Sightline's port. It was refused with status 403 and this code in the body, whatever origin it named; nothing was recorded for it.",
    causes: [
      'Somebody else is signed in on the same computer (fast user switching, a terminal server), and that browser reached the Sightline of this user: both use the same port.',
      'The browser runs under another user than Sightline: as root or administrator of another account, in a container, or in Windows in another session.',
      'A local proxy or a security product that runs as a service passes the connection on; it is then the one that connects.',
      "Sightline cannot find out: on Windows sightline-desk.exe is missing or blocked, on Linux /proc/net/tcp cannot be read. The log's `reason` says so.",
      'Somebody tried to act as the page.',
    ],
    remedies: [
      'Read `reason` in the log line with this code: it names the other user or session.',
      'Run Sightline and the browser as the same user, in the same session. On a computer with several users at once IT gives each user a "port" of their own, in Sightline\'s policy and in the page.',
      'Exclude 127.0.0.1 from the local proxy or security product.',
      'Where `reason` names sightline-desk.exe: reinstall Sightline, and allow that program in AppLocker or WDAC.',
    ],
    seen: ['log'],
    tried: ['test/attack/otherUser.test.ts'],
  },
  POLICY_VALUE_IGNORED: {
    meaning:
      "A warning: a flag, an environment variable, the user's settings or an unknown key of policy says something that counts for nothing. The line names it and says why; Sightline runs with the value that `sightline policy` shows.",
    says: [' is set by the machine policy', '; it is ignored.'],
    causes: [
      'The machine policy sets the same key.',
      'A variable of the agent, or a flag, sets what only the machine policy may set: Sightline is installed for the machine, or the machine has a policy.',
      'A key of policy is misspelt.',
    ],
    remedies: [
      'Set the value in the machine policy ([policy.md](policy.md)), or take it away where it was set. On Windows `set SIGHTLINE` in a prompt of the agent shows his variables.',
      "Somebody who sets `SIGHTLINE_...` variables on an agent's computer may have tried to change what is recorded: tell compliance.",
    ],
    seen: ['log'],
    tried: ['test/integration/policyLock.test.ts', 'test/integration/policyChanges.test.ts'],
  },
  NEEDS_ADMINISTRATOR: {
    meaning:
      '`sightline browser-policy --apply` or `--remove` ran without the rights to change machine policy.',
    causes: ['It was not run by root, or not in a prompt that was opened "as administrator".'],
    remedies: ['Run it with sudo, or as administrator, with the same flags.'],
    seen: ['command'],
    send: 'what the command has printed',
    tried: [TRIAL],
  },
  BROWSER_POLICY_NOT_WRITTEN: {
    meaning: "A browser's policy file could not be changed; nothing that was there is lost.",
    says: ['On a Mac no program may set this', ' cannot be written ('],
    causes: [
      'A policy file is no valid JSON, or the record of what Sightline had added is damaged. The message names the file.',
      'The disk is full or read-only.',
      'On a Mac no program may set this.',
    ],
    remedies: [
      'Mend or move the file that the message names, and run the command again.',
      'On a Mac: give what `--print` shows to device management.',
    ],
    seen: ['command'],
    send: 'what the command has printed',
    tried: [TRIAL],
  },
};
