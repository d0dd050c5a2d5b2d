// Runs under Node for Windows: `node.exe wineRelay.mjs FILE` listens on a free port of 127.0.0.1, writes it to FILE, and
// connects each client to the port that its first two bytes name. So a page of the tests, which is a program of Linux, has a
// program of the Windows session at Sightline's end, as a browser is one: Sightline refuses all others.
import { renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [file] = process.argv.slice(2);
const server = createServer((client) => {
  client.on('error', () => client.destroy());
  client.once('readable', () => {
    const head = client.read(2);
    if (head === null) return client.destroy();
    const target = connect(head.readUInt16BE(), '127.0.0.1');
    target.on('error', () => client.destroy());
    target.on('close', () => client.destroy());
    client.on('close', () => target.destroy());
    client.pipe(target).pipe(client);
  });
});
server.listen(0, '127.0.0.1', () => {
  writeFileSync(`${file}.part`, `${server.address().port}\n`);
  renameSync(`${file}.part`, file);
});
