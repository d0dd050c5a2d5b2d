// Every policy key: typed once, described once. Flags, environment variables, `sightline policy`, the table in
// docs/policy.md, the ADMX and ADML files and the JSON schema are all made from this.

import { z } from 'zod';
import { encoderNames } from '../shared/names.ts';
import { logLevels } from '../platform/log.ts';
import { domainListSchema } from './domains.ts';
import type { KeyInfo } from './keyInfo.ts';
import { key, path, region, safeUrl } from './keyInfo.ts';

export const policyKeys = {
  port: key({
    schema: z.number().int().min(0).max(65535),
    form: 'integer',
    applied: 'restart',
    default: 5431,
    description: 'Port of the local websocket, on 127.0.0.1 and [::1] only. 0 takes a free one.',
  }),
  allowedDomains: key<string[]>({
    schema: domainListSchema,
    form: 'list',
    applied: 'live',
    default: [],
    description:
      'Domains whose https pages may connect, exactly as named (no wildcards), separated by commas.',
  }),
  allowLoopbackOrigins: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: false,
    description:
      'Whether pages served from this machine may connect, with any scheme and port. For development.',
  }),
  auth: key({
    schema: z.enum(['origin', 'endpoint']),
    form: 'text',
    default: 'origin' as const,
    applied: 'restart',
    description:
      'Which pages of the allowed domains are let in: all of them (`origin`), or those whose token the endpoint `authUrl` accepts (`endpoint`).',
  }),
  authUrl: key({
    schema: safeUrl.refine(
      (text) => !/^[^/]*\/\/[^/]*@/.test(text),
      'must not hold a user name or a password',
    ),
    form: 'text',
    default: null,
    defaultText: '`https://<alias>.my.connect.aws/taps/client/auth`, with `instanceAlias`',
    applied: 'restart',
    description:
      'URL that says whether a page’s token is good, where `auth` is `endpoint`. https only, except on this machine.',
  }),
  dataDir: key({
    schema: path,
    form: 'text',
    applied: 'restart',
    default: null,
    defaultText: "the platform's folder for application data",
    description: 'Folder of the spool, the logs and the status events.',
  }),
  spoolQuotaMiB: key({
    schema: z.number().int().min(1).max(1_048_576),
    form: 'integer',
    applied: 'when-idle',
    default: 10_240,
    description:
      'How much the spool may hold, in MiB. When it is used up published recordings go, oldest first; unpublished ones never do, and recording rests until there is room.',
  }),
  spoolMinFreeMiB: key({
    schema: z.number().int().min(0).max(1_048_576),
    form: 'integer',
    applied: 'when-idle',
    default: 1024,
    description:
      'How much of the disk under `dataDir` stays free, in MiB; below that it is as if the quota were used up. 0: the disk may be filled.',
  }),
  keepPublishedHours: key({
    schema: z.number().int().min(0).max(8760),
    form: 'integer',
    applied: 'live',
    default: 0,
    description:
      'How long published recordings stay in the spool, encrypted, unless quota or disk need the room. 0: they are deleted at once.',
  }),
  deliverDamaged: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: true,
    description:
      'Whether what is left of a recording is delivered whose files on this disk were damaged, with gaps and a mark in the manifest. `false`: it is FAILED and stays here.',
  }),
  sink: key({
    schema: z.enum(['folder', 's3']),
    form: 'text',
    applied: 'when-idle',
    default: 'folder' as const,
    description: 'Where finished recordings go: a folder, or an S3 bucket.',
  }),
  sinkFolder: key({
    schema: path,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: '`<dataDir>/recordings`',
    description: 'Folder into which finished recordings are delivered, where the sink is a folder.',
  }),
  s3Bucket: key({
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of an S3 bucket'),
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: 'none',
    description: 'The bucket, where the sink is S3.',
  }),
  s3Endpoint: key({
    schema: safeUrl,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: "AWS's",
    description: 'URL of an S3-compatible store. https only, except on this machine.',
  }),
  s3PathStyle: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'when-idle',
    default: false,
    description: "Whether the bucket's name goes into the path instead of the host. For compatible stores.",
  }),
  s3KmsKeyId: key({
    schema: z.string().min(1).max(2048),
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: "the bucket's own default encryption",
    description: 'ARN of the KMS key with which S3 encrypts recordings (SSE-KMS, with a bucket key).',
  }),
  s3StorageClass: key({
    schema: z.string().regex(/^[A-Z_]+$/, 'is written in capitals, for example STANDARD_IA'),
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: "the bucket's",
    description: 'Storage class of the recordings.',
  }),
  s3Tags: key<string[]>({
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
    schema: z
      .array(
        z
          .string()
          .regex(
            /^[\p{L}\p{Z}\p{N}_.:/+@-]{1,128}=[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u,
            'is written name=value, with letters, digits, spaces and _.:/=+-@',
          ),
      )
      .max(10, 'holds ten tags at most'),
    form: 'list',
    applied: 'when-idle',
    default: [],
    description: 'Tags of the recordings, `name=value`, separated by commas.',
  }),
  awsRegion: key({
    schema: region,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: 'as the AWS SDK finds it (AWS_REGION, then its config file)',
    description: 'Region of the bucket and of the event bus.',
  }),
  awsProfile: key({
    schema: path,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: 'as the AWS SDK finds credentials (environment, then its shared files)',
    description: "Profile of AWS's shared config and credentials files.",
  }),
  brokerUrl: key({
    schema: safeUrl,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: 'none',
    description:
      "URL that answers the token of the agent's page with short-lived credentials for one recording. https only, except on this machine.",
  }),
  uploadLimitKbit: key({
    schema: z.number().int().min(0).max(10_000_000),
    form: 'integer',
    applied: 'live',
    userMaySet: true,
    default: 500,
    description: 'How many kbit/s uploads may take while a contact is on. 0: no limit.',
  }),
  keyPrefix: key({
    schema: z
      .string()
      .regex(/^[A-Za-z0-9!_.*'()<>/ -]*$/, "letters, digits and !_.*'()/- only")
      .refine(
        (text) => !text.split('/').some((part) => part === '..' || part === '.'),
        'must not contain . or .. parts',
      )
      // Of 1,024 bytes for an S3 key and 255 for a folder's name, with what is put in and behind.
      .refine(
        (text) => text.length <= 512 && text.split('/').every((part) => part.length <= 128),
        'must have 512 characters at most, and 128 between two slashes',
      ),
    form: 'text',
    applied: 'when-idle',
    default: 'connect/<alias>/ScreenRecordings',
    description: 'Where recordings go below the sink. `<alias>` stands for the instance alias.',
  }),
  statusEventsFile: key({
    schema: path,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: '`<dataDir>/status-events.ndjson`',
    description: 'File to which each status event is appended as one line of JSON.',
  }),
  eventBusName: key({
    schema: z
      .string()
      .max(1600)
      .regex(
        /^(arn:aws[\w-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/,
        'must be the name or the ARN of an event bus',
      ),
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: 'none: events are not sent to AWS',
    description: 'Bus of Amazon EventBridge to which status events are sent, by name or ARN.',
  }),
  eventBridgeEndpoint: key({
    schema: safeUrl,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: "AWS's own for the region",
    description: 'Where EventBridge is reached, for example the URL of a VPC endpoint.',
  }),
  fps: key({
    schema: z.number().int().min(1).max(30),
    form: 'integer',
    applied: 'when-idle',
    default: 5,
    description: 'Frames a second.',
  }),
  maxMonitors: key({
    schema: z.number().int().min(1).max(3),
    form: 'integer',
    applied: 'when-idle',
    default: 3,
    description:
      'How many monitors are recorded at most: the primary one first, then from left to right and top to bottom.',
  }),
  display: key({
    schema: path,
    form: 'text',
    applied: 'restart',
    default: null,
    defaultText: 'the environment variable DISPLAY',
    description: 'The X display to record, for example `:0`. Linux only.',
  }),
  encoder: key({
    schema: z.enum(['auto', ...encoderNames]),
    form: 'text',
    applied: 'when-idle',
    default: 'auto' as const,
    description:
      '`auto` prefers libopenh264 and falls back to another H.264 encoder with a warning; a named one is required.',
  }),
  ffmpegPath: key({
    schema: path,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: "Sightline's own, then ffmpeg-static, then PATH",
    description: 'The ffmpeg to use. No other is tried then.',
  }),
  graceSeconds: key({
    schema: z.number().int().min(0).max(3600),
    form: 'integer',
    applied: 'live',
    default: 60,
    description:
      'How long recording goes on after the last page has gone away; then the recording is completed.',
  }),
  suspendMaxSeconds: key({
    schema: z.number().int().min(0).max(86_400),
    form: 'integer',
    applied: 'live',
    default: 0,
    description:
      'After how long a suspension ends by itself; a page may ask for less with `maxSeconds`. 0: only a page ends it.',
  }),
  resumeAfterRestart: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: false,
    description:
      'Whether a suspension ends when Sightline was restarted and the page has come back. Otherwise it holds until the page says so.',
  }),
  agentMaySuspend: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: false,
    description:
      'Whether the agent may suspend capture from the tray. Only the agent, `suspendMaxSeconds` or the end of the contacts ends that.',
  }),
  indicator: key({
    schema: z.enum(['required', 'optional', 'off']),
    form: 'text',
    applied: 'live',
    default: 'required' as const,
    description:
      'The pill on every recorded monitor that says what capture does. `required`: it can be made small, not hidden; `optional`: the agent may hide it; `off`: there is none.',
  }),
  autostart: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    userMaySet: true,
    default: true,
    description: 'Whether the app starts when the user signs in.',
  }),
  pauseOnLock: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'when-idle',
    default: true,
    description:
      'Whether capture pauses while the screen is locked, the computer asleep or another user at it.',
  }),
  instanceAlias: key({
    // https://docs.aws.amazon.com/connect/latest/APIReference/API_CreateInstance.html
    schema: z
      .string()
      .max(45)
      .regex(
        /^(?!d-)[A-Za-z0-9](-*[A-Za-z0-9])*$/,
        'must be the alias of an instance, for example acme of acme.my.connect.aws',
      ),
    form: 'text',
    applied: 'live',
    default: null,
    defaultText: 'none: the network is not checked',
    description:
      'Alias of the Amazon Connect instance, `acme` of acme.my.connect.aws. With it `sightline doctor` checks the hosts and ports that the instance needs.',
  }),
  instanceRegion: key({
    schema: region,
    form: 'text',
    applied: 'live',
    default: null,
    defaultText: 'none: only hosts that depend on no region are checked',
    description: 'Region of the Amazon Connect instance, for the checks of the network.',
  }),
  logLevel: key({
    schema: z.enum(logLevels),
    form: 'text',
    applied: 'live',
    userMaySet: true,
    default: 'info' as const,
    description: 'How much is logged.',
  }),
} as const;

export type PolicyKey = keyof typeof policyKeys;
type ValueOf<K extends PolicyKey> = (typeof policyKeys)[K] extends KeyInfo<infer T> ? T : never;

/** The keys whose default is worked out; after loading, these may still be null. */
type MayBeNull =
  | 'authUrl'
  | 'display'
  | 'ffmpegPath'
  | 's3Bucket'
  | 's3Endpoint'
  | 's3KmsKeyId'
  | 's3StorageClass'
  | 'awsRegion'
  | 'awsProfile'
  | 'brokerUrl'
  | 'eventBusName'
  | 'eventBridgeEndpoint'
  | 'instanceAlias'
  | 'instanceRegion';

export type Policy = { readonly [K in PolicyKey]: K extends MayBeNull ? ValueOf<K> | null : ValueOf<K> };

export const policyKeyNames = Object.keys(policyKeys) as PolicyKey[];

/** `allowLoopbackOrigins` -> `--allow-loopback-origins`, `spoolQuotaMiB` -> `--spool-quota-mib` */
export function flagOf(name: PolicyKey): string {
  return `--${words(name).join('-')}`;
}

/** `allowLoopbackOrigins` -> `SIGHTLINE_ALLOW_LOOPBACK_ORIGINS` */
export function variableOf(name: PolicyKey): string {
  return `SIGHTLINE_${words(name).join('_').toUpperCase()}`;
}

/** In small letters; a unit is one word. */
function words(name: PolicyKey): string[] {
  return name.split(/(?=MiB)|(?<!Mi)(?=[A-Z])/).map((word) => word.toLowerCase());
}
