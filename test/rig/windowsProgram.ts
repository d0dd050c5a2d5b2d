// The built program on a real Windows, by the Node that runs the tests. It has a console of its own, which is not shown, so that Ctrl+C
// can be sent to it alone: Node itself can only kill a process there.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { pathToFileURL } from 'node:url';
import { endWithUs, run } from './process.ts';
import { builtProgram, firstMatch, type ProgramHost, type ProgramOptions } from './program.ts';

const KERNEL = `Add-Type -Name Kernel -Namespace Sightline -MemberDefinition '
[DllImport("kernel32.dll")] public static extern bool FreeConsole();
[DllImport("kernel32.dll")] public static extern bool AttachConsole(uint processId);
[DllImport("kernel32.dll")] public static extern bool SetConsoleCtrlHandler(IntPtr handler, bool add);
[DllImport("kernel32.dll")] public static extern bool GenerateConsoleCtrlEvent(uint kind, uint group);'`;

function powershell(script: string): string {
  const words = ['-NoProfile', '-NonInteractive', '-Command', script];
  const { status, stdout, stderr } = spawnSync('powershell', words, { encoding: 'utf8', windowsHide: true });
  if (status !== 0) throw new Error(`PowerShell ended with ${status ?? '?'}: ${stderr}`);
  return stdout;
}

function pressCtrlC(pid: number): void {
  const kernel = '[Sightline.Kernel]';
  powershell(`${KERNEL}
[void]${kernel}::FreeConsole()
if (-not ${kernel}::AttachConsole(${pid})) { throw 'no console' }
[void]${kernel}::SetConsoleCtrlHandler([IntPtr]::Zero, $true)
[void]${kernel}::GenerateConsoleCtrlEvent(0, 0)
Start-Sleep -Milliseconds 200`);
}

/** Process ids of a program, of one parent or of any. */
export function processesNamed(name: string, parent?: number): number[] {
  const filter = parent === undefined ? `Name='${name}'` : `Name='${name}' and ParentProcessId=${parent}`;
  const out = powershell(`(Get-CimInstance Win32_Process -Filter "${filter}").ProcessId`);
  return out.trim().split(/\s+/).filter(Boolean).map(Number);
}

export function windowsHost(): ProgramHost {
  const environmentOf = ({ environment }: ProgramOptions): NodeJS.ProcessEnv => ({
    ...process.env,
    ...environment,
  });
  return {
    platform: 'win32',
    path: (path) => path,
    url: (path) => pathToFileURL(path).href,
    start(options) {
      const child = spawn(process.execPath, [builtProgram, ...options.args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: environmentOf(options),
        windowsHide: true,
      });
      endWithUs(child);
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      return Promise.resolve({
        pid: () => Promise.resolve(child.pid ?? 0),
        stderr: () => stderr,
        said: (pattern) => firstMatch(child, pattern),
        exited: once(child, 'exit').then(([code]: unknown[]) => code as number | null),
        kill(signal) {
          if (child.exitCode !== null) return;
          if (signal === 'SIGTERM') pressCtrlC(child.pid ?? 0);
          else child.kill();
        },
      });
    },
    async run(options) {
      const env = environmentOf(options);
      const { code, stdout, stderr } = await run(process.execPath, [builtProgram, ...options.args], { env });
      return { code, stdout: stdout.toString(), stderr };
    },
    async connect(port) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    ffmpegs: (recorderPid) => Promise.resolve(processesNamed('ffmpeg.exe', recorderPid)),
  };
}
