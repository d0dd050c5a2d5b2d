// Why the port could not be opened, and what to do.

import { SightlineError, errno } from '../shared/errors.ts';

/** @param ownerOf describes the program that uses a port; null when unknown */
export async function explainListenError(
  error: unknown,
  port: number,
  ownerOf: (port: number) => Promise<string | null>,
): Promise<SightlineError> {
  switch (errno(error)) {
    case 'EADDRINUSE': {
      const owner = await ownerOf(port);
      return new SightlineError(
        'CLIENT_CONNECTION_ERROR',
        `Port ${port} is already in use${owner === null ? '' : ` by ${owner}`}. End that program (another Sightline, or the Amazon ` +
          'Connect Client Application, which uses 5431 too), or set another "port" here and in the page.',
        { cause: error },
      );
    }
    case 'EACCES':
      return new SightlineError(
        'CLIENT_CONNECTION_ERROR',
        `This user may not use port ${port}. Set another "port".`,
        { cause: error },
      );
    default:
      return new SightlineError(
        'CLIENT_CONNECTION_ERROR',
        `Port ${port} cannot be opened (${errno(error) ?? 'unknown reason'}). Set another "port".`,
        { cause: error },
      );
  }
}
