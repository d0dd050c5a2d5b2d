// Whether a request to a stand-in (EventBridge's unless told) is signed as AWS demands: Signature Version 4, worked out here from
// AWS's description ("Create a signed AWS API request", IAM User Guide) and not with the SDK's own code.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface SigningKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SignatureRefusal {
  readonly code: string;
  readonly message: string;
}

const MAX_SKEW_MS = 5 * 60_000;
const MUST_BE_SIGNED = ['host', 'x-amz-date'];
const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;

/** null: signed as it must be. */
export function signatureRefusal(
  request: IncomingMessage,
  body: Buffer,
  {
    key,
    region,
    now,
    service: wanted = 'events',
  }: { key: SigningKey; region: string; now: number; service?: string },
): SignatureRefusal | null {
  const { authorization } = request.headers;
  if (authorization === undefined)
    return { code: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' };
  const match = FORM.exec(authorization);
  if (match === null)
    return { code: 'IncompleteSignatureException', message: `Not a SigV4 header: ${authorization}` };
  const [, keyId = '', day = '', ofRegion = '', service = '', signed = '', signature = ''] = match;
  if (keyId !== key.accessKeyId || header(request, 'x-amz-security-token') !== (key.sessionToken ?? ''))
    return {
      code: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    };
  const time = header(request, 'x-amz-date');
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(at - now) <= MAX_SKEW_MS) || !time.startsWith(day))
    return { code: 'InvalidSignatureException', message: `Signature expired: ${time} is not now` };
  if (ofRegion !== region || service !== wanted)
    return {
      code: 'InvalidSignatureException',
      message: `Credential should be scoped to a valid region and service: ${ofRegion}/${service}`,
    };
  const names = signed.split(';');
  const needed = [
    ...MUST_BE_SIGNED,
    ...(wanted === 'events' ? ['x-amz-target'] : []),
    ...(key.sessionToken === undefined ? [] : ['x-amz-security-token']),
  ];
  const unsigned = needed.filter((name) => !names.includes(name));
  if (unsigned.length > 0 || names.join() !== [...names].sort().join())
    return { code: 'InvalidSignatureException', message: `Not signed, or out of order: ${unsigned.join()}` };

  const canonical = [
    request.method ?? '',
    request.url ?? '',
    '', // no query
    ...names.map((name) => `${name}:${header(request, name).trim().replaceAll(/ +/g, ' ')}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  const scope = `${day}/${region}/${wanted}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const derived = [day, region, wanted, 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${key.secretAccessKey}`),
  );
  if (timingSafeEqual(hmac(derived, toSign), Buffer.from(signature, 'hex'))) return null;
  return {
    code: 'InvalidSignatureException',
    message: 'The request signature we calculated does not match the signature you provided.',
  };
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
