// Answers of the S3 stand-in that no operation makes: errors, and the wrong ones that faults ask for.
import { randomBytes } from 'node:crypto';
import { refusal, type S3Error } from './errors.ts';
import { encryptionHeaders } from './objects.ts';
import { SSE_HEADERS, type Encryption } from './settings.ts';
import { XML_DECLARATION, xmlDocument } from './xml.ts';
import type { Answer, Target } from './request.ts';
import type { HeaderValues } from '../s3Signature.ts';

export function errorXml(error: S3Error): string {
  return xmlDocument('Error', [
    ['Code', error.code],
    ['Message', error.message],
    ...Object.entries(error.details),
    ['RequestId', requestId()],
    ['HostId', randomBytes(32).toString('base64')],
  ]);
}

/** S3 sends its status and white space while it puts the parts together, and may find only then that it cannot. */
export function error200(target: Target): Answer {
  const error = refusal(500, 'InternalError', 'We encountered an internal error. Please try again.', {
    Key: target.key,
  });
  const document = errorXml(error).slice(XML_DECLARATION.length);
  return { status: 200, body: `${XML_DECLARATION}${' '.repeat(64)}\n${document}` };
}

/** Every checksum of the answer becomes that of other bytes; what follows it (`-N`) stays. */
export function withWrongChecksum(answer: Answer): Answer {
  const wrong = (value: string): string => {
    const [base64 = '', ...rest] = value.split('-');
    const raw = Buffer.from(base64, 'base64');
    raw[0] = (raw[0] ?? 0) ^ 0xff;
    return [raw.toString('base64'), ...rest].join('-');
  };
  const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => [
    name,
    /^x-amz-checksum-(?!type|algorithm)/.test(name) ? wrong(value) : value,
  ]);
  const { body } = answer;
  return {
    ...answer,
    headers: Object.fromEntries(headers) as HeaderValues,
    ...(typeof body === 'string'
      ? {
          body: body.replace(
            /<(Checksum(?:CRC|SHA)\w+)>([^<]+)</g,
            (_whole, name: string, value: string) => `<${name}>${wrong(value)}<`,
          ),
        }
      : {}),
  };
}

export function withEncryption(answer: Answer, named: Pick<Encryption, 'sse' | 'kmsKeyId'> | null): Answer {
  const rest = Object.entries(answer.headers ?? {}).filter(
    ([name]) => !SSE_HEADERS.some((one) => one === name),
  );
  const headers = named === null ? {} : encryptionHeaders({ ...named, bucketKey: false });
  return { ...answer, headers: { ...Object.fromEntries<string>(rest), ...headers } };
}

export function requestId(): string {
  return randomBytes(8).toString('hex').toUpperCase();
}
