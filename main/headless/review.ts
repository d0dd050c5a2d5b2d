// `sightline review`: shows recordings in the browser, for one person or, with --serve, for a team. The server is a bundle of its
// own, loaded here only. Nothing is written to the library.

import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type * as ReviewServer from '../../review/server/index.ts';
import type { ReviewOptions, RunningReview, TeamOptions } from '../../review/server/index.ts';
import { keepNewFilesPrivate } from '../platform/hardening.ts';
import { createLogger, type Logger } from '../platform/log.ts';
import { openInBrowser } from '../platform/openInBrowser.ts';
import { PolicyError } from '../policy/load.ts';
import { Peers, systemPeers } from '../server/peer.ts';
import { SightlineError, type ErrorCode } from '../shared/errors.ts';
import { addPolicyOptions, policyWithWarnings, print, type CommandOptions } from './options.ts';
import { locationFrom, reviewBundle } from './reviewLibrary.ts';

interface OwnOptions {
  readonly port?: number;
  readonly open: boolean;
  readonly audio: readonly string[];
  readonly auditLog?: string;
  readonly notes?: string;
  readonly download: boolean;
  readonly serve?: boolean;
  readonly host: string;
  readonly publicUrl?: string;
  readonly access?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly proxySecretFile?: string;
  readonly proxySecretHeader: string;
  readonly proxyUserHeader: string;
  readonly proxyGroupsHeader: string;
  readonly proxyAddress: readonly string[];
  readonly newKey?: string;
  readonly checkAudit?: string;
}

export function addReviewCommand(program: Command): void {
  const port = (text: string): number =>
    /^\d{1,5}$/.test(text) && Number(text) <= 65_535
      ? Number(text)
      : command.error('error: --port needs a number from 0 to 65535');
  const repeated = (text: string, before: readonly string[]): string[] => [...before, text];
  const command = program
    .command('review')
    .description('watch, search and check recordings in the browser')
    .argument('[location]', 'a folder, or s3://bucket/prefix (default: where policy sends recordings)')
    .option('--port <number>', 'port on this computer; 0 selects a free one', port, 0)
    .option('--no-open', 'do not open the browser')
    .option(
      '--audio <location>',
      "folder or s3://bucket/prefix of Amazon Connect's call audio; repeatable",
      repeated,
      [],
    )
    .option('--audit-log <file>', 'where to log who saw what (default: in the data folder)')
    .option('--notes <folder>', "folder for reviewers' notes (default: in the data folder)")
    .option('--no-download', 'recordings can be watched, not downloaded')
    .option(
      '--check-audit <file>',
      'check whether an audit log is complete and unchanged; exit code 1 when not',
    )
    .optionsGroup('For a team:')
    .option('--serve', 'serve the page to a team; see docs/review-team.md')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--public-url <url>', 'address under which browsers reach the server')
    .option('--access <file>', 'who may see what (JSON)')
    .option('--tls-cert <file>', 'certificate chain (PEM)')
    .option('--tls-key <file>', 'private key (PEM)')
    .option('--proxy-secret-file <file>', 'trust the headers of a sign-in proxy that sends this secret')
    .option('--proxy-secret-header <name>', 'header of the secret', 'X-Sightline-Proxy-Secret')
    .option('--proxy-user-header <name>', 'header of the user', 'X-Forwarded-User')
    .option('--proxy-groups-header <name>', "header of the user's groups", 'X-Forwarded-Groups')
    .option(
      '--proxy-address <address>',
      'address of the proxy; repeatable (default: this computer)',
      repeated,
      [],
    )
    .option('--new-key <user>', 'make a personal key for a user, add its hash to --access, and print it');
  addPolicyOptions(command).action(reviewCommand);
}

async function reviewCommand(
  location: string | undefined,
  options: OwnOptions & CommandOptions,
): Promise<void> {
  keepNewFilesPrivate();
  if (options.checkAudit !== undefined) return checkAudit(options.checkAudit);
  if (options.newKey !== undefined) return newKey(options, options.newKey);
  // Its own port is another one than the recorder's.
  const { port = 0, ...rest } = options;
  const { values: policy } = await policyWithWarnings(rest);
  const log = createLogger({
    folder: resolve(policy.dataDir, 'review', 'logs'),
    level: policy.logLevel,
    stderr: options.serve === true,
  });
  const team = teamFrom(options);
  const review = await started({
    location: location ?? locationFrom(policy),
    ...{ audio: options.audio, auditLog: options.auditLog ?? null, notes: options.notes ?? null },
    ...{ mayDownload: options.download && policy.reviewDownload, port, policy, team, log },
    isOurs: ownConnections(log),
  });
  if (!review.hasPage) process.stderr.write('warning: the review page was not built. Run `npm run build`.\n');
  endWith(review);
  print(`Review of ${review.libraryName}: ${review.link()}`);
  if (team !== null) return;
  if (options.open) openInBrowser(review.link()).catch(() => undefined);
  if (process.stdin.isTTY) process.stdin.on('data', () => print(`New link: ${review.link()}`));
}

/** Ctrl+C ends it: nothing is left to be saved. */
function endWith(review: RunningReview): void {
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const) {
    if (signal === 'SIGBREAK' && process.platform !== 'win32') continue;
    process.on(signal, () => {
      if (isEnding) process.exit(0);
      isEnding = true;
      void review.close().finally(() => process.exit(0));
    });
  }
}

/** @throws PolicyError for options that do not belong together */
function teamFrom(options: OwnOptions): TeamOptions | null {
  const { serve, publicUrl, access, tlsCert, tlsKey, proxySecretFile, host } = options;
  if (serve !== true) {
    if ([publicUrl, access, tlsCert, tlsKey, proxySecretFile].some((one) => one !== undefined))
      throw new PolicyError('These options are for a team: add --serve.');
    return null;
  }
  if (access === undefined)
    throw new PolicyError('--serve needs --access: the file that says who may see what.');
  if (publicUrl === undefined || !URL.canParse(publicUrl))
    throw new PolicyError('--serve needs --public-url, for example https://review.example.com');
  const url = new URL(publicUrl);
  if (url.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '')
    throw new PolicyError(
      '--public-url is https:// and a host name, without a path: browsers reach it over TLS only.',
    );
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new PolicyError('--tls-cert and --tls-key belong together.');
  if (tlsCert === undefined && proxySecretFile === undefined)
    throw new PolicyError(
      '--serve needs --tls-cert and --tls-key, or a sign-in proxy in front (--proxy-secret-file).',
    );
  return {
    ...{ host, publicUrl: url, access },
    tls: tlsCert === undefined || tlsKey === undefined ? null : { cert: tlsCert, key: tlsKey },
    proxy: proxySecretFile === undefined ? null : proxyFrom(options, proxySecretFile),
  };
}

function proxyFrom(options: OwnOptions, secretFile: string): NonNullable<TeamOptions['proxy']> {
  const header = (name: string): string => {
    if (/^[A-Za-z0-9-]{1,100}$/.test(name)) return name.toLowerCase();
    throw new PolicyError(`"${name}" is no name of a header.`);
  };
  const addresses = options.proxyAddress.length === 0 ? ['127.0.0.1', '::1'] : options.proxyAddress;
  for (const address of addresses)
    if (isIP(address) === 0)
      throw new PolicyError(`--proxy-address needs an IP address, and "${address}" is none.`);
  return {
    ...{ addresses, secretFile, secretHeader: header(options.proxySecretHeader) },
    ...{ userHeader: header(options.proxyUserHeader), groupsHeader: header(options.proxyGroupsHeader) },
  };
}

/** Linux and Windows tell whose program a connection is; elsewhere the link alone decides. */
function ownConnections(log: Logger): ReviewOptions['isOurs'] {
  if (process.platform !== 'linux' && process.platform !== 'win32') return null;
  const peers = new Peers(systemPeers(), log);
  return (socket) => peers.isOurs(socket);
}

async function checkAudit(file: string): Promise<void> {
  const { checkAuditLog } = await server();
  const report = await checkAuditLog(file).catch(rethrow);
  const { lines, end, brokenAt, why, torn } = report;
  if (brokenAt !== null) {
    print(`${file}: CHANGED at line ${brokenAt} of ${lines}: ${why ?? ''}.`);
    process.exitCode = 1;
    return;
  }
  const cut = torn.length === 0 ? '' : ` Cut off by a crash or a full disk: line ${torn.join(', ')}.`;
  print(
    `${file}: intact, ${lines} lines.${cut} Last number ${end.number}, SHA-256 of its end ${end.sha256}.`,
  );
}

async function newKey({ access, publicUrl }: OwnOptions, user: string): Promise<void> {
  if (access === undefined)
    throw new PolicyError('--new-key needs --access: the file to which the hash is added.');
  const { makeKey } = await server();
  const { key, hasAccess } = await makeKey(access, user).catch(rethrow);
  print(publicUrl === undefined ? key : `${new URL(publicUrl).origin}/sign-in#${key}`);
  if (!hasAccess)
    process.stderr.write(`warning: ${access} gives no access to ${user}. Add an entry with a role.\n`);
}

async function started(options: ReviewOptions): Promise<RunningReview> {
  const { startReview } = await server();
  return startReview(options).catch(rethrow);
}

async function server(): Promise<typeof ReviewServer> {
  return (await reviewBundle('server')) as typeof ReviewServer;
}

/** Another bundle's errors are of another class. */
function rethrow(error: unknown): never {
  if (error instanceof Error && error.name === 'SightlineError' && 'code' in error)
    throw new SightlineError(error.code as ErrorCode, error.message, { cause: error });
  throw error;
}
