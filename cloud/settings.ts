// The settings of the handlers, from environment variables (docs/aws-services.md lists them). Read once at the start: a wrong value ends the
// function with the variable's name, before any request is served.

import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

const CONNECT_INSTANCE =
  /^arn:(aws|aws-us-gov|aws-cn):connect:[a-z0-9-]+:\d{12}:instance\/[A-Za-z0-9-]{1,64}$/;
/** Folders without a wildcard of IAM or S3 ("*", "?", "$"), without "..", and without a slash at the ends. */
const PREFIX = /^[A-Za-z0-9!_.'()=@+-]+(\/[A-Za-z0-9!_.'()=@+-]+)*$/;

/** An instance that is served, and where its recordings go. */
const instanceSchema = z.strictObject({
  instanceArn: z.string().regex(CONNECT_INSTANCE, 'the ARN of an Amazon Connect instance'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket'),
  /** Keys begin with it and a slash; below it may be folders of policy `keyPrefix`, then date and name. */
  keyPrefix: z
    .string()
    .max(200)
    .regex(PREFIX, "folders of letters, digits and !_.'()=@+-")
    .refine((prefix) => !prefix.split('/').some((part) => /^\.+$/.test(part)), 'no "." or ".."'),
});
export type Instance = z.infer<typeof instanceSchema>;

const instancesSchema = z
  .array(instanceSchema)
  .min(1)
  .max(100)
  .refine(
    (all) => new Set(all.map(({ instanceArn }) => instanceArn)).size === all.length,
    'an instance is listed twice',
  )
  // Otherwise agents of one client could write into the folder of another one.
  .refine(
    (all) => !all.some((one) => all.some((other) => one !== other && contains(one, other))),
    'one folder is within another',
  );

function contains(outer: Instance, inner: Instance): boolean {
  return outer.bucket === inner.bucket && `${inner.keyPrefix}/`.startsWith(`${outer.keyPrefix}/`);
}

const verifierSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('oidc'),
    issuer: z.url(),
    audience: z.string().min(1),
    audienceClaim: z.enum(['aud', 'client_id']),
    jwksUrl: z.url({ protocol: /^https?$/ }),
  }),
  z.object({
    kind: z.literal('hmac'),
    issuer: z.string().min(1),
    audience: z.string().min(1),
    secret: z.string().min(32, 'at least 32 characters'),
  }),
]);
export type VerifierSettings = z.infer<typeof verifierSchema>;

const agentClaimSchema = z.object({
  claim: z.string().min(1),
  kind: z.enum(['arn', 'userId', 'username']),
  instanceClaim: z.string().min(1).nullable(),
});

/** What broker, authorizer, relay and links have in common. */
export interface AccessSettings {
  readonly instances: readonly Instance[];
  readonly verifier: VerifierSettings;
  readonly agentClaim: z.infer<typeof agentClaimSchema>;
}

/** @throws Error that names the variable */
export function accessSettings(env: Environment): AccessSettings {
  const instances = instancesIn(env);
  const kind = env['TOKEN_VERIFIER'] ?? 'oidc';
  const issuer = env['TOKEN_ISSUER'] ?? '';
  const verifier = check('TOKEN_*', verifierSchema, {
    kind,
    issuer,
    audience: env['TOKEN_AUDIENCE'],
    ...(kind === 'oidc'
      ? {
          audienceClaim: env['TOKEN_AUDIENCE_CLAIM'] ?? 'aud',
          // Cognito's place.
          jwksUrl: env['TOKEN_JWKS_URL'] ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
        }
      : { secret: env['TOKEN_SECRET'] }),
  });
  if (verifier.kind === 'oidc') requireHttps(verifier.jwksUrl);
  const agentClaim = check('TOKEN_AGENT_*', agentClaimSchema, {
    claim: env['TOKEN_AGENT_CLAIM'] ?? 'agentArn',
    kind: env['TOKEN_AGENT_CLAIM_KIND'] ?? 'arn',
    instanceClaim: env['TOKEN_INSTANCE_CLAIM'] ?? null,
  });
  if (agentClaim.kind === 'username' && agentClaim.instanceClaim === null && instances.length > 1)
    throw new Error(
      'TOKEN_INSTANCE_CLAIM is missing. With several instances a username is not enough: name the claim that has the instance.',
    );
  return { instances, verifier, agentClaim };
}

/** @throws Error that names the variable */
export function instancesIn(env: Environment): readonly Instance[] {
  return check('INSTANCES', instancesSchema, json('INSTANCES', env));
}

/** @throws Error that names the variable */
export function required(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`${name} is missing.`);
  return value;
}

/** Keys over plain HTTP could be replaced on the way. */
function requireHttps(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && hostname !== '127.0.0.1' && hostname !== 'localhost')
    throw new Error('TOKEN_JWKS_URL must be https.');
}

const brokerSchema = z.object({
  roleArn: z.string().regex(/^arn:(aws|aws-us-gov|aws-cn):iam::\d{12}:role\/.+$/, 'the ARN of a role'),
  kmsKeyArn: z
    .string()
    .regex(/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the ARN of a key')
    .nullable(),
  eventBusArn: z
    .string()
    .regex(/^arn:[a-z-]+:events:[a-z0-9-]+:\d{12}:event-bus\/[^*?$]+$/, 'the ARN of a bus')
    .nullable(),
  tagKeys: z.array(z.string().regex(/^[A-Za-z0-9 _.:/=+@-]{1,128}$/)).max(10),
  allowHead: z.boolean(),
  otherAgents: z.boolean(),
  durationSeconds: z.coerce.number().int().min(900).max(3600),
  perSecond: z.coerce.number().positive().max(1000),
  burst: z.coerce.number().int().positive().max(10_000),
});
export type BrokerSettings = z.infer<typeof brokerSchema>;

/** @throws Error that names the variable */
export function brokerSettings(env: Environment): BrokerSettings {
  return check('ROLE_ARN, KMS_KEY_ARN, EVENT_BUS_ARN, TAG_KEYS, CREDENTIALS_* or RATE_*', brokerSchema, {
    roleArn: env['ROLE_ARN'],
    kmsKeyArn: env['KMS_KEY_ARN'] || null,
    eventBusArn: env['EVENT_BUS_ARN'] || null,
    tagKeys: (env['TAG_KEYS'] ?? '').split(',').filter((key) => key !== ''),
    allowHead: env['ALLOW_HEAD'] === 'true',
    otherAgents: env['ALLOW_OTHER_AGENTS'] === 'true',
    // STS allows no less.
    durationSeconds: env['CREDENTIALS_SECONDS'] ?? 900,
    perSecond: env['RATE_PER_SECOND'] ?? 5,
    burst: env['RATE_BURST'] ?? 60,
  });
}

function json(name: string, env: Environment): unknown {
  try {
    return JSON.parse(env[name] ?? '');
  } catch {
    throw new Error(`${name} is missing, or is no JSON.`);
  }
}

function check<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'value'}: ${message}`);
  throw new Error(`${name} is not valid. ${issues.join('; ')}`);
}
