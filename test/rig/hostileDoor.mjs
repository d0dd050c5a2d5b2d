// Another user's program that has taken the port before anybody's Sightline, and pretends to be the door (main/server/port):
// `node hostileDoor.mjs PORT`. To each Sightline that joins it offers connections which are not that user's page, and sends a
// request through each that is collected. One line of JSON for each answer.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { WebSocketServer } from 'ws';

const port = Number(process.argv[2]);
const links = new WebSocketServer({ noServer: true });
/** Offered, and not answered yet. */
const claims = new Map();
let allAnswered = () => undefined;
const server = createServer();
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => undefined);
  if (request.url === '/v1/sessions')
    links.handleUpgrade(request, socket, head, (link) => attack(link, socket));
  else collected(request.url.split('/').at(-1), socket);
});
server.listen(port, '127.0.0.1', () => console.log('{"listening":true}'));

function attack(link, socket) {
  const own = connect(port, '127.0.0.1', () => {
    offer(link, 'a connection of the attacker', own.localPort);
    offer(link, "the Sightline's own connection", socket.remotePort);
    offer(link, 'no connection at all', 1);
  });
  allAnswered = () => link.send('x'.repeat(4096));
  link.on('close', () => {
    console.log('{"left":true}');
    process.exit(0);
  });
}

function offer(link, name, localPort) {
  const id = Buffer.from(`${name}${'.'.repeat(16)}`)
    .subarray(0, 16)
    .toString('base64url');
  claims.set(id, name);
  const end = (of) => ({ address: '127.0.0.1', port: of });
  link.send(JSON.stringify({ type: 'connection', id, peer: { local: end(localPort), remote: end(port) } }));
}

/** As the page of an allowed origin would ask. */
function collected(id, socket) {
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: sightline-connection\r\n\r\n',
  );
  socket.write(
    `GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: https://acme.my.connect.aws\r\nConnection: Upgrade\r\n` +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  socket.on('end', () => socket.end());
  // Also after a reset, which may take the refusal with it.
  socket.on('close', () => {
    console.log(JSON.stringify({ claim: claims.get(id), answer: text }));
    claims.delete(id);
    if (claims.size === 0) allAnswered();
  });
}
