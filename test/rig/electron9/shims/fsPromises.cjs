// node:fs/promises with rm and statfs, which Node 12 has not.
const { execFile } = require('child_process');
const fs = require('fs');
const { promisify } = require('util');

module.exports = Object.assign({}, fs.promises, {
  constants: fs.constants,
  async rm(path, { force = false, recursive = false } = {}) {
    try {
      const found = await fs.promises.lstat(path);
      if (found.isDirectory()) await fs.promises.rmdir(path, { recursive });
      else await fs.promises.unlink(path);
    } catch (error) {
      if (!(force && error.code === 'ENOENT')) throw error;
    }
  },
  /** In blocks of 1 kB, as df counts; on Windows in bytes, as the last line of dir has them. */
  async statfs(path) {
    if (process.platform === 'win32') {
      const { stdout } = await promisify(execFile)('cmd', ['/d', '/c', 'dir', path]);
      const free = Number(/([\d.,]+)[^\d]*$/.exec(stdout)[1].replace(/[.,]/g, ''));
      return { bsize: 1, blocks: free, bavail: free, bfree: free };
    }
    const { stdout } = await promisify(execFile)('df', ['-Pk', path]);
    const [, blocks, , bavail] = stdout.trim().split('\n').pop().split(/\s+/).map(Number);
    return { bsize: 1024, blocks, bavail, bfree: bavail };
  },
});
