// Why the port cannot be used, and what to do.

import { SightlineError, errno } from '../../shared/errors.ts';

/** Describes the program that uses a port; null: unknown. */
export type DescribePortOwner = (port: number) => Promise<string | null>;

export async function explainListenError(
  cause: unknown,
  port: number,
  ownerOf: DescribePortOwner,
): Promise<SightlineError> {
  const error = (message: string): SightlineError =>
    new SightlineError('CLIENT_CONNECTION_ERROR', message, { cause });
  const code = errno(cause) ?? 'unknown reason';
  if (code === 'EACCES') return error(`This user may not use port ${port}. Set another "port".`);
  if (code !== 'EADDRINUSE') return error(`Port ${port} cannot be opened (${code}). Set another "port".`);
  const owner = await ownerOf(port);
  return error(
    `Port ${port} is already in use${owner === null ? '' : ` by ${owner}`}. End that program (another Sightline, or the Amazon ` +
      'Connect Client Application, which uses 5431 too), or set another "port" here and in the page.',
  );
}
