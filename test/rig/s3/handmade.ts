// Requests to the S3 stand-in made by hand, with anything in them that the SDK would never send.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { sha256Hex, signHeaders, type HeaderValues, type S3Credentials } from '../s3Signature.ts';
import { TEST_KEY } from '../s3Server.ts';

export interface HandmadeRequest {
  method: string;
  /** Path, percent-encoded, and query. */
  url: string;
  body?: Uint8Array;
  headers?: HeaderValues;
  /** Changed after signing; undefined takes a header away. */
  afterSigning?: Record<string, string | undefined>;
  unsigned?: readonly string[];
  credentials?: S3Credentials;
  region?: string;
  atMs?: number;
  payloadHash?: string;
}

export interface HandmadeAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Of the <Error>; null where there is none. */
  code: string | null;
}

/** Sends it on a connection of its own; rejects when that dies before the answer is complete. */
export async function sendHandmade(endpoint: string, options: HandmadeRequest): Promise<HandmadeAnswer> {
  const body = options.body ?? new Uint8Array();
  const signed: Record<string, string | undefined> = {
    ...signHeaders({
      method: options.method,
      url: options.url,
      headers: {
        host: endpoint.slice('http://'.length),
        'content-length': String(body.length),
        ...options.headers,
      },
      ...(options.unsigned === undefined ? {} : { unsigned: options.unsigned }),
      credentials: options.credentials ?? TEST_KEY,
      region: options.region ?? 'eu-west-1',
      atMs: options.atMs ?? Date.now(),
      payloadHash: options.payloadHash ?? sha256Hex(body),
    }),
    ...options.afterSigning,
  };
  const headers = Object.fromEntries(Object.entries(signed).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const request = httpRequest(endpoint, {
      method: options.method,
      path: options.url,
      headers,
      agent: false,
    });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text,
          code: /<Error><Code>([^<]+)</.exec(text)?.[1] ?? null,
        });
      });
    });
    request.end(body);
  });
}
