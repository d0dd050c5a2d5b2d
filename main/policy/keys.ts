// Every policy key: typed once, described once. Flags, environment variables, `sightline policy`, and the table in
// docs/policy.md are all made from this.

import { z } from 'zod';
import { encoderNames } from '../shared/names.ts';
import { logLevels } from '../platform/log.ts';
import { domainListSchema } from './domains.ts';

export interface KeyInfo<T> {
  readonly schema: z.ZodType<T>;
  /** How a flag's or a variable's text is read before the schema sees it. */
  readonly form: 'text' | 'integer' | 'boolean' | 'list';
  /** null: worked out from other keys or from the platform; `defaultText` says how. */
  readonly default: T | null;
  readonly defaultText?: string;
  readonly description: string;
}

const key = <T>(info: KeyInfo<T>): KeyInfo<T> => info;
const path = z.string().min(1, 'must not be empty');

/** Requests carry a session token: they go over TLS, or nowhere. */
function isSafeEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'https:') return true;
  return url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
}

export const policyKeys = {
  port: key({
    schema: z.number().int().min(0).max(65535),
    form: 'integer',
    default: 5431,
    description: 'Port of the local websocket, on 127.0.0.1 and [::1] only. 0 takes a free one.',
  }),
  allowedDomains: key<string[]>({
    schema: domainListSchema,
    form: 'list',
    default: [],
    description:
      'Domains whose https pages may connect, exactly as named (no wildcards), separated by commas.',
  }),
  allowLoopbackOrigins: key({
    schema: z.boolean(),
    form: 'boolean',
    default: false,
    description:
      'Whether pages served from this machine may connect, with any scheme and port. For development.',
  }),
  dataDir: key({
    schema: path,
    form: 'text',
    default: null,
    defaultText: "the platform's folder for application data",
    description: 'Folder of the spool, the logs and the status events.',
  }),
  sinkFolder: key({
    schema: path,
    form: 'text',
    default: null,
    defaultText: '`<dataDir>/recordings`',
    description: 'Folder into which finished recordings are delivered.',
  }),
  keyPrefix: key({
    schema: z
      .string()
      .regex(/^[A-Za-z0-9!_.*'()<>/ -]*$/, "letters, digits and !_.*'()/- only")
      .refine(
        (text) => !text.split('/').some((part) => part === '..' || part === '.'),
        'must not contain . or .. parts',
      ),
    form: 'text',
    default: 'connect/<alias>/ScreenRecordings',
    description: 'Where recordings go below the sink. `<alias>` stands for the instance alias.',
  }),
  statusEventsFile: key({
    schema: path,
    form: 'text',
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
    default: null,
    defaultText: 'none: events are not sent to AWS',
    description: 'Bus of Amazon EventBridge to which status events are sent, by name or ARN.',
  }),
  eventBridgeEndpoint: key({
    schema: z.string().refine(isSafeEndpoint, 'must be an https URL (or http on loopback)'),
    form: 'text',
    default: null,
    defaultText: "AWS's own for the region",
    description: 'Where EventBridge is reached, for example the URL of a VPC endpoint.',
  }),
  awsRegion: key({
    schema: z.string().regex(/^[a-z]{2,}(-[a-z0-9]+)+$/, 'must be a region, for example eu-central-1'),
    form: 'text',
    default: null,
    defaultText: 'as the AWS SDK finds it (AWS_REGION, then its config file)',
    description: 'Region of AWS.',
  }),
  awsProfile: key({
    schema: path,
    form: 'text',
    default: null,
    defaultText: 'as the AWS SDK finds credentials (environment, then its shared files)',
    description: "Profile of AWS's shared config and credentials files.",
  }),
  fps: key({
    schema: z.number().int().min(1).max(30),
    form: 'integer',
    default: 5,
    description: 'Frames a second.',
  }),
  maxMonitors: key({
    schema: z.number().int().min(1).max(3),
    form: 'integer',
    default: 3,
    description:
      'How many monitors are recorded at most: the primary one first, then from left to right and top to bottom.',
  }),
  display: key({
    schema: path,
    form: 'text',
    default: null,
    defaultText: 'the environment variable DISPLAY',
    description: 'The X display to record, for example `:0`. Linux only.',
  }),
  encoder: key({
    schema: z.enum(['auto', ...encoderNames]),
    form: 'text',
    default: 'auto' as const,
    description:
      '`auto` prefers libopenh264 and falls back to another H.264 encoder with a warning; a named one is required.',
  }),
  ffmpegPath: key({
    schema: path,
    form: 'text',
    default: null,
    defaultText: "Sightline's own, then ffmpeg-static, then PATH",
    description: 'The ffmpeg to use. No other is tried then.',
  }),
  graceSeconds: key({
    schema: z.number().int().min(0).max(3600),
    form: 'integer',
    default: 60,
    description:
      'How long recording goes on after the last page has gone away; then the recording is completed.',
  }),
  suspendMaxSeconds: key({
    schema: z.number().int().min(0).max(86_400),
    form: 'integer',
    default: 0,
    description:
      'After how long a suspension ends by itself; a page may ask for less with `maxSeconds`. 0: only a page ends it.',
  }),
  resumeAfterRestart: key({
    schema: z.boolean(),
    form: 'boolean',
    default: false,
    description:
      'Whether a suspension ends when Sightline was restarted and the page has come back. Otherwise it holds until the page says so.',
  }),
  pauseOnLock: key({
    schema: z.boolean(),
    form: 'boolean',
    default: true,
    description:
      'Whether capture pauses while the screen is locked, the computer asleep or another user at it.',
  }),
  logLevel: key({
    schema: z.enum(logLevels),
    form: 'text',
    default: 'info' as const,
    description: 'How much is logged.',
  }),
} as const;

export type PolicyKey = keyof typeof policyKeys;
type ValueOf<K extends PolicyKey> = (typeof policyKeys)[K] extends KeyInfo<infer T> ? T : never;

/** The keys whose default is worked out; after loading, these may still be null. */
type MayBeNull =
  'display' | 'ffmpegPath' | 'eventBusName' | 'eventBridgeEndpoint' | 'awsRegion' | 'awsProfile';

export type Policy = { readonly [K in PolicyKey]: K extends MayBeNull ? ValueOf<K> | null : ValueOf<K> };

export const policyKeyNames = Object.keys(policyKeys) as PolicyKey[];

/** `allowLoopbackOrigins` -> `--allow-loopback-origins` */
export function flagOf(name: PolicyKey): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `allowLoopbackOrigins` -> `SIGHTLINE_ALLOW_LOOPBACK_ORIGINS` */
export function variableOf(name: PolicyKey): string {
  return `SIGHTLINE_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
