// Every policy key: typed once, described once. Flags, environment variables, `sightline policy`, the table in
// docs/policy.md, the ADMX and ADML files and the JSON schema are generated from this.

import { z } from 'zod';
import { encoderNames, qualitySchema } from '../shared/names.ts';
import { logLevels } from '../platform/log.ts';
import { domainListSchema } from './domains.ts';
import { sinkKeys } from './sinkKeys.ts';
import { atRestart, integer, live, path, region, safeUrl, serviceUrl, whenIdle } from './keyInfo.ts';

export const policyKeys = {
  port: atRestart({
    schema: integer(0, 65535),
    default: 5431,
    description: 'Port of the local websocket, on 127.0.0.1 and [::1] only. 0 selects a free port.',
  }),
  sharedPort: atRestart({
    schema: z.enum(['first', 'system']),
    default: 'first',
    description:
      "Who opens the port on a host with several users: the first user's Sightline (`first`), or only `sightline door`, run by the system's own account (`system`), so that no user can read what another one's page sends.",
  }),
  allowedDomains: live({
    schema: domainListSchema,
    default: [] as string[],
    description: 'Domains whose https pages may connect: exact names, no wildcards, separated by commas.',
  }),
  allowLoopbackOrigins: live({
    schema: z.boolean(),
    default: false,
    description: 'Allow pages from this computer to connect, with any scheme and port. For development.',
  }),
  auth: atRestart({
    schema: z.enum(['origin', 'endpoint']),
    default: 'origin',
    description:
      'Which pages of the allowed domains may connect: all (`origin`), or those whose token the endpoint `authUrl` accepts (`endpoint`).',
  }),
  authUrl: atRestart({
    schema: serviceUrl,
    default: null,
    defaultText: '`https://<alias>.my.connect.aws/taps/client/auth`, with `instanceAlias`',
    description:
      "URL of the endpoint that verifies pages' tokens, if `auth` is `endpoint`. https only, except on this computer.",
  }),
  dataDir: atRestart({
    schema: path,
    default: null,
    defaultText: "the platform's folder for application data",
    description: 'Folder for the spool, the log and the status events.',
  }),
  spoolQuotaMiB: whenIdle({
    schema: integer(1, 1_048_576),
    default: 10_240,
    description:
      'Maximum size of the spool, in MiB. At the limit, published recordings are deleted, oldest first; unpublished ones never are, and recording stops until there is space.',
  }),
  spoolMinFreeMiB: whenIdle({
    schema: integer(0, 1_048_576),
    default: 1024,
    description:
      'Space to keep free on the disk of `dataDir`, in MiB. With less, Sightline acts as at the quota. 0: the disk may be filled.',
  }),
  keepPublishedHours: live({
    schema: integer(0, 8760),
    default: 0,
    description:
      'How long published recordings stay in the spool, encrypted, unless their space is needed. 0: they are deleted immediately.',
  }),
  deliverDamaged: live({
    schema: z.boolean(),
    default: true,
    description:
      'Upload what is readable of a recording whose files were damaged on this disk, with gaps and a mark in the manifest. `false`: it is FAILED and stays here.',
  }),
  ...sinkKeys,
  statusEventsFile: whenIdle({
    schema: path,
    default: null,
    defaultText: '`<dataDir>/status-events.ndjson`',
    description: 'File to which each status event is appended as one line of JSON.',
  }),
  overdueMinutes: live({
    schema: integer(0, 10_080),
    default: 60,
    description:
      'Time after the end of a recording after which a status event says that it is not published yet, in minutes. 0: no such event.',
  }),
  heartbeat: live({
    schema: z.enum(['off', 'events', 'url']),
    default: 'off',
    description:
      'Whether this desk reports its health at sign-in, on changes and every hour: not (`off`), with the status events to their file and bus (`events`), or to `heartbeatUrl` (`url`).',
  }),
  heartbeatUrl: live({
    schema: serviceUrl,
    default: null,
    defaultText: 'none',
    description:
      'URL to which heartbeats are posted as JSON, if `heartbeat` is `url`. https only, except on this computer.',
  }),
  otlpEndpoint: live({
    schema: serviceUrl,
    default: null,
    defaultText: 'none: no metrics',
    description:
      'URL of an OpenTelemetry collector (OTLP over HTTP) for metrics every minute, without `/v1/metrics`. https only, except on this computer.',
  }),
  eventBusName: whenIdle({
    schema: z
      .string()
      .max(1600)
      .regex(
        /^(arn:aws[\w-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/,
        'must be the name or the ARN of an event bus',
      ),
    default: null,
    defaultText: 'none: events are not sent to AWS',
    description: 'Amazon EventBridge bus for status events, by name or ARN.',
  }),
  eventBridgeEndpoint: whenIdle({
    schema: safeUrl,
    default: null,
    defaultText: "AWS's own for the region",
    description: 'Endpoint of EventBridge, for example the URL of a VPC endpoint.',
  }),
  fps: whenIdle({ schema: integer(1, 30), default: 5, description: 'Frame rate, in frames per second.' }),
  maxMonitors: whenIdle({
    schema: integer(1, 3),
    default: 3,
    description:
      'Maximum number of monitors to record: the primary one first, then from left to right and top to bottom.',
  }),
  display: atRestart({
    schema: path,
    default: null,
    defaultText: 'the environment variable DISPLAY',
    description: 'The X display to record, for example `:0`. Linux only.',
  }),
  quality: whenIdle({
    schema: qualitySchema,
    default: 'balanced',
    description:
      "Detail and size of recordings: `small`, `balanced` or `sharp`. What each costs is in performance.md. Only with Sightline's own ffmpeg.",
  }),
  encoder: whenIdle({
    schema: z.enum(['auto', ...encoderNames]),
    default: 'auto',
    description:
      '`auto` prefers libopenh264 and falls back to another H.264 encoder with a warning; a named encoder is required.',
  }),
  ffmpegPath: whenIdle({
    schema: path,
    default: null,
    defaultText: "Sightline's own, then ffmpeg-static, then PATH",
    description: 'The ffmpeg to use. No other is tried then.',
  }),
  signOutWaitSeconds: live({
    schema: integer(4, 300),
    default: 4,
    description:
      'Windows: how long a sign-out or shutdown may be delayed so that the last recording is uploaded before. Raise it on non-persistent desktops, which lose what is not uploaded.',
  }),
  graceSeconds: live({
    schema: integer(0, 3600),
    default: 60,
    description:
      'How long recording continues after the last page has disconnected; then the recording is completed.',
  }),
  suspendMaxSeconds: live({
    schema: integer(0, 86_400),
    default: 0,
    description:
      'Time after which a suspension ends automatically; a page may ask for less with `maxSeconds`. 0: only a page ends it.',
  }),
  resumeAfterRestart: live({
    schema: z.boolean(),
    default: false,
    description:
      'End a suspension when Sightline was restarted and the page is back. `false`: it lasts until the page resumes.',
  }),
  agentMaySuspend: live({
    schema: z.boolean(),
    default: false,
    description:
      'Allow the agent to suspend capture (tray, indicator, window). Only the agent, `suspendMaxSeconds` or the end of the contacts ends that.',
  }),
  agentMayQuit: live({
    schema: z.boolean(),
    default: true,
    description:
      'Allow the agent to quit Sightline from the tray. `false`: Quit is not offered, and only the system and the installer end it. The MSI sets `false`.',
  }),
  indicator: live({
    schema: z.enum(['required', 'optional', 'off']),
    default: 'required',
    description:
      'The indicator on each recorded monitor. `required`: the agent can shrink it, not hide it; `optional`: the agent may hide it; `off`: not shown.',
  }),
  indicatorInRecording: live({
    schema: z.boolean(),
    default: true,
    description:
      'Whether recordings show the indicator. `false`: Windows leaves it out of every screen capture (Windows 10 version 2004 or newer; older versions show a black area). No effect on Linux, where X11 cannot leave out a window.',
  }),
  autostart: live({
    schema: z.boolean(),
    userMaySet: true,
    default: true,
    description: 'Start the app when the user signs in.',
  }),
  pauseOnLock: whenIdle({
    schema: z.boolean(),
    default: true,
    description:
      'Pause capture while the screen is locked, the computer is asleep or another user is active.',
  }),
  instanceAlias: live({
    // https://docs.aws.amazon.com/connect/latest/APIReference/API_CreateInstance.html
    schema: z
      .string()
      .max(45)
      .regex(
        /^(?!d-)[A-Za-z0-9](-*[A-Za-z0-9])*$/,
        'must be the alias of an instance, for example acme of acme.my.connect.aws',
      ),
    default: null,
    defaultText: 'none: the network is not checked',
    description:
      'Alias of the Amazon Connect instance: `acme` of acme.my.connect.aws. It replaces `<alias>` in `keyPrefix`. With it, `sightline doctor` checks the hosts and ports that the instance needs.',
  }),
  instanceRegion: live({
    schema: region,
    default: null,
    defaultText: 'none: only hosts that depend on no region are checked',
    description: 'Region of the Amazon Connect instance, for the network checks.',
  }),
  endpointList: live({
    schema: z
      .string()
      .min(1, 'must not be empty')
      .max(2048)
      .refine(
        (text) => !text.includes('://') || safeUrl.safeParse(text).success,
        'must be a file or an https URL (http is for loopback addresses only)',
      ),
    default: null,
    defaultText: 'none',
    description:
      "AWS's list of the hosts to which its own screen recording uploads: a file or an https URL. `sightline doctor` checks its age and, in `instanceRegion`, its hosts.",
  }),
  reviewDownload: atRestart({
    schema: z.boolean(),
    default: true,
    description:
      'Allow downloads of recordings and exports of notes in `sightline review`. `false`: recordings can be watched there only.',
  }),
  logLevel: live({
    schema: z.enum(logLevels),
    userMaySet: true,
    default: 'info',
    description: 'How much is logged.',
  }),
} as const;

export type PolicyKey = keyof typeof policyKeys;

/** The keys whose default `load.ts` derives from others; every other `null` stays. */
type Derived = 'dataDir' | 'sinkFolder' | 'statusEventsFile';

export type Policy = {
  readonly [K in PolicyKey]:
    | z.output<(typeof policyKeys)[K]['schema']>
    | (K extends Derived ? never : null & (typeof policyKeys)[K]['default']);
};

export const policyKeyNames = Object.keys(policyKeys) as PolicyKey[];

/** `allowLoopbackOrigins` -> `--allow-loopback-origins`, `spoolQuotaMiB` -> `--spool-quota-mib` */
export function flagOf(name: PolicyKey): string {
  return `--${words(name).join('-')}`;
}

/** `allowLoopbackOrigins` -> `SIGHTLINE_ALLOW_LOOPBACK_ORIGINS` */
export function variableOf(name: PolicyKey): string {
  return `SIGHTLINE_${words(name).join('_').toUpperCase()}`;
}

/** In lower case; a unit is one word. */
function words(name: PolicyKey): string[] {
  return name.split(/(?=MiB)|(?<!Mi)(?=[A-Z])/).map((word) => word.toLowerCase());
}
