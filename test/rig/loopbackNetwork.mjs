// Loaded into the built program with --import, in tests only: names lead to stand-ins on 127.0.0.1, and whatever would leave
// this machine is refused. So the program needs no setting with which anybody could lead its checks astray.
// LOOPBACK_HOSTS: a JSON object from a host's name to a port on 127.0.0.1. Other names do not exist.
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const ports = JSON.parse(process.env.LOOPBACK_HOSTS ?? '{}');
const hosts = Object.keys(ports);
// 192.0.2.0/24 is for documentation (RFC 5737): nobody has these addresses.
const addressOf = (host) => `192.0.2.${hosts.indexOf(host) + 1}`;
const portOf = (address) => ports[hosts[Number(address.split('.')[3]) - 1]];
const isOurs = (address) => address.startsWith('192.0.2.');
const isHere = (address) => /^(127\.|::1$|localhost$)/.test(address);

dns.promises.lookup = async (host) => {
  if (host in ports) return [{ address: addressOf(host), family: 4 }];
  throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
};

const connect = net.connect;
net.connect = (options) => {
  const port = isOurs(options.host) ? portOf(options.host) : ports[options.host];
  return port === undefined ? connect(options) : connect({ ...options, host: '127.0.0.1', port });
};

const connectSocket = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (options?.host !== undefined && !isHere(options.host))
    throw new Error(`would leave this machine: ${options.host}`);
  return connectSocket.apply(this, args);
};

const connectUdp = dgram.Socket.prototype.connect;
dgram.Socket.prototype.connect = function (port, address, callback) {
  if (!isOurs(address)) throw new Error(`would leave this machine: ${address}`);
  return connectUdp.call(this, portOf(address), '127.0.0.1', callback);
};

syncBuiltinESMExports();
