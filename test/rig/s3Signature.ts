// AWS Signature Version 4 for S3, written from its specification and not from the SDK: the stand-in server verifies
// with it, and tests sign hand-made requests with it.
import { createHash, createHmac } from 'node:crypto';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface ParsedAuthorization {
  accessKeyId: string;
  /** YYYYMMDD, of the credential's scope. */
  day: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
}

/** Values as they are sent; the names in lower case. */
export type HeaderValues = Record<string, string>;

/** The Authorization header taken apart; null when it is not one of Signature Version 4. */
export function parseAuthorization(header: string): ParsedAuthorization | null {
  const found =
    /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, *SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (found === null) return null;
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = found;
  return { accessKeyId, day, region, service, signedHeaders: names.split(';'), signature };
}

/** As SigV4 wants it: everything but the unreserved characters of RFC 3986, in upper-case hexadecimal. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The canonical request (S3 variant: the path is encoded once and never normalised).
 * @param url path and query as in the request line
 * @throws {URIError} an escape in the path or in the query is broken
 */
export function canonicalRequest(
  method: string,
  url: string,
  headers: HeaderValues,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const [path = '/', query = ''] = splitOnce(url, '?');
  const canonicalPath = path
    .split('/')
    .map((segment) => uriEncode(decodeURIComponent(segment)))
    .join('/');
  const canonicalQuery = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => splitOnce(pair, '=').map((word) => uriEncode(decodeURIComponent(word))))
    .map(([name = '', value = '']) => ({ name, value }))
    .sort((a, b) => order(a.name, b.name) || order(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');
  const canonicalHeaders = signedHeaders.map(
    (name) => `${name}:${(headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`,
  );
  return [
    method,
    canonicalPath,
    canonicalQuery,
    canonicalHeaders.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** @param amzDate `YYYYMMDDTHHMMSSZ` */
export function signatureOf(
  canonical: string,
  secretAccessKey: string,
  scope: { amzDate: string; day: string; region: string; service: string },
): string {
  const credentialScope = `${scope.day}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', scope.amzDate, credentialScope, sha256Hex(canonical)].join('\n');
  const dayKey = hmac(`AWS4${secretAccessKey}`, scope.day);
  const key = hmac(hmac(hmac(dayKey, scope.region), scope.service), 'aws4_request');
  return hmac(key, toSign).toString('hex');
}

export interface SignOptions {
  method: string;
  /** Path and query. */
  url: string;
  /** With `host`; names in lower case. What is in `unsigned` is sent but left out of the signature. */
  headers: HeaderValues;
  unsigned?: readonly string[];
  credentials: S3Credentials;
  region: string;
  atMs: number;
  /** Hexadecimal SHA-256 of the body. */
  payloadHash: string;
}

/** The headers with x-amz-date, x-amz-content-sha256, x-amz-security-token and authorization. */
export function signHeaders(options: SignOptions): HeaderValues {
  const { credentials, region, payloadHash } = options;
  const amzDate = toAmzDate(options.atMs);
  const headers: HeaderValues = {
    ...options.headers,
    'x-amz-date': amzDate,
    'x-amz-content-sha256': payloadHash,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const signedHeaders = Object.keys(headers)
    .filter((name) => options.unsigned?.includes(name) !== true)
    .sort();
  const day = amzDate.slice(0, 8);
  const canonical = canonicalRequest(options.method, options.url, headers, signedHeaders, payloadHash);
  const signature = signatureOf(canonical, credentials.secretAccessKey, {
    amzDate,
    day,
    region,
    service: 's3',
  });
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${day}/${region}/s3/aws4_request, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return headers;
}

export function toAmzDate(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Milliseconds since 1970 of `YYYYMMDDTHHMMSSZ`; null when it is none. */
export function fromAmzDate(text: string): number | null {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (found === null) return null;
  const [, year = '', month = '', day = '', hours = '', minutes = '', seconds = ''] = found;
  const atMs = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(atMs) ? null : atMs;
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** By code point of what is ASCII by then. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
