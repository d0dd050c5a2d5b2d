// A strict stand-in for Amazon S3 on the loopback, for tests of the S3 sink: it verifies whatever the real one does
// (and some that it lets pass), does its work in memory, and fails on demand.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { error200, errorXml, requestId, withEncryption, withWrongChecksum } from './s3/answers.ts';
import { authorise, type S3AccessKey } from './s3/authorise.ts';
import { ConnectionGone, drained, readBody, verifiedChecksum } from './s3/body.ts';
import { mistake, S3Error } from './s3/errors.ts';
import { FaultList, type Fault, type InjectedFault, type Operation, type Strike } from './s3/faults.ts';
import * as multipart from './s3/multipart.ts';
import * as whole from './s3/objects.ts';
import * as reading from './s3/reading.ts';
import { checkHeaders, conditionOf, throwFault } from './s3/refusals.ts';
import { headersOf, routeRequest, type Answer, type Handler, type ServerContext } from './s3/request.ts';
import { Store } from './s3/store.ts';
import type { KmsKeyState } from './s3/settings.ts';
import type { RequestRecord, S3Object, S3Server, S3ServerOptions, S3Upload } from './s3/types.ts';
import type { HeaderValues } from './s3Signature.ts';

export type { Fault, InjectedFault, Operation, S3AccessKey };
export type { RequestRecord, S3Object, S3Server, S3ServerOptions, S3Upload };

export const TEST_KEY: S3AccessKey = {
  accessKeyId: 'AKIATESTTESTTESTTEST',
  secretAccessKey: 'secret/of+the/stand-in+for/tests/only000',
};

const HANDLERS: Record<Operation, Handler> = {
  PutObject: whole.putObject,
  HeadObject: whole.headObject,
  GetObject: reading.getObject,
  ListObjectsV2: reading.listObjects,
  DeleteObject: whole.deleteObject,
  CreateMultipartUpload: multipart.createMultipartUpload,
  UploadPart: multipart.uploadPart,
  CompleteMultipartUpload: multipart.completeMultipartUpload,
  AbortMultipartUpload: multipart.abortMultipartUpload,
  ListParts: multipart.listParts,
  ListMultipartUploads: multipart.listMultipartUploads,
};

export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const standIn = new StandIn(options);
  await standIn.up();
  return standIn;
}

class StandIn implements S3Server {
  frontHost: string | null = null;
  accessKeys: S3AccessKey[];
  readonly kmsKeys: Map<string, KmsKeyState>;
  readonly requests: RequestRecord[] = [];
  readonly problems: string[] = [];
  bytesReceived = 0;
  readonly #region: string;
  readonly #nowMs: () => number;
  readonly #store: Store;
  readonly #context: ServerContext;
  readonly #faults = new FaultList();
  #server: Server | null = null;
  #port = 0;

  constructor(options: S3ServerOptions) {
    this.#region = options.region ?? 'eu-west-1';
    this.#nowMs = options.clock ?? Date.now;
    this.#store = new Store(options.buckets);
    this.accessKeys = [...(options.accessKeys ?? [TEST_KEY])];
    this.kmsKeys = new Map((options.kmsKeys ?? []).map((id) => [id, 'enabled']));
    this.#context = {
      region: this.#region,
      accountId: '123456789012',
      kmsKeys: this.kmsKeys,
      store: this.#store,
      minPartBytes: options.minPartBytes ?? 5 * 1024 * 1024,
      listPartsPage: options.listPartsPage ?? 1000,
    };
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  objects(bucket: string): S3Object[] {
    return [...this.#store.bucket(bucket).objects.values()];
  }

  put(bucket: string, key: string, bytes: Buffer): void {
    this.#store.bucket(bucket).objects.set(key, whole.plainObject(key, bytes));
  }

  uploads(bucket: string): S3Upload[] {
    return [...this.#store.bucket(bucket).uploads.values()].map((upload) => ({
      ...upload,
      parts: [...upload.parts.values()].sort((a, b) => a.partNumber - b.partNumber),
    }));
  }

  inject(fault: Fault): InjectedFault {
    return this.#faults.inject(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  async up(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer();
    const take = (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void => {
      this.#serve(request, response, awaitsContinue).catch((error: unknown) => {
        this.problems.push(`the stand-in itself failed: ${String(error)}`);
        response.destroy();
      });
    };
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      take(request, response, false),
    );
    // Real S3 looks at the headers before it says 100.
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      take(request, response, true),
    );
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE') {
        this.problems.push(
          `not HTTP: ${error.code} ${error.message} (a body longer than its Content-Length?)`,
        );
      }
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async down(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  async close(): Promise<void> {
    this.clearFaults();
    await this.down();
  }

  async #serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Promise<void> {
    const record: RequestRecord = {
      method: request.method ?? '',
      operation: null,
      bucket: '',
      key: '',
      partNumber: null,
      status: null,
      errorCode: null,
      bytes: 0,
      at: this.#nowMs(),
      fault: null,
      headers: headersOf(request),
    };
    this.requests.push(record);
    const exchange: Exchange = { request, response, record, awaitsContinue, strike: null };
    let answer: Answer | null;
    try {
      answer = await this.#answer(exchange);
    } catch (error) {
      if (error instanceof ConnectionGone) return;
      if (!(error instanceof S3Error)) throw error;
      answer = this.#errorAnswer(exchange, error);
    }
    if (answer !== null) await this.#send(exchange, answer);
  }

  /** @returns null when there will be no answer */
  async #answer(exchange: Exchange): Promise<Answer | null> {
    const { request, record } = exchange;
    const { headers } = record;
    const url = request.url ?? '';
    const target = routeRequest(record.method, url);
    const { operation } = target;
    Object.assign(record, { operation, bucket: target.bucket, key: target.key });
    if (operation === 'UploadPart') record.partNumber = Number(target.query.get('partNumber'));

    const strike = this.#faults.take(operation);
    exchange.strike = strike;
    record.fault = strike?.fault.kind ?? null;
    if (strike?.fault.kind === 'reset' && (strike.fault.afterBytes ?? 0) === 0) {
      request.socket.resetAndDestroy();
      return null;
    }
    if (strike?.fault.kind === 'stall') await strike.released;

    if (![this.endpoint.slice('http://'.length), this.frontHost].includes(headers['host'] ?? null)) {
      throw mistake(
        400,
        'InvalidRequest',
        `Host is ${headers['host'] ?? 'missing'}: use path-style addressing.`,
      );
    }
    const { accessKeys } = this;
    authorise(record.method, url, headers, { region: this.#region, accessKeys, nowMs: this.#nowMs() });
    if (strike !== null)
      throwFault(strike.fault, target, headers, { ...this.#context, nowMs: this.#nowMs() });
    checkHeaders(target, headers, this.problems);
    const bucket = this.#store.bucket(target.bucket);
    const mayReplace = !conditionOf(target, headers);
    const bytes = await this.#receive(exchange);
    const checksum = verifiedChecksum(bytes, headers);
    if (strike?.fault.kind === 'error200') {
      record.errorCode = 'InternalError';
      return error200(target);
    }
    const answer = HANDLERS[operation](this.#context, bucket, {
      ...{ ...target, headers, bytes, checksum },
      checkCondition: () => mayReplace || bucket.requireFree(target.key),
    });
    if (operation === 'PutObject' && checksum === null) {
      this.problems.push(`${operation} ${target.key}: no checksum but what S3 makes itself`);
    }
    if (strike?.fault.kind === 'lostAnswer') {
      request.socket.destroy();
      return null;
    }
    if (strike?.fault.kind === 'wrongChecksumInAnswer') return withWrongChecksum(answer);
    if (strike?.fault.kind === 'encryptionInAnswer') return withEncryption(answer, strike.fault.named);
    return answer;
  }

  async #receive({ request, response, record, awaitsContinue, strike }: Exchange): Promise<Buffer> {
    if (awaitsContinue) response.writeContinue();
    return readBody(request, {
      resetAfterBytes: strike?.fault.kind === 'reset' ? (strike.fault.afterBytes ?? 0) : null,
      onBytes: (count) => {
        record.bytes += count;
        this.bytesReceived += count;
      },
    });
  }

  #errorAnswer({ record }: Exchange, error: S3Error): Answer {
    record.errorCode = error.code;
    if (error.clientsMistake) {
      const what = record.operation ?? record.method;
      this.problems.push(`${what} ${record.key}: ${error.status} ${error.code}: ${error.message}`);
    }
    return { status: error.status, headers: { 'content-type': 'application/xml' }, body: errorXml(error) };
  }

  async #send({ request, response, record, awaitsContinue }: Exchange, answer: Answer): Promise<void> {
    const unread = !request.complete;
    // An answer before the body's end ends the connection. Who waits for the 100 sends no body; of the others the
    // rest is read first, or the reset that follows could overtake the answer.
    if (unread && !awaitsContinue) await drained(request);
    if (response.destroyed) return;
    const body =
      typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? Buffer.alloc(0));
    const headers: HeaderValues = {
      'content-length': String(body.length),
      ...(typeof answer.body === 'string' ? { 'content-type': 'application/xml' } : {}),
      ...answer.headers,
    };
    if (answer.status === 204) delete headers['content-length'];
    response.sendDate = false;
    response.writeHead(answer.status, {
      ...headers,
      // The clock of the server is what a client corrects its own by.
      date: new Date(this.#nowMs()).toUTCString(),
      server: 'AmazonS3',
      'x-amz-request-id': requestId(),
      'x-amz-id-2': randomBytes(32).toString('base64'),
      ...(unread ? { connection: 'close' } : {}),
    });
    record.status = answer.status;
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      response.end(record.method === 'HEAD' ? undefined : body);
    });
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: RequestRecord;
  readonly awaitsContinue: boolean;
  strike: Strike | null;
}
