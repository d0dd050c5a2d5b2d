// Every policy key: typed once, described once. Flags, environment variables, `sightline policy`, the table in
// docs/policy.md, the ADMX and ADML files and the JSON schema are generated from this.

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
    description: 'Port of the local websocket, on 127.0.0.1 and [::1] only. 0 selects a free port.',
  }),
  allowedDomains: key<string[]>({
    schema: domainListSchema,
    form: 'list',
    applied: 'live',
    default: [],
    description: 'Domains whose https pages may connect: exact names, no wildcards, separated by commas.',
  }),
  allowLoopbackOrigins: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: false,
    description: 'Allow pages from this computer to connect, with any scheme and port. For development.',
  }),
  auth: key({
    schema: z.enum(['origin', 'endpoint']),
    form: 'text',
    default: 'origin' as const,
    applied: 'restart',
    description:
      'Which pages of the allowed domains may connect: all (`origin`), or those whose token the endpoint `authUrl` accepts (`endpoint`).',
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
      "URL of the endpoint that verifies pages' tokens, if `auth` is `endpoint`. https only, except on this computer.",
  }),
  dataDir: key({
    schema: path,
    form: 'text',
    applied: 'restart',
    default: null,
    defaultText: "the platform's folder for application data",
    description: 'Folder for the spool, the log and the status events.',
  }),
  spoolQuotaMiB: key({
    schema: z.number().int().min(1).max(1_048_576),
    form: 'integer',
    applied: 'when-idle',
    default: 10_240,
    description:
      'Maximum size of the spool, in MiB. At the limit, published recordings are deleted, oldest first; unpublished ones never are, and recording stops until there is space.',
  }),
  spoolMinFreeMiB: key({
    schema: z.number().int().min(0).max(1_048_576),
    form: 'integer',
    applied: 'when-idle',
    default: 1024,
    description:
      'Space to keep free on the disk of `dataDir`, in MiB. With less, Sightline acts as at the quota. 0: the disk may be filled.',
  }),
  keepPublishedHours: key({
    schema: z.number().int().min(0).max(8760),
    form: 'integer',
    applied: 'live',
    default: 0,
    description:
      'How long published recordings stay in the spool, encrypted, unless their space is needed. 0: they are deleted immediately.',
  }),
  deliverDamaged: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: true,
    description:
      'Upload what is readable of a recording whose files were damaged on this disk, with gaps and a mark in the manifest. `false`: it is FAILED and stays here.',
  }),
  sink: key({
    schema: z.enum(['folder', 's3']),
    form: 'text',
    applied: 'when-idle',
    default: 'folder' as const,
    description: 'Where finished recordings go: a folder or an S3 bucket.',
  }),
  sinkFolder: key({
    schema: path,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: '`<dataDir>/recordings`',
    description: 'Folder for finished recordings, if `sink` is `folder`.',
  }),
  s3Bucket: key({
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of an S3 bucket'),
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: 'none',
    description: 'Bucket for finished recordings, if `sink` is `s3`.',
  }),
  s3Endpoint: key({
    schema: safeUrl,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: "AWS's",
    description: 'URL of an S3-compatible store. https only, except on this computer.',
  }),
  s3PathStyle: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'when-idle',
    default: false,
    description: "Put the bucket's name in the path instead of the host. For compatible stores.",
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
      "URL of a service that exchanges the token of the agent's page for short-lived credentials for one recording. https only, except on this computer.",
  }),
  uploadLimitKbit: key({
    schema: z.number().int().min(0).max(10_000_000),
    form: 'integer',
    applied: 'live',
    userMaySet: true,
    default: 500,
    description: 'Limit for all uploads together while a contact is active, in kbit/s. 0: no limit.',
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
    description: 'Path of recordings in the sink. `<alias>` is replaced by the instance alias.',
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
    description: 'Amazon EventBridge bus for status events, by name or ARN.',
  }),
  eventBridgeEndpoint: key({
    schema: safeUrl,
    form: 'text',
    applied: 'when-idle',
    default: null,
    defaultText: "AWS's own for the region",
    description: 'Endpoint of EventBridge, for example the URL of a VPC endpoint.',
  }),
  fps: key({
    schema: z.number().int().min(1).max(30),
    form: 'integer',
    applied: 'when-idle',
    default: 5,
    description: 'Frame rate, in frames per second.',
  }),
  maxMonitors: key({
    schema: z.number().int().min(1).max(3),
    form: 'integer',
    applied: 'when-idle',
    default: 3,
    description:
      'Maximum number of monitors to record: the primary one first, then from left to right and top to bottom.',
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
      '`auto` prefers libopenh264 and falls back to another H.264 encoder with a warning; a named encoder is required.',
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
      'How long recording continues after the last page has disconnected; then the recording is completed.',
  }),
  suspendMaxSeconds: key({
    schema: z.number().int().min(0).max(86_400),
    form: 'integer',
    applied: 'live',
    default: 0,
    description:
      'Time after which a suspension ends automatically; a page may ask for less with `maxSeconds`. 0: only a page ends it.',
  }),
  resumeAfterRestart: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: false,
    description:
      'End a suspension when Sightline was restarted and the page is back. `false`: it lasts until the page resumes.',
  }),
  agentMaySuspend: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    default: false,
    description:
      'Allow the agent to suspend capture (tray, indicator, window). Only the agent, `suspendMaxSeconds` or the end of the contacts ends that.',
  }),
  indicator: key({
    schema: z.enum(['required', 'optional', 'off']),
    form: 'text',
    applied: 'live',
    default: 'required' as const,
    description:
      'The indicator on each recorded monitor. `required`: the agent can shrink it, not hide it; `optional`: the agent may hide it; `off`: not shown.',
  }),
  autostart: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'live',
    userMaySet: true,
    default: true,
    description: 'Start the app when the user signs in.',
  }),
  pauseOnLock: key({
    schema: z.boolean(),
    form: 'boolean',
    applied: 'when-idle',
    default: true,
    description:
      'Pause capture while the screen is locked, the computer is asleep or another user is active.',
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
      'Alias of the Amazon Connect instance: `acme` of acme.my.connect.aws. With it, `sightline doctor` checks the hosts and ports that the instance needs.',
  }),
  instanceRegion: key({
    schema: region,
    form: 'text',
    applied: 'live',
    default: null,
    defaultText: 'none: only hosts that depend on no region are checked',
    description: 'Region of the Amazon Connect instance, for the network checks.',
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
