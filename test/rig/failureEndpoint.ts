// The endpoint of a page's `failuresTo`: keeps what is posted, and fails as a test wants. On an origin of its own it answers
// the browser's preflights.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FailureEndpoint {
  readonly url: string;
  /** Bodies of all POSTs so far, accepted or not, with the answer they got (0: the connection was cut). */
  readonly posts: { readonly body: string; readonly headers: IncomingHttpHeaders; readonly answer: number }[];
  /** The status of the answers from now on; 0 cuts the connection. */
  answer: number;
  /** Events of accepted POSTs. */
  events(): Record<string, unknown>[];
  stop(): Promise<void>;
}

export async function startFailureEndpoint(): Promise<FailureEndpoint> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
      response.setHeader('access-control-allow-headers', 'content-type, authorization');
      if (request.method === 'OPTIONS') {
        response.writeHead(204).end();
        return;
      }
      endpoint.posts.push({ body, headers: request.headers, answer: endpoint.answer });
      if (endpoint.answer === 0) request.socket.destroy();
      else response.writeHead(endpoint.answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint: FailureEndpoint = {
    url: `http://127.0.0.1:${port}/failures`,
    posts: [],
    answer: 204,
    events: () =>
      endpoint.posts
        .filter(({ answer }) => answer >= 200 && answer < 300)
        .map(({ body }) => JSON.parse(body) as Record<string, unknown>),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return endpoint;
}
