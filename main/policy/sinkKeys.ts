// The policy keys about where recordings go and what they are called there (keys.ts has the others).

import { z } from 'zod';
import { ATTRIBUTE_NAME, PLACEHOLDER, placeholdersIn } from '../shared/placeholders.ts';
import { absolutePath, integer, live, path, proxyUrl, region, safeUrl, whenIdle } from './keyInfo.ts';

export const sinkKeys = {
  sink: whenIdle({
    schema: z.enum(['folder', 's3']),
    default: 'folder',
    description: 'Where finished recordings go: a folder or an S3 bucket.',
  }),
  sinkFolder: whenIdle({
    schema: path,
    default: null,
    defaultText: '`<dataDir>/recordings`',
    description: 'Folder for finished recordings, if `sink` is `folder`.',
  }),
  s3Bucket: whenIdle({
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of an S3 bucket'),
    default: null,
    defaultText: 'none',
    description: 'Bucket for finished recordings, if `sink` is `s3`.',
  }),
  s3Endpoint: whenIdle({
    schema: safeUrl,
    default: null,
    defaultText: "AWS's",
    description: 'URL of an S3-compatible store. https only, except on this computer.',
  }),
  s3PathStyle: whenIdle({
    schema: z.boolean(),
    default: false,
    description: "Put the bucket's name in the path instead of the host. For compatible stores.",
  }),
  s3KmsKeyId: whenIdle({
    schema: z.string().min(1).max(2048),
    default: null,
    defaultText: "the bucket's own default encryption",
    description:
      'ARN, id or alias of the KMS key with which S3 must encrypt recordings (SSE-KMS, with a bucket key).',
  }),
  s3StorageClass: whenIdle({
    schema: z.string().regex(/^[A-Z_]+$/, 'is written in capitals, for example STANDARD_IA'),
    default: null,
    defaultText: "the bucket's",
    description: 'Storage class of the recordings.',
  }),
  s3Tags: whenIdle({
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
    schema: z
      .array(
        z
          .string()
          .regex(
            new RegExp(
              `^[\\p{L}\\p{Z}\\p{N}_.:/+@-]{1,128}=(?:[\\p{L}\\p{Z}\\p{N}_.:/=+@-]|${PLACEHOLDER})*$`,
              'u',
            ),
            'is written name=value, with letters, digits, spaces, _.:/=+-@ and placeholders',
          )
          .refine(
            (tag) => tag.length - tag.indexOf('=') <= 257,
            'must have a value of 256 characters at most',
          ),
      )
      .max(10, 'holds ten tags at most'),
    default: [] as string[],
    description:
      'Tags of the recordings, `name=value`, separated by commas. The values may contain the placeholders of `keyPrefix`.',
  }),
  awsRegion: whenIdle({
    schema: region,
    default: null,
    defaultText: 'as the AWS SDK finds it (AWS_REGION, then its config file)',
    description: 'Region of the bucket and of the event bus.',
  }),
  awsProfile: whenIdle({
    schema: path,
    default: null,
    defaultText: 'as the AWS SDK finds credentials (environment, then its shared files)',
    description: "Profile of AWS's shared config and credentials files.",
  }),
  brokerUrl: whenIdle({
    schema: safeUrl,
    default: null,
    defaultText: 'none',
    description:
      "URL of a service that exchanges the token of the agent's page for short-lived credentials for one recording. https only, except on this computer.",
  }),
  proxyUrl: live({
    schema: proxyUrl,
    default: null,
    defaultText: "the system's proxy in the app, HTTPS_PROXY and NO_PROXY without it",
    description:
      'Proxy to AWS, broker and authentication endpoint: `http://[user:password@]proxy:port`, `pac+` and the address of a PAC script, or `direct`.',
  }),
  caFile: live({
    schema: absolutePath,
    default: null,
    defaultText: "the system's roots only",
    description:
      "File (PEM) of root certificates to trust besides the system's, for `sightline serve` and the other commands. The app trusts the system's store only.",
  }),
  uploadLimitKbit: live({
    schema: integer(0, 10_000_000),
    userMaySet: true,
    default: 500,
    description: 'Limit for all uploads together while a contact is active, in kbit/s. 0: no limit.',
  }),
  keyPrefix: whenIdle({
    schema: z
      .string()
      .regex(
        new RegExp(`^(?:[A-Za-z0-9!_.*'()/ -]|${PLACEHOLDER})*$`),
        "must have letters, digits, !_.*'()/- and known placeholders only",
      )
      .refine(
        (text) => !text.split('/').some((part) => part === '..' || part === '.'),
        'must not contain . or .. parts',
      )
      // Of 1,024 bytes for an S3 key and 255 for a folder's name, with what is put in and behind.
      .refine(
        (text) => text.length <= 512 && text.split('/').every((part) => part.length <= 128),
        'must have 512 characters at most, and 128 between two slashes',
      )
      .refine((text) => placeholdersIn(text).length <= 5, 'must have five placeholders at most'),
    default: 'connect/<alias>/ScreenRecordings',
    description:
      'Path of recordings in the sink. Placeholders: `<alias>` (`instanceAlias`, then the alias that the page names), `<instanceId>`, `<queue>`, `<channel>` and `<attribute:NAME>`.',
  }),
  attributesForKeys: whenIdle({
    schema: z
      .array(
        z
          .string()
          .regex(new RegExp(`^${ATTRIBUTE_NAME}$`), 'is a name of 1 to 100 letters, digits, "-" or "_"'),
      )
      .max(20, 'holds 20 names at most'),
    default: [] as string[],
    description:
      'Names of the contact attributes that `keyPrefix` and `s3Tags` may contain, separated by commas. Their values are visible to everyone who may list the bucket or the folder.',
  }),
} as const;
