// The health fetch before each connection: it makes the browser ask the user for access to this machine, which opening a
// websocket does not do reliably, and its failure tells why the page cannot connect.

import type { Connection } from '../contract.ts';
import type { HealthReply } from '../protocol.ts';
import { failureOf, healthOf, parseObject } from './frames.ts';
import { loopbackPermission } from './permission.ts';

export type Health =
  | { readonly ok: true; readonly health: HealthReply }
  | {
      readonly ok: false;
      readonly why: Exclude<Connection, { kind: 'connected' | 'connecting' | 'closed' }>;
    };

/** A recorder answers in milliseconds. */
const ANSWER_MS = 5000;
/**
 * The browser asks only once a program has accepted the connection, so a fetch that takes longer than a refused connection
 * means that it asks. Windows takes 2 s to refuse one.
 */
const QUESTION_MS = navigator.userAgent.includes('Windows') ? 3000 : 700;
/** After this time an unanswered permission prompt is cancelled; the next attempt shows it again. */
const QUESTION_LIMIT_MS = 600_000;
const MAX_BODY_BYTES = 4096;

/**
 * @param onQuestion the browser asks the user, and the answer is outstanding
 * @param signal ends the attempt; the result does not matter then
 */
export async function fetchHealth(
  port: number,
  onQuestion: () => void,
  signal: AbortSignal,
): Promise<Health> {
  const url = `http://127.0.0.1:${port}/v1/health`;
  const permission = await loopbackPermission();
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal.addEventListener('abort', end);
  const violation = watchPagePolicy(port);
  const began = performance.now();
  let lastQuestion = began;
  const question = new AbortController();
  const asked = (): boolean => question.signal.aborted;
  const look = setInterval(() => {
    const now = performance.now();
    const asks = stateOf(permission) === 'prompt' && now - began < QUESTION_LIMIT_MS;
    if (asks) {
      lastQuestion = now;
      if (now - began < QUESTION_MS || asked()) return;
      question.abort();
      onQuestion();
    } else if (now - lastQuestion >= ANSWER_MS) end();
  }, 250);
  try {
    const response = await fetch(url, { ...PLAIN, signal: ending.signal });
    return judge(response.status, await readBody(response));
  } catch {
    // The browser dispatches the violation event in a later task.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (violation.happened()) return refused('CONTENT_SECURITY_POLICY', policyMessage(port));
    if (stateOf(permission) === 'denied')
      return { ok: false, why: { kind: 'blocked', permission: 'denied' } };
    if (asked() && stateOf(permission) === 'prompt')
      return { ok: false, why: { kind: 'blocked', permission: 'prompt' } };
    if (!isSecureContext)
      return refused('INSECURE_PAGE', 'The page is not served over https, so that no recorder accepts it.');
    if (!ending.signal.aborted && (await answersOthers(url)))
      return refused(
        'ORIGIN_NOT_ALLOWED',
        `A program answers on port ${port}, but not to ${location.origin}. Ask for its domain in policy "allowedDomains".`,
      );
    return { ok: false, why: { kind: 'not-running' } };
  } finally {
    clearInterval(look);
    end();
    signal.removeEventListener('abort', end);
    violation.stop();
  }
}

/** It changes between two looks, which the compiler does not expect. */
function stateOf(permission: PermissionStatus | undefined): PermissionState | undefined {
  return permission?.state;
}

const PLAIN: RequestInit = {
  cache: 'no-store',
  credentials: 'omit',
  // Another program on the port must not send us elsewhere.
  redirect: 'error',
  referrerPolicy: 'no-referrer',
};

function judge(status: number, body: string): Health {
  const fields = parseObject(body);
  if (status === 403 && typeof fields?.['code'] === 'string') {
    const { code, message } = failureOf(fields);
    return refused(code, message);
  }
  const health = status === 200 ? healthOf(fields) : undefined;
  return health === undefined
    ? refused('NOT_SIGHTLINE', 'Another program answers on the port of Sightline. See "sightline doctor".')
    : { ok: true, health };
}

function refused(code: string, message: string): Health {
  return { ok: false, why: { kind: 'refused', code, message } };
}

/** @returns the body, or '' for one over the limit: any program may answer on this port */
async function readBody(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let size = 0; reader !== undefined && size <= MAX_BODY_BYTES;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  void reader?.cancel().catch(() => undefined);
  return '';
}

/** A 403 without CORS is no answer to a page, except that an opaque fetch succeeds. */
async function answersOthers(url: string): Promise<boolean> {
  try {
    // Opaque requests must follow redirects. Without credentials and referrer there is nothing to be had by one.
    await fetch(url, {
      ...PLAIN,
      mode: 'no-cors',
      redirect: 'follow',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return true;
  } catch {
    return false;
  }
}

function watchPagePolicy(port: number): { happened(): boolean; stop(): void } {
  let happened = false;
  const watch = {
    happened: () => happened,
    stop: () => document.removeEventListener('securitypolicyviolation', note),
  };
  const note = ({ blockedURI, disposition }: SecurityPolicyViolationEvent): void => {
    if (disposition === 'enforce' && blockedURI.includes(`//127.0.0.1:${port}`)) happened = true;
  };
  document.addEventListener('securitypolicyviolation', note);
  return watch;
}

function policyMessage(port: number): string {
  return `The page's Content-Security-Policy forbids the connection. Add http://127.0.0.1:${port} and ws://127.0.0.1:${port} to its connect-src.`;
}
