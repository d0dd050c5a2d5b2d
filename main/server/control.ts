// The endpoints for the command line of the same user (`POST /v1/control/retry`, `/v1/control/checks`, `/v1/control/try`), on the
// port that pages use and closed to every page. A caller without this process's token learns nothing, not even whether the method
// was right.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Logger } from '../platform/log.ts';
import { newControlSecret, removeControlFile, writeControlFile } from './controlFile.ts';
import {
  CONTROL_CHECKS_PATH,
  CONTROL_CHECKS_WITHIN_MS,
  CONTROL_MAX_BODY_BYTES,
  CONTROL_PROOF_HEADER,
  CONTROL_RETRY_PATH,
  CONTROL_TRY_PATH,
  checksRequestSchema,
  retryRequestSchema,
} from '../shared/control.ts';
import type { ChecksReply, RetriedRecording, RetryReply, ShownOutcome } from '../shared/control.ts';
import { within } from '../platform/deadline.ts';
import { errorMessage } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import type { TrialReport } from '../shared/trial.ts';
import { trialRequestSchema } from '../shared/trial.ts';
import { answer } from './connections.ts';
import { judgeControl } from './guard.ts';
import type { Trials } from './trial.ts';

export interface ControlServices {
  readonly dataDir: string;
  readonly publisher: { retryNow(names?: readonly string[]): readonly RetriedRecording[] };
  readonly trials: Pick<Trials, 'run'>;
  /** Until it resolves, the pending uploads are not known. */
  readonly recovery: Promise<void>;
  /** Runs the health checks that use the network, as this program reaches it; null while it starts. */
  readonly runChecks: () => Promise<ChecksReply['checks']> | null;
}

export interface ControlCaller {
  /** Whether the caller is a program of this user: the last check, in case the token has leaked. */
  readonly isOurs: () => Promise<boolean>;
  /** Called when the caller has passed every check. */
  readonly onAccepted: () => void;
}

export class Control {
  /** New in each process: the token of an earlier one opens nothing. */
  private readonly token = newControlSecret();
  private readonly proof = newControlSecret();
  /** One at a time: callers meanwhile get the same results. */
  private checking: Promise<ChecksReply['checks']> | null = null;

  constructor(
    private readonly services: ControlServices,
    private readonly log: Logger,
  ) {}

  /** Recording works without the command line: a disk that does not take the file is logged, and nothing more. */
  async open(port: number): Promise<void> {
    const { token, proof } = this;
    await writeControlFile(this.services.dataDir, { version: 1, pid: process.pid, port, token, proof }).catch(
      (error: unknown) =>
        this.log.warn('control.json could not be written: `sightline recordings retry` will not work', {
          reason: errorMessage(error),
        }),
    );
  }

  async close(): Promise<void> {
    await removeControlFile(this.services.dataDir).catch((error: unknown) =>
      this.log.warn('control.json could not be removed', { reason: errorMessage(error) }),
    );
  }

  isFor(path: string): boolean {
    return [CONTROL_RETRY_PATH, CONTROL_CHECKS_PATH, CONTROL_TRY_PATH].includes(path);
  }

  handle(request: IncomingMessage, response: ServerResponse, port: number, caller: ControlCaller): void {
    const verdict = judgeControl(request.headers, port, this.token);
    if (!verdict.allowed) {
      this.log.warn('refused a control request', { reason: verdict.reason });
      return send(response, verdict.status, verdict.status === 401 ? 'Unauthorized' : 'Forbidden');
    }
    this.serve(request, response, caller).catch((error: unknown) => {
      this.log.warn('a control request could not be answered', { reason: errorMessage(error) });
      if (!response.headersSent) send(response, 500, 'The request failed; the log says why');
    });
  }

  private async serve(
    request: IncomingMessage,
    response: ServerResponse,
    { isOurs, onAccepted }: ControlCaller,
  ): Promise<void> {
    if (!(await isOurs())) {
      send(response, 403, 'Forbidden');
      return;
    }
    if (request.destroyed) return;
    onAccepted();
    response.setHeader(CONTROL_PROOF_HEADER, this.proof);
    if (request.method !== 'POST') {
      send(response, 405, 'Method not allowed', { Allow: 'POST' });
      return;
    }
    const body = await readBody(request);
    if (body === null) send(response, 413, `More than ${CONTROL_MAX_BODY_BYTES} bytes`);
    else if (request.url?.startsWith(CONTROL_CHECKS_PATH) === true) await this.check(body, response);
    else if (request.url?.startsWith(CONTROL_TRY_PATH) === true) await this.try(body, response);
    else await this.retry(body, response);
  }

  private async try(body: string, response: ServerResponse): Promise<void> {
    const asked = parsedBody(body, response, trialRequestSchema);
    if (asked === null) return;
    this.log.info('the command line requested a trial recording', { seconds: asked.seconds });
    const report: TrialReport = await this.services.trials.run(asked);
    send(response, 200, JSON.stringify(report), { 'Content-Type': 'application/json' });
  }

  private async check(body: string, response: ServerResponse): Promise<void> {
    if (!checksRequestSchema.safeParse(parseJson(body)).success) {
      send(response, 400, 'The body must be {}');
      return;
    }
    this.log.info('the command line requested checks');
    this.checking ??= this.services.runChecks()?.finally(() => (this.checking = null)) ?? null;
    const checks =
      this.checking === null ? null : await within(this.checking, CONTROL_CHECKS_WITHIN_MS, null);
    const reply = checks === null ? null : JSON.stringify({ checks } satisfies ChecksReply);
    if (reply === null) send(response, 503, 'The checks are not ready');
    else send(response, 200, reply, { 'Content-Type': 'application/json' });
  }

  private async retry(body: string, response: ServerResponse): Promise<void> {
    const asked = parsedBody(body, response, retryRequestSchema);
    if (asked === null) return;
    const { names, waitSeconds } = asked;
    await this.services.recovery;
    const tried = this.services.publisher.retryNow(names);
    this.log.info('the command line requested uploads now', { count: tried.length });
    const outcomes = await outcomesWithin(waitSeconds * 1000, tried, response);
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
    send(response, 200, JSON.stringify(reply), { 'Content-Type': 'application/json' });
  }
}

/** null: it is not valid, and the caller has been told. */
function parsedBody<T>(body: string, response: ServerResponse, schema: z.ZodType<T>): T | null {
  const parsed = schema.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  send(response, 400, parsed.error.issues.map(({ message }) => message).join('; '));
  return null;
}

/** The outcomes known by the deadline, or when the caller goes away. */
async function outcomesWithin(
  ms: number,
  tried: readonly RetriedRecording[],
  response: ServerResponse,
): Promise<ShownOutcome[]> {
  const outcomes: ShownOutcome[] = tried.map(() => ({ status: 'PENDING' }));
  if (ms === 0) return outcomes;
  const all = tried.map(async (one, index) => {
    outcomes[index] = await one.outcome;
  });
  const gone = new Promise<void>((resolve) => response.once('close', resolve));
  await within(Promise.race([Promise.all(all), gone]), ms, undefined);
  return outcomes;
}

/** null: longer than any valid one. */
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
    request.once('close', () => reject(new Error('the request was aborted')));
  });
}

/** Without CORS headers: no page may read it. The connection carries no further request. */
function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer(response, status, body, {
    'Content-Type': 'text/plain',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
    ...headers,
  });
}
