// A flood against the loopback port, in a process of its own so that it slows nobody but the recorder. Forked with the
// attack's name, the port and the seconds; says how much it sent. Loopback only, bounded in count and time.
import { connect } from 'node:net';
import { WebSocket } from 'ws';

const [name = '', portText = '', secondsText = ''] = process.argv.slice(2);
const port = Number(portText);
const until = performance.now() + Math.min(10, Number(secondsText)) * 1000;
const MAX_ACTIONS = 200_000;
const MAX_SOCKETS = 3000;
/** Of these at a time, so that no memory is filled. */
const MAX_UNSENT_BYTES = 1024 * 1024;

const isOver = () => performance.now() >= until;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const agent = {
  agentArn:
    'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555/agent/alice',
  instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555',
};
const upgrade = (origin) =>
  `GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

let sent = 0;
const sockets = new Set();

/** Keeps its half of the connection whatever the other side does. */
function open(text) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  socket.resume();
  if (text !== '') socket.write(text);
  return socket;
}

async function connections(text) {
  while (!isOver() && sent < MAX_ACTIONS) {
    if (sockets.size < MAX_SOCKETS) {
      open(text(sent));
      sent += 1;
    }
    await turn();
  }
}

async function pages(hello) {
  const join = () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`, { origin: 'http://localhost:3000' });
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('message', () => undefined);
    socket.on(
      'open',
      () => hello && socket.send(JSON.stringify({ id: '1', type: 'hello', protocol: 1, ...agent })),
    );
  };
  while (!isOver()) {
    if (sockets.size < 500) {
      join();
      sent += 1;
    }
    await turn();
  }
}

/** What a page can send once it is in, as fast as it goes. */
async function frames(next, { hello = true } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`, { origin: 'http://localhost:3000' });
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('open', resolve));
  if (hello) {
    socket.send(JSON.stringify({ id: '1', type: 'hello', protocol: 1, ...agent }));
    await new Promise((resolve) => socket.once('message', resolve));
  }
  socket.on('message', () => undefined);
  while (!isOver() && sent < MAX_ACTIONS && socket.readyState === WebSocket.OPEN) {
    for (let count = 0; count < 200 && socket.bufferedAmount < MAX_UNSENT_BYTES; count += 1) {
      next(socket, sent);
      sent += 1;
    }
    await turn();
  }
}

/** Bytes that no browser sends. */
async function raw(bytes) {
  const socket = open(upgrade('http://localhost:3000'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.on('data', () => undefined);
  while (!isOver() && !socket.destroyed) {
    if (socket.writableLength < MAX_UNSENT_BYTES) {
      socket.write(bytes);
      sent += 1;
    }
    await turn();
  }
}

const send = (socket, message) => socket.send(JSON.stringify(message));
const masked = (first, payload = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
const many = (frame) => Buffer.concat(Array.from({ length: 2000 }, () => frame));

const attacks = {
  'idle connections': () => connections(() => ''),
  'half requests': () => connections(() => 'GET /v1 HTTP/1.1\r\nHost: 127.0.0.1'),
  'refused upgrades, half open': () => connections(() => upgrade('https://evil.example')),
  'refused upgrades of ever new origins': () => connections((n) => upgrade(`https://evil-${n}.example`)),
  'pages without hello': () => pages(false),
  hellos: () => pages(true),
  requests: () =>
    frames((socket, n) => send(socket, { id: String(n), type: n % 2 === 0 ? 'status' : 'ping' })),
  'frames before hello': () => frames((socket) => socket.send('x'), { hello: false }),
  contacts: () =>
    frames((socket, n) =>
      send(socket, { id: String(n), type: 'contact.start', contactId: `flood-${n}`, channel: 'TASK' }),
    ),
  'starts and stops': () =>
    frames((socket, n) =>
      send(socket, {
        id: String(n),
        type: n % 2 === 0 ? 'contact.start' : 'contact.stop',
        contactId: `churn-${Math.floor(n / 2)}`,
        channel: 'TASK',
      }),
    ),
  'suspends of unknown contacts': () =>
    frames((socket, n) => send(socket, { id: String(n), type: 'contact.suspend', contactId: `nobody-${n}` })),
  pings: () => raw(many(masked(0x89))),
  'a message in endless fragments': () => raw(Buffer.concat([masked(0x01), many(masked(0x00))])),
};

const attack = attacks[name];
if (attack === undefined) throw new Error(`no attack "${name}"`);
await attack();
process.stdout.write(`${sent}\n`);
process.exit(0);
