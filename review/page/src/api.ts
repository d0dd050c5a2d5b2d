// The typed client of review/contract.ts, and the only place of the page that makes requests. All go to the page's own origin.

import type {
  Activity,
  AudioTrack,
  AuditPage,
  Facets,
  IndexState,
  KeyFrame,
  Notes,
  PageAction,
  RecordingDetail,
  RecordingPage,
  RecordingQuery,
  ReviewError,
  ReviewErrorCode,
  Session,
  Transcript,
  Verification,
} from '../../contract.ts';
import { reviewErrorCodes } from '../../contract.ts';

/** `UNREACHABLE`: no answer at all, so the server has ended or the network is away. */
export type FailureCode = ReviewErrorCode | 'UNREACHABLE';

/** Why a request failed. `message` is the server's sentence; empty for UNREACHABLE. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';

  constructor(
    readonly code: FailureCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Aborted requests are no failures: nobody waits for them any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export function toFailure(error: unknown): ApiFailure {
  return error instanceof ApiFailure ? error : new ApiFailure('UNKNOWN', String(error), { cause: error });
}

let csrf = '';
const failureListeners = new Set<(failure: ApiFailure) => void>();

/** Every failure of every request, so that the shell can say that the session has ended. */
export function onFailure(listener: (failure: ApiFailure) => void): () => void {
  failureListeners.add(listener);
  return () => failureListeners.delete(listener);
}

type Signal = AbortSignal | undefined;

/** Each rejects with an ApiFailure, or an AbortError after `signal`. */
export const api = {
  async session(signal?: Signal): Promise<Session> {
    const session = await get<Session>('session', signal);
    csrf = session.csrf;
    return session;
  },
  recordings: (query: RecordingQuery, signal?: Signal) =>
    get<RecordingPage>(`recordings${search(query)}`, signal),
  facets: (signal?: Signal) => get<Facets>('facets', signal),
  refresh: () => send<IndexState>('POST', 'refresh'),
  recording: (id: string, signal?: Signal) => get<RecordingDetail>(below(id), signal),
  activity: (id: string, signal?: Signal) => get<Activity>(below(id, 'activity'), signal),
  keyFrame: (id: string, atMs: number, signal?: Signal) =>
    get<KeyFrame>(`${below(id, 'keyframe')}${search({ atMs: Math.round(atMs) })}`, signal),
  transcript: (id: string, signal?: Signal) => get<Transcript>(below(id, 'transcript'), signal),
  notes: (id: string, signal?: Signal) => get<Notes>(below(id, 'notes'), signal),
  /** @param version of the notes that `entries` came from; undefined: there were none. NOTES_CHANGED if that is not the saved one */
  saveNotes: (id: string, entries: Notes['entries'], version: string | undefined, signal?: Signal) =>
    send<Notes>('PUT', below(id, 'notes'), {
      body: { entries },
      headers: { 'if-match': version ?? 'none' },
      signal,
    }),
  verify: (id: string, signal?: Signal) => send<Verification>('POST', below(id, 'verify'), { signal }),
  reportAction: (id: string, action: PageAction) =>
    send<null>('POST', below(id, 'actions'), { body: action }),
  audit: (range: { before?: number; limit?: number }, signal?: Signal) =>
    get<AuditPage>(`audit${search(range)}`, signal),
  signOut: () => send<null>('POST', 'sign-out'),
};

/** For `src` and `href`: the browser fetches these itself. */
export const addresses = {
  video: (id: string): string => `api/${below(id, 'video')}`,
  download: (id: string): string => `api/${below(id, 'download')}`,
  audio: (id: string, kind: AudioTrack['kind']): string => `api/${below(id, 'audio')}${search({ kind })}`,
  notesCsv: (query: RecordingQuery): string => `api/notes.csv${search(query)}`,
};

function below(id: string, rest?: string): string {
  return `recordings/${encodeURIComponent(id)}${rest === undefined ? '' : `/${rest}`}`;
}

function search(parameters: object): string {
  const words = Object.entries(parameters as Record<string, string | number | boolean | undefined>).flatMap(
    ([name, value]) => (value === undefined ? [] : [[name, String(value)]]),
  );
  return words.length === 0 ? '' : `?${new URLSearchParams(words).toString()}`;
}

function get<T>(path: string, signal: Signal): Promise<T> {
  return request(path, { method: 'GET', signal: signal ?? null });
}

interface Sending {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: Signal;
}

function send<T>(method: 'POST' | 'PUT', path: string, { body, headers, signal }: Sending = {}): Promise<T> {
  return request(path, {
    method,
    signal: signal ?? null,
    headers: { 'x-sightline-csrf': csrf, 'content-type': 'application/json', ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  try {
    const response = await fetch(`api/${path}`, {
      ...init,
      credentials: 'same-origin',
      redirect: 'error',
    });
    if (!response.ok) throw await refusal(response);
    return response.status === 204 ? (null as T) : ((await response.json()) as T);
  } catch (error) {
    if (isAbort(error)) throw error;
    const failure = error instanceof ApiFailure ? error : new ApiFailure('UNREACHABLE', '', { cause: error });
    for (const listener of failureListeners) listener(failure);
    throw failure;
  }
}

async function refusal(response: Response): Promise<ApiFailure> {
  const answer = (await response.json().catch(() => null)) as Partial<ReviewError> | null;
  const code = answer?.code;
  // A proxy in front of the server answers in its own words.
  if (code === undefined || !Object.hasOwn(reviewErrorCodes, code)) {
    return new ApiFailure(response.status === 401 ? 'SIGN_IN_REQUIRED' : 'UNKNOWN', '');
  }
  return new ApiFailure(code, answer?.message ?? '');
}
