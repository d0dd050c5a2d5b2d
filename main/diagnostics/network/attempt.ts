// The steps of checking one host. Each step uses what the previous one found.

import type { Socket } from 'node:net';
import { openTunnel, proxyName, type TunnelAnswer } from '../../platform/network/proxy.ts';
import { failed, ok, skipped, warning, type Finding } from '../check.ts';
import { localUdpPorts } from './hosts.ts';
import { NoAnswerError, connectTo, firstOf, networkMessage, within } from './sockets.ts';
import { askStun } from './stun.ts';
import { judgeNoHandshake, shakeHands, upgrade, type Handshake } from './tls.ts';
import type { Endpoint, NetworkLimits, NetworkPorts, NetworkStep, Target } from './types.ts';

/** The addresses of one name that are tried, at the same time. */
const MAX_ADDRESSES = 4;

export interface Context {
  readonly ports: NetworkPorts;
  readonly limits: NetworkLimits;
  readonly whole: AbortSignal;
}

/** After `ok` the next step runs, after another verdict only with `goOn`. */
export type StepFinding = Finding & { readonly goOn?: boolean };
export type Step = readonly [NetworkStep, () => Promise<StepFinding> | StepFinding];

export class Attempt {
  private endpoints: Endpoint[] = [];
  private socket: Socket | null = null;
  private handshake: Handshake | null = null;

  constructor(
    private readonly target: Target,
    private readonly context: Context,
  ) {}

  async steps(): Promise<readonly Step[]> {
    const { host, port, protocol, websocket } = this.target;
    const isFamily = host.includes('*');
    const dns: Step = ['dns', () => this.resolve()];
    const evidence = 'a wildcard: AWS chooses the host at sign-in, and without its name it cannot be tried';
    const allowlist: Step = ['allowlist', () => skipped(evidence, this.allow)];
    if (protocol === 'udp') return isFamily ? [allowlist] : [dns, ['stun', () => this.stun()]];
    const route = await this.context.ports.proxyFor(host, port);
    if (route.kind === 'unusable') return [['proxy', () => skipped(`not tried: ${route.why}`, this.allow)]];
    if (route.kind === 'direct' && isFamily) return [allowlist];
    const connection: Step[] =
      route.kind === 'direct'
        ? [dns, ['tcp', () => this.connect()]]
        : [['proxy', () => this.tunnel(route.url, isFamily)]];
    if (isFamily) return connection;
    const upgrade: Step[] = websocket ? [['websocket', () => this.upgrade()]] : [];
    return [...connection, ['tls', () => this.shakeHands()], ...upgrade];
  }

  close(): void {
    this.handshake?.secure.destroy();
    this.socket?.destroy();
  }

  /** The entry for an allowlist. */
  private get allow(): string {
    const { host, port, protocol, purpose, isOptional } = this.target;
    const back = localUdpPorts(this.context.ports.platform);
    const answers = protocol === 'udp' ? `, with answers to this machine's UDP ports ${back}` : '';
    const where = protocol === 'udp' ? 'the firewall' : 'firewall and proxy';
    const when = isOptional ? 'If your agents use this address: allow' : 'Allow';
    return `${when} ${host}, ${protocol.toUpperCase()} ${port}${answers}, in ${where} (for: ${purpose}).`;
  }

  /** @param judge the finding for an error of `work` */
  private async attempt(
    limitMs: number,
    work: (signal: AbortSignal) => Promise<StepFinding>,
    judge: (error: unknown) => Finding,
  ): Promise<StepFinding> {
    const { whole } = this.context;
    try {
      return await within(limitMs, whole, work);
    } catch (error) {
      whole.throwIfAborted();
      return judge(error);
    }
  }

  private resolve(): Promise<StepFinding> {
    const { ports, limits } = this.context;
    const { host, port } = this.target;
    return this.attempt(
      limits.dnsMs,
      async () => {
        const addresses = await ports.resolve(host);
        const endpoints = addresses.map((address) => ports.dial({ address, port }, host));
        this.endpoints = endpoints.slice(0, MAX_ADDRESSES);
        const evidence = addresses.join(', ') || 'no address';
        if (!addresses.every(isSinkhole)) return ok(evidence);
        return failed(
          `${evidence}: DNS filters and hosts files answer like this for names that they block`,
          `Remove ${host} from the DNS filter's list, or from the hosts file. ${this.allow}`,
        );
      },
      (error) =>
        this.target.isOptional
          ? skipped(`${networkMessage(error)}; not every instance has this host`)
          : failed(
              networkMessage(error),
              `Have the DNS server of this network resolve ${host}. ${this.allow}`,
            ),
    );
  }

  private connect(): Promise<StepFinding> {
    const started = performance.now();
    return this.attempt(
      this.context.limits.tcpMs,
      async (signal) => {
        const { socket, address } = await firstOf(this.endpoints, signal, connectTo);
        this.socket = socket;
        return ok(`connected to ${address} in ${msSince(started)}`);
      },
      (error) => {
        const dropped = error instanceof NoAnswerError ? '; a firewall drops it' : '';
        return failed(`${networkMessage(error)}${dropped}`, this.allow);
      },
    );
  }

  /** Of a family it requests a made-up name, which shows only whether the proxy's rules refuse it. */
  private tunnel(proxy: URL, isFamily: boolean): Promise<StepFinding> {
    const { host, port } = this.target;
    const name = proxyName(proxy);
    const started = performance.now();
    return this.attempt(
      this.context.limits.proxyMs,
      async (signal) => {
        const answer = await openTunnel(proxy, host.replace('*', 'sightline-check'), port, signal);
        this.socket = answer.socket;
        if (isFamily && answer.status !== 403 && answer.status !== 407)
          return skipped(
            `the proxy ${name} did not refuse a made-up name of this wildcard (it answered ${answer.status}); more cannot be tried without a real one`,
            this.allow,
          );
        if (answer.socket === null) return this.judgeRefusal(name, answer);
        return ok(`tunnel through ${name} in ${msSince(started)}`);
      },
      (error) =>
        failed(
          `the proxy ${name} cannot be reached: ${networkMessage(error)}`,
          "Check that the proxy runs, and that its name and port are right in this computer's proxy settings (or in HTTPS_PROXY).",
        ),
    );
  }

  private judgeRefusal(name: string, { status, schemes }: TunnelAnswer): Finding {
    const { host, port, purpose } = this.target;
    if (status === 407) {
      const asked = schemes === '' ? '' : ` with ${schemes}`;
      return failed(
        `the proxy ${name} asks for a sign-in${asked} (407)`,
        `Let ${host}, TCP ${port}, pass the proxy without a sign-in: the softphone and Sightline cannot sign in. ${this.allow}`,
      );
    }
    if (status >= 500)
      return failed(
        `the proxy ${name} does not reach the host (${status})`,
        `Check that the proxy itself can resolve and reach ${host}, TCP ${port}. ${this.allow}`,
      );
    return failed(
      `the proxy ${name} refuses the tunnel (${status})`,
      `Put ${host}, TCP ${port}, method CONNECT, on the proxy's allowlist (for: ${purpose}).`,
    );
  }

  private shakeHands(): Promise<StepFinding> {
    const { ports, limits } = this.context;
    const { host } = this.target;
    const socket = required(this.socket);
    return this.attempt(
      limits.tlsMs,
      async (signal) => {
        this.handshake = await shakeHands(socket, host, ports.trustedRoots, signal);
        // Independent of the verdict: a proxy that intercepts TLS is the one that can break websockets.
        return { ...this.handshake.finding, goOn: true };
      },
      (error) => judgeNoHandshake(error, host, this.allow),
    );
  }

  private upgrade(): Promise<StepFinding> {
    const { host } = this.target;
    const handshake = required(this.handshake);
    const remedy = `Let websockets (HTTP Upgrade) to ${host} pass in the proxy or security program, preferably by excluding it from TLS inspection. ${this.allow}`;
    return this.attempt(
      this.context.limits.websocketMs,
      (signal) => upgrade(handshake, host, remedy, signal),
      (error) => failed(`the upgrade was not answered: ${networkMessage(error)}`, remedy),
    );
  }

  private stun(): Promise<StepFinding> {
    const { limits } = this.context;
    const { port } = this.target;
    const started = performance.now();
    return this.attempt(
      limits.stunMs,
      async (signal) => {
        const { answer, requests } = await firstOf(this.endpoints, signal, (endpoint, inner) =>
          askStun(endpoint, limits.stunFirstWaitMs, inner),
        );
        const lost = requests > 1 ? `, after ${requests} requests` : '';
        const answered = `answered in ${msSince(started)}${lost}`;
        if (answer.kind === 'error') return ok(`${answered} (STUN error ${answer.code})`);
        const evidence =
          answer.mapped === null ? answered : `${answered}, this network is seen as ${answer.mapped}`;
        if (requests === 1) return ok(evidence);
        return warning(
          evidence,
          'Packets were lost: calls may stutter. Check the line, Wi-Fi and UDP rules.',
        );
      },
      (error) =>
        // AWS does not document whether its hosts answer without credentials, so silence proves nothing.
        error instanceof NoAnswerError
          ? warning(
              `${networkMessage(error)}; either UDP ${port} is blocked or the host does not answer without credentials`,
              `If calls have no sound or end early here: ${this.allow} If they are fine, there is nothing to do.`,
            )
          : failed(`UDP ${port} is blocked: ${networkMessage(error)}`, this.allow),
    );
  }
}

/** Addresses without a host, with which DNS filters answer. */
function isSinkhole(address: string): boolean {
  return address === '::' || address === '::1' || /^(0|127)\./.test(address);
}

function required<T>(value: T | null): T {
  if (value === null) throw new Error('the previous step has not run');
  return value;
}

function msSince(started: number): string {
  return `${Math.round(performance.now() - started)} ms`;
}
