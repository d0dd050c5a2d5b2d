// The way in for the command line of the same user (`POST /v1/control/retry`), on the port that pages use and closed
// to every page. Whoever does not hold this process's token learns nothing, not even whether the method was right.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../platform/log.ts';
import { newControlSecret, removeControlFile, writeControlFile } from '../platform/controlFile.ts';
import {
  CONTROL_MAX_BODY_BYTES,
  CONTROL_PROOF_HEADER,
  CONTROL_RETRY_PATH,
  retryRequestSchema,
} from '../shared/control.ts';
import type { RetriedRecording, RetryReply, ShownOutcome } from '../shared/control.ts';
import { judgeControl } from './guard.ts';

export interface ControlServices {
  readonly dataDir: string;
  readonly publisher: { retryNow(names?: readonly string[]): readonly RetriedRecording[] };
  /** Until the spool has been searched nobody knows what waits. */
  readonly recovery: Promise<void>;
}

export interface ControlCaller {
  /** Whether this user's program asks: the last guard, should the token have got away. */
  readonly isOurs: () => Promise<boolean>;
  /** Called when the caller has passed every check. */
  readonly letIn: () => void;
}

export class Control {
  /** Made anew for each process: what an earlier one gave away opens nothing. */
  private readonly token = newControlSecret();
  private readonly proof = newControlSecret();

  constructor(
    private readonly services: ControlServices,
    private readonly log: Logger,
  ) {}

  /** Recording needs no command line: a disk that takes no file is worth a word, and no reason not to start. */
  async open(port: number): Promise<void> {
    const { token, proof } = this;
    await writeControlFile(this.services.dataDir, { version: 1, pid: process.pid, port, token, proof }).catch(
      (error: unknown) =>
        this.log.warn('`sightline recordings retry` will not find this Sightline', { reason: String(error) }),
    );
  }

  async close(): Promise<void> {
    await removeControlFile(this.services.dataDir).catch((error: unknown) =>
      this.log.warn('control.json could not be removed', { reason: String(error) }),
    );
  }

  isFor(path: string): boolean {
    return path === CONTROL_RETRY_PATH;
  }

  handle(request: IncomingMessage, response: ServerResponse, port: number, caller: ControlCaller): void {
    const verdict = judgeControl(request.headers, port, this.token);
    if (!verdict.allowed) {
      this.log.warn('refused a control request', { reason: verdict.reason });
      return answer(response, verdict.status, verdict.status === 401 ? 'Unauthorized' : 'Forbidden');
    }
    this.serve(request, response, caller).catch((error: unknown) => {
      this.log.warn('a control request could not be answered', { reason: String(error) });
      if (!response.headersSent) answer(response, 500, 'It could not be answered; the log says why');
    });
  }

  private async serve(
    request: IncomingMessage,
    response: ServerResponse,
    { isOurs, letIn }: ControlCaller,
  ): Promise<void> {
    if (!(await isOurs())) {
      answer(response, 403, 'Forbidden');
      return;
    }
    if (request.destroyed) return;
    letIn();
    response.setHeader(CONTROL_PROOF_HEADER, this.proof);
    if (request.method === 'POST') await this.retry(request, response);
    else answer(response, 405, 'Method not allowed', { Allow: 'POST' });
  }

  private async retry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === null) {
      answer(response, 413, `More than ${CONTROL_MAX_BODY_BYTES} bytes`);
      return;
    }
    const parsed = retryRequestSchema.safeParse(parse(body));
    if (!parsed.success) {
      answer(response, 400, parsed.error.issues.map(({ message }) => message).join('; '));
      return;
    }
    const { names, waitSeconds } = parsed.data;
    await this.services.recovery;
    const tried = this.services.publisher.retryNow(names);
    this.log.info('the command line asked for deliveries now', { count: tried.length });
    const outcomes = await within(waitSeconds * 1000, tried, response);
    const reply: RetryReply = {
      recordings: tried.map(({ recordingId, contactId }, index) => ({
        recordingId,
        contactId,
        outcome: outcomes[index] ?? { status: 'PENDING' },
      })),
      unknown: (names ?? []).filter(
        (name) => !tried.some(({ recordingId, contactId }) => name === recordingId || name === contactId),
      ),
    };
    answer(response, 200, JSON.stringify(reply), { 'Content-Type': 'application/json' });
  }
}

/** What is known when all is known, the time is over, or nobody waits for the answer any more. */
async function within(
  ms: number,
  tried: readonly RetriedRecording[],
  response: ServerResponse,
): Promise<ShownOutcome[]> {
  const outcomes: ShownOutcome[] = tried.map(() => ({ status: 'PENDING' }));
  if (ms === 0) return outcomes;
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    Promise.all(
      tried.map(async (one, index) => {
        outcomes[index] = await one.outcome;
      }),
    ),
    new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))),
    new Promise<void>((resolve) => response.once('close', resolve)),
  ]);
  clearTimeout(timer);
  return outcomes;
}

/** null when it is longer than any honest one. */
function readBody(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > CONTROL_MAX_BODY_BYTES) return resolve(null);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > CONTROL_MAX_BODY_BYTES) resolve(null);
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
    request.once('close', () => reject(new Error('it was cut off')));
  });
}

/** Without the headers by which a browser would let a page read it, and the connection is not kept for more. */
function answer(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, {
      'Content-Type': 'text/plain',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      Connection: 'close',
      ...headers,
    })
    .end(body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
