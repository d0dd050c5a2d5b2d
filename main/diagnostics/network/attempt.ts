// The steps of checking one host. Each step uses what the previous one found.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import { NoAnswerError, networkMessage, within } from '../deadline.ts';
import { connectTo, firstOf } from './connect.ts';
import { isFamily, localUdpPorts } from './hosts.ts';
import type { TunnelAnswer } from './proxy.ts';
import { openTunnel, proxyName } from './proxy.ts';
import { askStun } from './stun.ts';
import { isIntercepted, judgeHandshake, judgeNoHandshake, shakeHands } from './tls.ts';
import type { Endpoint, NetworkLimits, NetworkPorts, NetworkStep, Target } from './types.ts';
import type { UpgradeAnswer } from './websocket.ts';
import { askUpgrade, judgeUpgrade } from './websocket.ts';

/** The addresses of one name that are tried, at the same time. */
const MAX_ADDRESSES = 4;

export interface Context {
  readonly ports: NetworkPorts;
  readonly limits: NetworkLimits;
  readonly whole: AbortSignal;
}

export interface Step {
  readonly name: NetworkStep;
  readonly run: () => Promise<StepFinding>;
}
/** The next step runs only after `goOn`. */
export type StepFinding = Finding & { readonly goOn: boolean };

export class Attempt {
  private addresses: readonly string[] = [];
  private socket: Socket | null = null;
  private secure: TLSSocket | null = null;
  private intercepted = false;

  constructor(
    private readonly target: Target,
    private readonly context: Context,
  ) {}

  async steps(): Promise<Step[]> {
    const { host, port, protocol, websocket } = this.target;
    const isOneHost = !isFamily(this.target);
    const dns: Step = { name: 'dns', run: () => this.resolve() };
    if (protocol === 'udp')
      return isOneHost ? [dns, { name: 'stun', run: () => this.stun() }] : [this.allowlistOnly()];
    const afterTcp: Step[] = [
      { name: 'tls', run: () => this.shakeHands() },
      ...(websocket ? [{ name: 'websocket', run: () => this.upgrade() } as const] : []),
    ];
    const route = await this.context.ports.proxyFor(host, port);
    switch (route.kind) {
      case 'direct':
        return isOneHost
          ? [dns, { name: 'tcp', run: () => this.connect() }, ...afterTcp]
          : [this.allowlistOnly()];
      case 'proxy':
        return isOneHost
          ? [{ name: 'proxy', run: () => this.tunnel(route.url) }, ...afterTcp]
          : [{ name: 'proxy', run: () => this.tryFamily(route.url) }];
      case 'unusable':
        return [only('proxy', skipped(`not tried: ${route.words}`, this.allow))];
    }
  }

  close(): void {
    this.secure?.destroy();
    this.socket?.destroy();
  }

  /** The entry for an allowlist. */
  private get allow(): string {
    const { host, port, protocol, purpose } = this.target;
    const back = localUdpPorts(this.context.ports.platform);
    const answers = protocol === 'udp' ? `, with answers to this machine's UDP ports ${back}` : '';
    const where = protocol === 'udp' ? 'the firewall' : 'firewall and proxy';
    return `Allow ${host}, ${protocol.toUpperCase()} ${port}${answers}, in ${where} (for: ${purpose}).`;
  }

  private allowlistOnly(): Step {
    const evidence = 'a wildcard: AWS chooses the host at sign-in, and without its name it cannot be tried';
    return only('allowlist', skipped(evidence, this.allow));
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
      return stop(judge(error));
    }
  }

  private resolve(): Promise<StepFinding> {
    const { ports, limits } = this.context;
    const { host } = this.target;
    return this.attempt(
      limits.dnsMs,
      async () => {
        this.addresses = await ports.resolve(host);
        const evidence = this.addresses.join(', ') || 'no address';
        if (this.addresses.length > 0 && !this.addresses.every(isSinkhole)) return goOn(ok(evidence));
        return stop(
          failed(
            `${evidence}: DNS filters and hosts files answer like this for names that they block`,
            `Remove ${host} from the DNS filter's list, or from the hosts file. ${this.allow}`,
          ),
        );
      },
      (error) =>
        failed(networkMessage(error), `Have the DNS server of this network resolve ${host}. ${this.allow}`),
    );
  }

  private connect(): Promise<StepFinding> {
    const started = performance.now();
    return this.attempt(
      this.context.limits.tcpMs,
      async (signal) => {
        const { socket, address } = await firstOf(this.endpoints(), signal, connectTo);
        this.socket = socket;
        return goOn(ok(`connected to ${address} in ${msSince(started)}`));
      },
      (error) => {
        const dropped = error instanceof NoAnswerError ? '; a firewall drops it' : '';
        return failed(`${networkMessage(error)}${dropped}`, this.allow);
      },
    );
  }

  private tunnel(proxy: URL): Promise<StepFinding> {
    const { host, port } = this.target;
    const started = performance.now();
    return this.attempt(
      this.context.limits.proxyMs,
      async (signal) => {
        const answer = await openTunnel(proxy, host, port, signal);
        this.socket = answer.socket;
        if (answer.socket === null) return stop(this.judgeRefusal(proxyName(proxy), answer));
        return goOn(ok(`tunnel through ${proxyName(proxy)} in ${msSince(started)}`));
      },
      (error) => judgeNoProxy(proxyName(proxy), error),
    );
  }

  /** Asks for a made-up name of the wildcard, which shows only whether the proxy's rules refuse it. */
  private tryFamily(proxy: URL): Promise<StepFinding> {
    const { host, port } = this.target;
    const name = proxyName(proxy);
    return this.attempt(
      this.context.limits.proxyMs,
      async (signal) => {
        const answer = await openTunnel(proxy, host.replace('*', 'sightline-check'), port, signal);
        answer.socket?.destroy();
        if (answer.status === 403 || answer.status === 407) return stop(this.judgeRefusal(name, answer));
        const evidence = `the proxy ${name} did not refuse a made-up name of this wildcard (it answered ${answer.status}); more cannot be tried without a real one`;
        return stop(skipped(evidence, this.allow));
      },
      (error) => judgeNoProxy(name, error),
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
    if (status >= 500) {
      return failed(
        `the proxy ${name} does not reach the host (${status})`,
        `Check that the proxy itself can resolve and reach ${host}, TCP ${port}. ${this.allow}`,
      );
    }
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
        const { secure, handshake } = await shakeHands(socket, host, ports.trustedRoots, signal);
        this.secure = secure;
        this.intercepted = isIntercepted(handshake);
        // Independent of the verdict: a proxy that intercepts TLS is the one that can break websockets.
        return goOn(judgeHandshake(handshake, host));
      },
      (error) => judgeNoHandshake(error, host, this.allow),
    );
  }

  private upgrade(): Promise<StepFinding> {
    const { host } = this.target;
    const secure = required(this.secure);
    const judge = (answer: UpgradeAnswer): Finding =>
      judgeUpgrade(answer, this.intercepted, host, this.allow);
    return this.attempt(
      this.context.limits.websocketMs,
      async (signal) => stop(judge(await askUpgrade(secure, host, signal))),
      (error) => judge({ kind: 'cut', words: networkMessage(error) }),
    );
  }

  private stun(): Promise<StepFinding> {
    const { limits } = this.context;
    const { port } = this.target;
    const started = performance.now();
    return this.attempt(
      limits.stunMs,
      async (signal) => {
        const { answer, requests } = await firstOf(this.endpoints(), signal, (endpoint, inner) =>
          askStun(endpoint, limits.stunFirstWaitMs, inner),
        );
        const lost = requests > 1 ? `, after ${requests} requests` : '';
        const answered = `answered in ${msSince(started)}${lost}`;
        if (answer.kind === 'error') return goOn(ok(`${answered} (STUN error ${answer.code})`));
        const evidence =
          answer.mapped === null ? answered : `${answered}, this network is seen as ${answer.mapped}`;
        if (requests === 1) return goOn(ok(evidence));
        return stop(
          warning(evidence, 'Packets were lost: calls may stutter. Check the line, Wi-Fi and UDP rules.'),
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

  private endpoints(): Endpoint[] {
    const { host, port } = this.target;
    return this.addresses
      .slice(0, MAX_ADDRESSES)
      .map((address) => this.context.ports.dial({ address, port }, host));
  }
}

function judgeNoProxy(name: string, error: unknown): Finding {
  return failed(
    `the proxy ${name} cannot be reached: ${networkMessage(error)}`,
    "Check that the proxy runs, and that its name and port are right in this computer's proxy settings (or in HTTPS_PROXY).",
  );
}

/** Addresses without a host, with which DNS filters answer. */
function isSinkhole(address: string): boolean {
  return address === '::' || address === '::1' || /^(0|127)\./.test(address);
}

const goOn = (finding: Finding): StepFinding => ({ ...finding, goOn: true });
const stop = (finding: Finding): StepFinding => ({ ...finding, goOn: false });

function only(name: NetworkStep, finding: Finding): Step {
  return { name, run: () => Promise.resolve(stop(finding)) };
}

function required<T>(value: T | null): T {
  if (value === null) throw new Error('the previous step has not run');
  return value;
}

function msSince(started: number): string {
  return `${Math.round(performance.now() - started)} ms`;
}
