// Starts a review server: opens the library, the audit log and the notes, and connects them with http/. A bundle of its own
// (dist/review/server.mjs), which main/headless/review.ts loads; whatever cannot be opened ends the start with one sentence.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../main/platform/log.ts';
import { appVersion } from '../../main/platform/version.ts';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { Policy } from '../../main/policy/keys.ts';
import { SightlineError, errno, errorMessage } from '../../main/shared/errors.ts';
import { ReviewFailure } from './failure.ts';
import { keepHeapSmall } from './heap.ts';
import { AccessFile, addKey } from './http/accessFile.ts';
import { AuditLog } from './http/audit/log.ts';
import { readChain, type ChainReport } from './http/audit/readChain.ts';
import { sha256Hex } from './http/constantTime.ts';
import type { ProxyTrust, SignIn } from './http/identity.ts';
import { NotesStore } from './http/notes/store.ts';
import { OneTimeLinks } from './http/oneTimeLinks.ts';
import { localSession, serverLimits, startServer, type ReviewServer } from './http/server.ts';
import { openLibrary } from './library/openLibrary.ts';
import type { Library } from './library/ports.ts';

export interface ReviewOptions {
  /** A folder, or `s3://bucket/prefix`. */
  readonly location: string;
  /** Where the calls' audio and transcripts are, each as `location`. */
  readonly audio: readonly string[];
  readonly auditLog: string | null;
  readonly notes: string | null;
  readonly mayDownload: boolean;
  readonly port: number;
  readonly policy: Policy;
  /** null: for the user of this computer only. */
  readonly team: TeamOptions | null;
  /** Whether a connection is that of a program of this user; null: the system does not tell. */
  readonly isOurs: ((socket: Socket) => Promise<boolean>) | null;
  readonly log: Logger;
}

export interface TeamOptions {
  readonly host: string;
  readonly publicUrl: URL;
  readonly access: string;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly proxy: (Omit<ProxyTrust, 'secret'> & { readonly secretFile: string }) | null;
}

export interface RunningReview {
  /** Of a local server: a link that works once, new with each call. Of a team's: its address. */
  link(): string;
  readonly libraryName: string;
  readonly hasPage: boolean;
  close(): Promise<void>;
}

const SHORTEST_SECRET = 32;

/** @throws SightlineError REVIEW_NOT_STARTED, which says what to do */
export async function startReview(options: ReviewOptions): Promise<RunningReview> {
  keepHeapSmall();
  const { team, log, policy, location } = options;
  const signIn = await signInFor(team, log);
  const tls = team?.tls ?? null;
  const certificate =
    tls === null
      ? null
      : { cert: await read(tls.cert, 'certificate'), key: await read(tls.key, 'private key') };
  const own = join(policy.dataDir, 'review');
  await mkdir(own, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw notStarted(`The folder ${own} cannot be used: ${errorMessage(error)}.`, error);
  });
  const library = await reachable(options, own);
  // By library: reviews of different folders do not share a log.
  const mark = sha256Hex(location).slice(0, 12);
  const auditPath = options.auditLog ?? join(own, `audit-${mark}.ndjson`);
  const closing: (() => Promise<void>)[] = [() => library.close()];
  try {
    const audit = await AuditLog.open(auditPath, log).catch((error: unknown) => {
      throw notStarted(`The audit log ${auditPath} cannot be used: ${errorMessage(error)}.`, error);
    });
    closing.unshift(() => audit.close());
    const notes = new NotesStore(options.notes ?? join(own, `notes-${mark}`));
    await notes.prepare().catch((error: unknown) => {
      throw notStarted(`The notes folder cannot be used: ${errorMessage(error)}.`, error);
    });
    const server = await startServer({
      ...{ library, audit, notes, signIn, log, appVersion },
      ...{ mayDownload: options.mayDownload, port: options.port, tls: certificate },
      ...{ host: team?.host ?? '127.0.0.1', publicUrl: team?.publicUrl ?? null },
      ...{ isOurs: team === null ? options.isOurs : null, pageFolder: pageFolder() },
      limits: team === null ? { ...serverLimits, session: localSession } : serverLimits,
    }).catch((error: unknown) => {
      throw portProblem(error, options);
    });
    closing.unshift(() => server.close());
    log.info('the review server has started', {
      auditLog: auditPath,
      lines: audit.end.number,
      end: audit.end.sha256,
    });
    return running(server, signIn, library, closing);
  } catch (error) {
    for (const close of closing) await close().catch(() => undefined);
    throw error;
  }
}

const FIRST_ANSWER_WITHIN_MS = 5000;
const LOOK_AGAIN_MS = 20;

/** A wrong name or missing rights show with the first answer: then there is nothing to review. */
async function reachable(options: ReviewOptions, cacheFolder: string): Promise<Library> {
  const { location, audio, policy, log } = options;
  const library = opened();
  const until = performance.now() + FIRST_ANSWER_WITHIN_MS;
  while (library.state.state === 'listing' && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  const { state, problem } = library.state;
  if (state !== 'failed') return library;
  await library.close();
  throw notStarted(`${location}: ${problem?.message ?? 'it cannot be read.'}`);

  function opened(): Library {
    try {
      return openLibrary({
        ...{ location, audio, policy, cacheFolder, network: new NodeNetwork(policy) },
        onProblem: (what, error) => log.warn(what, { reason: errorMessage(error) }),
      });
    } catch (error) {
      if (error instanceof ReviewFailure) throw notStarted(error.message, error);
      throw error;
    }
  }
}

function running(
  server: ReviewServer,
  signIn: SignIn,
  library: Library,
  closing: readonly (() => Promise<void>)[],
): RunningReview {
  return {
    link: () =>
      signIn.kind === 'local' ? `${server.origin}/sign-in?token=${signIn.links.make()}` : `${server.origin}/`,
    libraryName: library.name,
    hasPage: server.hasPage,
    async close() {
      for (const close of closing) await close();
    },
  };
}

/** Whether the chain of an audit log is whole. @throws SightlineError REVIEW_NOT_STARTED when it cannot be read */
export async function checkAuditLog(path: string): Promise<ChainReport> {
  return readChain(path).catch((error: unknown) => {
    throw notStarted(`The audit log ${path} cannot be read: ${errorMessage(error)}.`, error);
  });
}

/** Adds a personal key to an access file. @returns the key, which is nowhere else @throws SightlineError REVIEW_NOT_STARTED */
export async function makeKey(
  accessFile: string,
  user: string,
): Promise<{ readonly key: string; readonly hasAccess: boolean }> {
  const key = randomBytes(32).toString('base64url');
  try {
    return { key, ...(await addKey(accessFile, user, key)) };
  } catch (error) {
    throw notStarted(`The key was not made: ${errorMessage(error)}`, error);
  }
}

async function signInFor(team: TeamOptions | null, log: Logger): Promise<SignIn> {
  if (team === null) return { kind: 'local', user: localUser(), links: new OneTimeLinks() };
  const access = await AccessFile.open(team.access, log).catch((error: unknown) => {
    throw notStarted(`The access file cannot be used: ${errorMessage(error)}`, error);
  });
  if (team.proxy === null) return { kind: 'keys', access };
  const { secretFile, ...proxy } = team.proxy;
  const secret = (await read(secretFile, "proxy's secret")).toString('utf8').trim();
  if (secret.length < SHORTEST_SECRET)
    throw notStarted(
      `The proxy's secret in ${secretFile} is too short: ${SHORTEST_SECRET} characters at least. For example: openssl rand -hex 32`,
    );
  return { kind: 'proxy', access, proxy: { ...proxy, secret } };
}

function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'local'; // an account without an entry, as in containers
  }
}

/** Beside this bundle. */
function pageFolder(): string {
  return fileURLToPath(new URL('./page/', import.meta.url));
}

const MAX_SECRET_BYTES = 1024 * 1024;
const OTHERS_READ = 0o007;

async function read(path: string, what: string): Promise<Buffer> {
  try {
    const { size, mode } = await stat(path);
    if (size > MAX_SECRET_BYTES) throw new Error('it is too large');
    if (what !== 'certificate' && process.platform !== 'win32' && (mode & OTHERS_READ) !== 0)
      throw new Error('every user of this computer can read it (chmod o-rwx)');
    return await readFile(path);
  } catch (error) {
    throw notStarted(`The ${what} ${path} cannot be used: ${errorMessage(error)}.`, error);
  }
}

function portProblem(error: unknown, { port, team }: ReviewOptions): unknown {
  switch (errno(error)) {
    case 'EADDRINUSE':
      return notStarted(
        `Another program uses port ${port}. End it, or choose another one with --port.`,
        error,
      );
    case 'EACCES':
      return notStarted(`Port ${port} is reserved by the system. Choose one above 1023 with --port.`, error);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return notStarted(`This computer has no address ${team?.host ?? '127.0.0.1'}.`, error);
    default:
      if (
        (team?.tls ?? null) !== null &&
        /^ERR_(?:OSSL|SSL|CRYPTO)|PEM/.test(`${errno(error) ?? ''}${errorMessage(error)}`)
      )
        return notStarted(`Certificate and private key cannot be used: ${errorMessage(error)}.`, error);
      return error;
  }
}

function notStarted(message: string, cause?: unknown): SightlineError {
  return new SightlineError('REVIEW_NOT_STARTED', message, { cause });
}
