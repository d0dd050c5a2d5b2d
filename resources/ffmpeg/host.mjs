// Running programs on this host, and making sure that the build's own tools are there.
// It must never install anything unless it is root on a Debian-like system, and then only what the recipe names.
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Runs a program to its end, each line of its output to `onLine`. An interrupt (Ctrl-C, SIGTERM) ends the whole process
 * group of the program, so that nothing goes on compiling behind the user's back, and rejects.
 */
export function run(command, args, { cwd, env, onLine = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let interrupted;
    const stop = (signal) => {
      interrupted = signal;
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has just ended.
      }
    };
    const forget = () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        lines.forEach(onLine);
      });
      stream.on('end', () => rest && onLine(rest));
    }
    child.on('error', (error) => {
      forget();
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      forget();
      if (interrupted) reject(Object.assign(new Error(`Interrupted (${interrupted}).`), { interrupted }));
      else if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** Whether a program of that name is on PATH. */
export function hasProgram(name) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Makes sure that what the recipe compiles with is installed; otherwise an Error says what to install. */
export async function ensureBuildTools(recipe, log) {
  if (!hasProgram('dpkg-query') || !hasProgram('apt-get')) {
    const absent = recipe.tools.filter((tool) => !hasProgram(tool));
    if (absent.length === 0) return;
    throw new Error(
      `Building ffmpeg for ${recipe.platform} needs these programs, which are not on PATH: ${absent.join(', ')}. ` +
        `Install them (Debian's packages are: ${recipe.apt.join(' ')}) and run this again.`,
    );
  }
  const missing = missingPackages(recipe.apt);
  if (missing.length === 0) return;
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  if (process.getuid() !== 0) {
    throw new Error(
      `Building ffmpeg for ${recipe.platform} needs packages that are not installed. Run\n` +
        `  sudo apt-get ${install.join(' ')}\nand then this again.`,
    );
  }
  log(`installing ${missing.join(' ')}`);
  try {
    await aptGet(install);
  } catch (error) {
    if (error.interrupted) throw error;
    // Most often package lists that are absent or older than the archive.
    log('refreshing the package lists');
    await aptGet(['update']);
    await aptGet(install);
  }
}

function missingPackages(wanted) {
  let listed;
  try {
    listed = execFileSync('dpkg-query', ['-W', '-f=${db:Status-Status} ${Package}\n', ...wanted], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    listed = error.stdout; // It fails when it does not know one of the packages, and lists the others all the same.
  }
  const installed = new Set(
    listed
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
  return wanted.filter((name) => !installed.has(name));
}

async function aptGet(args) {
  const said = [];
  try {
    await run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=600', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      onLine: (line) => said.push(line),
    });
  } catch (error) {
    if (error.interrupted) throw error;
    const why = said
      .filter((line) => /^[EW]:/.test(line))
      .slice(-5)
      .join('\n');
    throw new Error(`apt-get ${args.join(' ')} failed. Make it work by hand, then run this again.\n${why}`);
  }
}
