// A page as a program of its own, for a user of its own: `node pageProcess.mjs PORT ORIGIN FRAME...`. Says what became of
// it in one line of JSON: `{"refused":403,"body":"..."}`, or the replies to its frames, in their order.
// With "blind" as the first frame it sends all in one go and closes at once, without waiting for anything.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { WebSocket } from 'ws';

const [port, origin, ...frames] = process.argv.slice(2);

if (frames[0] === 'blind') blind(frames.slice(1));
else page();

function page() {
  const replies = [];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`, { origin });
  socket.on('error', (error) => say({ error: String(error) }));
  socket.on('unexpected-response', (_, response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text) => (body += text));
    response.on('end', () => say({ refused: response.statusCode, body }));
  });
  const next = () => {
    const frame = frames.shift();
    if (frame === undefined) return say({ replies });
    socket.send(frame);
  };
  socket.on('open', next);
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString());
    if (!('re' in message)) return;
    replies.push(message);
    next();
  });
}

/** The upgrade and its frames in one packet; the descriptor is gone before anybody can look whose it was. */
function blind(texts) {
  const head =
    `GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`;
  const socket = connect(Number(port), '127.0.0.1', () => {
    socket.end(Buffer.concat([Buffer.from(head), ...texts.map(masked)]), () => {
      socket.destroy();
      say({ sent: true });
    });
  });
}

/** RFC 6455, 5.2: a whole text frame of less than 64 KiB, under a mask of zeros. */
function masked(text) {
  const payload = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(payload.length);
  return Buffer.concat([Buffer.from([0x81, 0x80 | 126]), length, Buffer.alloc(4), payload]);
}

function say(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
